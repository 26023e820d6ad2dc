"""The public events of a profile: its current value, and what changed in it."""

from typing import Any, Final

import msgspec

from schemas.canonical import digest
from schemas.codec import Avro
from schemas.ids import derived
from schemas.message import Headers
from schemas.profiles.changes import as_avro
from schemas.profiles.registers import ERASED, EncodedProfile, Patch, SourceRecordRow
from streams.agents.derived_event import derived_event
from streams.core.profiles.diff import diff
from streams.core.profiles.policies import origin_of_cause
from streams.core.profiles.public_schema import PublicSchema
from streams.engine.agent import Outbox, unreadable_row

Public = dict[str, Any]
_encode: Final = msgspec.msgpack.Encoder(order="deterministic").encode
_decode: Final = msgspec.msgpack.Decoder().decode


ENTERED: Final = "entered"
LEFT: Final = "left"


class PublicState(msgspec.Struct, frozen=True, gc=False):
    """A profile's public value, None where it has none, and the same encoded with its hash: equal values have equal bytes."""

    value: Public | None
    encoded: EncodedProfile
    digest: str

    @classmethod
    def of(cls, value: Public | None) -> "PublicState":
        encoded = _encode(value)
        return cls(value, msgspec.Raw(encoded), digest(encoded))

    @classmethod
    def decoded(cls, encoded: EncodedProfile) -> "PublicState":
        """Return the state as a row has it. Raises MustStop where it cannot be read."""
        try:
            return cls(_decode(encoded), encoded, digest(bytes(encoded)))
        except msgspec.MsgspecError as error:
            raise unreadable_row(error) from error


class ProfileType(msgspec.Struct, frozen=True, kw_only=True):
    """One type of profile: its name (also of its Avro schema), topic and public schema."""

    name: str
    topic: str
    schema: PublicSchema


class PatchContext(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One patch: the profile it is about, and what the headers of everything sent because of it contain."""

    profile_type: ProfileType
    avro: Avro
    profile: str
    patch: Patch
    basis: bytes | None
    trace: str | None
    out: Outbox
    previous: SourceRecordRow | None = None  # what the record had before, where the same message says it

    def was_joined_to(self, row: SourceRecordRow) -> bool:
        """Return whether the patch was joined to that row, so that it has all the row asserts."""
        return self.basis == row.digest() if self.previous is None else self.previous == row

    def encoded(
        self, schema: str, key: str, value: Public | None, *, event_id: str, event_type: str, sequence: int
    ) -> tuple[bytes | None, Headers]:
        """Return a public value, or a tombstone, with its headers."""
        event = derived_event(
            self.avro,
            schema,
            id=event_id,
            source=f"/intercom-streams/{self.profile_type.topic}",
            type=event_type,
            time=self.patch.cause.time or None,
            subject=key,
            partition_key=key,
            sequence=sequence,
            causation_id=self.patch.cause.event,
            trace_parent=self.trace,
        )
        return None if value is None else self.avro.encode(schema, value), event.headers()


def publish_profile(context: PatchContext, state: PublicState, sequence: int) -> None:
    """Publish a profile, or withdraw one that has no records any more: the last of a transaction stands for those before it.

    Until then its encoded form is kept, a fifth of the value's size in memory. In it the entries of maps are in order.
    """

    def made() -> tuple[bytes | None, Headers]:
        value = _decode(encoded)
        event_id = derived(context.profile, "state", sequence)
        event_type = f"{name}.{'withdrawn' if value is None else 'updated'}"
        return context.encoded(name, context.profile, value, event_id=event_id, event_type=event_type, sequence=sequence)

    name, encoded = context.profile_type.name, state.encoded
    context.out.send_latest(context.profile_type.topic, context.profile, made)


def publish_changes(context: PatchContext, before: PublicState, after: PublicState, sequence: int, selection: str | None) -> None:
    """Publish what changed, and a record's move; send nothing where only the origins of values did.

    `selection` says that the profile entered or left what is published, while its records stayed. A change because of an erasure has no values of before: they would be kept as long as the topic is.
    """
    patch, name = context.patch, context.profile_type.name
    erased = patch.row.assignment.number == ERASED.number
    changes = diff(before.value, after.value, origin_of_cause(patch.record, patch.cause))
    owner = patch.row.assignment.profile
    moved_from = patch.moved_from if owner == context.profile else None
    moved_to = None if owner == context.profile or erased else owner
    if erased:
        changes = [msgspec.structs.replace(change, before=None) for change in changes]
    if not (changes or moved_from or moved_to) and before.value is not None and after.value is not None:
        return
    value = {
        "profile": context.profile,
        "kind": name,
        "tenant": patch.tenant,
        "cause": patch.cause.event,
        "time": patch.cause.time,
        "created": before.value is None and selection is None,
        "changes": as_avro(changes),
        "moved_from": moved_from,
        "moved_to": moved_to,
        "selection": selection,
    }
    # The number, since one event can publish the same change twice: by what it says, and when a late move is undone because of it.
    number = patch.row.assignment.number
    event_id = derived(context.profile, patch.cause.event, before.digest, after.digest, *([number] if number else []))
    event_type = f"{name}.{'erased' if erased else 'changed'}"
    record = context.encoded(
        "profile_change", context.profile, value, event_id=event_id, event_type=event_type, sequence=sequence
    )
    context.out.send(f"{context.profile_type.topic}.changes", context.profile, *record)
