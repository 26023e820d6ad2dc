"""The record of `directory.decisions`: what somebody decides about a workspace's teams and agents. Nothing of it is ever deleted."""

from enum import StrEnum
from typing import Final

import msgspec

from schemas.cloudevents import AVRO, EventContext, Origin
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.plain_values import plain

TOPIC: Final = "directory.decisions"
SCHEMA: Final = "directory_decision"


class DirectoryMatter(StrEnum):
    """What a decision is about, and which of its fields it needs."""

    TEAM = "team"  # whether a team is imported: team, selected
    MEMBER = "member"  # whether one of a team's agents is: team, agent, selected
    AGENT = "agent"  # whether an agent is, in no team: agent, selected
    ROLE = "role"  # which role an agent has with us: agent, role (null takes the choice back)
    RESEND = "resend"  # the request to import an agent is sent again: agent
    CANCEL = "cancel"  # and withdrawn: agent


class DirectoryDecision(msgspec.Struct, frozen=True, kw_only=True):
    """One decision. `replaces` is the one about the same matter that it replaces, null where there is none; another one makes it stale.

    `selected` null is undecided again. Requests (resend, cancel) replace nothing. `time` is ms, by the clock of the machine it was made on.
    """

    id: str
    tenant: str
    app_id: str
    matter: DirectoryMatter
    time: int
    team: str | None = None
    agent: str | None = None
    selected: bool | None = None
    role: str | None = None
    replaces: str | None = None
    actor: str | None = None
    reason: str | None = None


_NEEDS: Final = {DirectoryMatter.TEAM: (True, False), DirectoryMatter.MEMBER: (True, True)}  # team, agent
_LONGEST: Final = 200  # characters of an id or a role


def encode(avro: Avro, decision: DirectoryDecision) -> bytes:
    """Return the decision as framed Avro."""
    return avro.encode(SCHEMA, plain(decision))


def decode(avro: Avro, data: bytes | None) -> DirectoryDecision:
    """Return the decision. Raises InvalidRecord for any other value, and for a decision that names too little or too much."""
    taken_back = "a choice is taken back by a decision with `selected` null"
    decision = avro.decode_as(DirectoryDecision, SCHEMA, data, what="decision about teams and agents", deleted=taken_back)
    _check(decision)
    return decision


def _check(decision: DirectoryDecision) -> None:
    wanted = _NEEDS.get(decision.matter, (False, True))
    if (bool(decision.team), bool(decision.agent)) != wanted:
        names = " and ".join(name for name, needed in zip(("team", "agent"), wanted, strict=True) if needed)
        raise InvalidRecord(f"a decision about a matter of {decision.matter} names {names}, and nothing else")
    for text in (decision.id, decision.team or "-", decision.agent or "-", decision.role or "-"):
        if not text.strip() or len(text) > _LONGEST or "|" in text or not text.isprintable():
            raise InvalidRecord(
                f"ids and roles of a decision have 1 to {_LONGEST} characters, and none of them is | or a control character"
            )


def event_context(avro: Avro, decision: DirectoryDecision) -> EventContext:
    """Return the CloudEvents context of a decision's record."""
    return EventContext(
        id=decision.id,
        source="/directory",
        type="directory.decided.v1",
        origin=Origin.OPERATOR,
        time=decision.time,
        subject=decision.app_id,
        partition_key=decision.app_id,
        data_schema=avro.data_schema(SCHEMA),
        content_type=AVRO,
    )
