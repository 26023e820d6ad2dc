"""Whether what Intercom posts about a workspace is applied: its states, and how one follows from another."""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

from schemas.cloudevents import AVRO, EventContext, Origin
from schemas.codec import Avro
from schemas.errors import BadConfiguration
from schemas.ids import derived
from schemas.plain_values import plain

TOPIC: Final = "workspaces"
HELD: Final = "held.posts"
HELD_FOR: Final = "ce_heldfor"
"""Header of a held post: the topic, without prefix, that it is to go to."""

SCHEMA: Final = "workspace_state"


class WorkspaceStatus(StrEnum):
    """What becomes of a workspace's posts."""

    ACTIVE = "active"
    PAUSED = "paused"
    ARCHIVED = "archived"
    DELETED = "deleted"


class WorkspaceState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a workspace since a time (ms), who brought it about, and why."""

    tenant: str
    app_id: str
    state: WorkspaceStatus
    since: int
    actor: str | None = None
    reason: str | None = None


_FROM: Final = MappingProxyType({
    "pause": (WorkspaceStatus.PAUSED, (WorkspaceStatus.ACTIVE,)),
    "resume": (WorkspaceStatus.ACTIVE, (WorkspaceStatus.PAUSED,)),
    "archive": (WorkspaceStatus.ARCHIVED, (WorkspaceStatus.ACTIVE, WorkspaceStatus.PAUSED)),
    "restore": (WorkspaceStatus.PAUSED, (WorkspaceStatus.ARCHIVED,)),
    "delete": (WorkspaceStatus.DELETED, (WorkspaceStatus.ARCHIVED,)),
})  # fmt: skip
"""By act: the state it leads to, and from which. What is restored is paused, so that somebody looks before it is applied."""


def after(act: str, app_id: str, before: WorkspaceStatus) -> WorkspaceStatus:
    """Return the state that an act leads to. Raises BadConfiguration where it does not follow from the state before."""
    state, allowed = _FROM[act]
    if before not in allowed:
        first = " or ".join(allowed)
        raise BadConfiguration(f"workspace {app_id} is {before}; {act} is for one that is {first}")
    return state


def encode(avro: Avro, state: WorkspaceState) -> bytes:
    """Return the state as framed Avro."""
    return avro.encode(SCHEMA, plain(state))


def decode(avro: Avro, data: bytes | None) -> WorkspaceState:
    """Return the state. Raises InvalidRecord for any other value."""
    return avro.decode_as(WorkspaceState, SCHEMA, data, what="state of a workspace")


def event_context(avro: Avro, state: WorkspaceState) -> EventContext:
    """Return the CloudEvents context of a state's record."""
    return EventContext(
        id=derived(TOPIC, state.app_id, state.state, state.since),
        source="/workspaces",
        type=f"workspace.{state.state}.v1",
        origin=Origin.OPERATOR,
        time=state.since,
        subject=f"workspace/{state.app_id}",
        partition_key=state.app_id,
        data_schema=avro.data_schema(SCHEMA),
        content_type=AVRO,
    )
