"""The table of what a rebuild compares and corrects, by agent."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from schemas.codec import Avro
from schemas.profiles.registers import PatchCause
from schemas.tenancy import Tenancy
from streams.agents.orgs import ORG_PROFILE
from streams.agents.people import PERSON_PROFILE
from streams.agents.rebuilt import activity_rows, conversation_rows, identity_rows, membership_rows, profile_rows, source_rows
from streams.agents.rebuilt.group_rows import GroupRows
from streams.engine.agent import Agent, Outbox

Correct = Callable[[GroupRows, PatchCause, Outbox], Mapping[str, Any]]
"""Given a group's rows, publish what differs, and return the rebuilt rows that have to change first, by item.

They take over what the live ones count, such as `ce_sequence`, so that nothing published later has an id of before.
"""


class RebuildRules(msgspec.Struct, frozen=True, kw_only=True):
    """How the tables of two generations of an agent are compared.

    `comparable` returns of a row, given its group and item, what both must have alike, or None where a row is history or an index.
    `why` says in which parts two of them differ, without values. Without `correct`, differences cannot be taken over. Rows are in the
    partition of `located_by` of their group.
    """

    comparable: Callable[[str, str, Any], bytes | None]
    why: Callable[[Any, Any], str]
    correct: Correct | None = None
    located_by: Callable[[str], str] = str


def rules_of(agent: Agent, tenancy: Tenancy, avro: Avro) -> RebuildRules:
    """Return the rules of an agent: all of each row where it has none of its own, and no corrections."""
    match agent.name:
        case "contacts" | "companies" | "person_records" | "org_records":
            return RebuildRules(comparable=source_rows.comparable, why=source_rows.why, correct=_nothing_public)
        case "memberships":
            return RebuildRules(
                comparable=membership_rows.comparable,
                why=membership_rows.why,
                correct=partial(membership_rows.correct, tenancy=tenancy, avro=avro),
            )
        case "conversations" | "activities" | "timelines":
            return _rules_of_activities(agent.name, tenancy, avro)
        case "people" | "orgs":
            profile_type = PERSON_PROFILE if agent.name == "people" else ORG_PROFILE
            return RebuildRules(
                comparable=profile_rows.comparable,
                why=profile_rows.why,
                correct=partial(profile_rows.correct, profile_type=profile_type, tenancy=tenancy, avro=avro),
            )
        case "identity":
            return RebuildRules(
                comparable=identity_rows.comparable,
                why=identity_rows.why,
                correct=_nothing_public,
                located_by=identity_rows.located_by,
            )
    return RebuildRules(comparable=partial(_whole, agent), why=lambda _live, _rebuilt: "the rows differ")


def _rules_of_activities(name: str, tenancy: Tenancy, avro: Avro) -> RebuildRules:
    if name == "conversations":
        correct_conversations = partial(conversation_rows.correct, avro=avro)
        return RebuildRules(comparable=conversation_rows.comparable, why=conversation_rows.why, correct=correct_conversations)
    corrections: dict[str, Correct] = {
        "activities": _nothing_public,
        "timelines": partial(activity_rows.correct, tenancy=tenancy, avro=avro),
    }
    comparable = partial(activity_rows.comparable, tenancy=tenancy)
    return RebuildRules(comparable=comparable, why=activity_rows.why, correct=corrections[name])


def _whole(agent: Agent, group: str, item: str, row: Any) -> bytes:
    return agent.codec.encode(row)


def _nothing_public(rows: GroupRows, cause: PatchCause, out: Outbox) -> Mapping[str, Any]:
    """Publish nothing: what follows is in the tables of other agents of the unit."""
    return {}
