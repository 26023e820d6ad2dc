"""The record of `operations`: what an operator did to a running system, never deleted, so that it can be shown who did what and why."""

from typing import Final

import msgspec

from schemas.cloudevents import AVRO, EventContext, Origin
from schemas.codec import Avro
from schemas.plain_values import plain

TOPIC: Final = "operations"
SCHEMA: Final = "operation"
_TYPE: Final = "operation.{}.v1"

REDRIVEN: Final = "dead_letter.redriven"
DROPPED: Final = "dead_letter.dropped"
PROFILE_ERASED: Final = "profile.erased"
REPLAY_STARTED: Final = "replay.started"
REPLAY_PROGRESSED: Final = "replay.progressed"
REPLAY_ENDED: Final = "replay.ended"
WORKSPACE_CHANGED: Final = "workspace.changed"
WORKSPACE_RELEASED: Final = "workspace.released"
RESTORED: Final = "backup.restored"
ACTIVITIES_MOVED: Final = "activities.moved"
RETENTION_CHANGED: Final = "activities.retention_changed"
SOURCE_WITHDRAWN: Final = "source.withdrawn"
REBUILD_STARTED: Final = "rebuild.started"
REBUILD_ENDED: Final = "rebuild.ended"
WEBHOOK_CHANGED: Final = "webhook.changed"
BACKFILL_STARTED: Final = "backfill.started"
BACKFILL_PROGRESSED: Final = "backfill.progressed"
BACKFILL_ENDED: Final = "backfill.ended"
RECONCILED: Final = "reconciled"


class RecordPosition(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Where a record is; `topic` is without the configured prefix."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One act of an operator, or a step of one that takes long: `process` is then the id of the whole.

    `subject` is the record it concerns; `details` has the rest, by name, as text.
    """

    id: str
    kind: str
    time: int  # ms, by the clock of the machine that did it
    actor: str | None = None  # the user's name there, null where it has none
    process: str | None = None
    subject: RecordPosition | None = None
    reason: str | None = None
    details: dict[str, str] = {}


def encode(avro: Avro, operation: Operation) -> bytes:
    """Return the operation as framed Avro."""
    return avro.encode(SCHEMA, plain(operation))


def decode(avro: Avro, data: bytes | None) -> Operation:
    """Return the operation. Raises InvalidRecord for any other value."""
    return avro.decode_as(Operation, SCHEMA, data, what="operation", deleted="nothing is ever deleted from this topic")


def key_of(operation: Operation) -> bytes:
    """Return the key: what the operation belongs to or concerns, so that all about it is in one order."""
    return str(operation.process or operation.subject or operation.id).encode()


def event_context(avro: Avro, operation: Operation) -> EventContext:
    """Return the CloudEvents context of an operation's record."""
    return EventContext(
        id=operation.id,
        source="/operations",
        type=_TYPE.format(operation.kind),
        origin=Origin.OPERATOR,
        time=operation.time,
        subject=str(operation.subject) if operation.subject else None,
        data_schema=avro.data_schema(SCHEMA),
        content_type=AVRO,
    )
