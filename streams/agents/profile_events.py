"""What the world is told about a profile: its present value, what changed in it, and who belongs to which organisation."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from schemas.canonical import digest
from schemas.cloudevents import AVRO, EventContext, Origin
from schemas.codec import Avro
from schemas.ids import derived
from schemas.profiles.registers import Patch, Registers
from streams.core.profiles.diff import diff
from streams.core.profiles.policies import origin_of_cause
from streams.core.profiles.public_value import PublicSchema
from streams.engine.agent import Outbox

Public = dict[str, Any]
_bytes: Final = msgspec.msgpack.Encoder(order="deterministic").encode


class ProfileType(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of profile: its name (of its schema too), its topic, its public form, and what one of its records belongs to."""

    name: str
    topic: str
    schema: PublicSchema
    memberships: Callable[[str, str, str, Registers], dict[str, Public]]


class PatchContext(msgspec.Struct, frozen=True, kw_only=True):
    """One patch: whom it is about, and what everything sent because of it says about its cause."""

    profile_type: ProfileType
    avro: Avro
    profile: str
    patch: Patch
    trace: str | None
    out: Outbox

    def send(
        self, topic: str, key: str, schema: str, value: Public | None, *, event_id: str, event_type: str, sequence: int
    ) -> None:
        """Send a public value, or a tombstone."""
        context = EventContext(
            id=event_id,
            source=f"/intercom-streams/{self.profile_type.topic}",
            type=f"{event_type}.v1",
            origin=Origin.DERIVED,
            time=self.patch.cause.time or None,
            subject=key,
            partition_key=key.partition("|")[0],
            sequence=sequence,
            data_schema=self.avro.data_schema(schema),
            causation_id=self.patch.cause.event,
            trace_parent=self.trace,
            content_type=AVRO,
        )
        self.out.send(topic, key, None if value is None else self.avro.encode(schema, value), context.headers())


def publish_profile(turn: PatchContext, value: Public | None, sent: int) -> None:
    """Publish a profile, or withdraw one that has no records any more."""
    name = turn.profile_type.name
    event_type = f"{name}.{'withdrawn' if value is None else 'updated'}"
    turn.send(
        turn.profile_type.topic,
        turn.profile,
        name,
        value,
        event_id=derived(turn.profile, "state", sent),
        event_type=event_type,
        sequence=sent,
    )


def publish_changes(turn: PatchContext, before: Public | None, after: Public | None, sent: int) -> None:
    """Say what changed, and nothing where only the events behind the values did."""
    patch = turn.patch
    found = diff(before, after, origin_of_cause(patch.record, patch.cause))
    if not found and before is not None and after is not None:
        return
    owner = patch.row.assignment.profile
    value = {
        "profile": turn.profile,
        "kind": turn.profile_type.name,
        "tenant": patch.tenant,
        "cause": patch.cause.event,
        "time": patch.cause.time,
        "created": before is None,
        "changes": found,
        "moved_from": None,
        "moved_to": None if owner == turn.profile else owner,
    }
    event_id = derived(turn.profile, patch.cause.event, *(digest(_bytes(side)) for side in (before, after)))
    topic, event_type = f"{turn.profile_type.topic}.changes", f"{turn.profile_type.name}.changed"
    turn.send(topic, turn.profile, "profile_change", value, event_id=event_id, event_type=event_type, sequence=sent)


def publish_memberships(turn: PatchContext, before: dict[str, Public], after: dict[str, Public], sent: int) -> None:
    """Publish what a record belongs to now, and end with a tombstone what it no longer belongs to."""
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            event_type = f"membership.{'updated' if key in after else 'ended'}"
            event_id = derived(turn.profile, key, sent)
            turn.send("memberships", key, "membership", after.get(key), event_id=event_id, event_type=event_type, sequence=sent)
