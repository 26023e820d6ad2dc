"""What the agents of people and organisations send each other and store in their tables: registers, rows and patches.

Their encoding is internal (`schemas.versioned`); the public schemas are
`schemas/avro/{person,org,membership,profile_change,record}.avsc`.
"""

from hashlib import sha256
from typing import Annotated, Any, Final, NamedTuple, TypeAlias, Union

import msgspec

from schemas.encoded import holds
from schemas.profiles.policies import PolicyInForce
from schemas.profiles.version import Version
from schemas.versioned import Versioned

Value = str | bool | int | float | None
"""A field's value; None is empty. Custom attributes, and values without a type in the schema, are canonical JSON text."""


Layer = tuple[Version, dict[str, Value]]
Layers = tuple[Layer, ...]
"""Registers by name, those of one version together. A name is in one layer only. Never changed in place."""


class Registers(msgspec.Struct, frozen=True, dict=True):
    """Everything asserted of a source record that a future merge or policy may need (`streams.core.records.registers`).

    As they never change, what follows from them is computed once and kept beside the fields.

    Fields have three registers: the latest assertion, the latest non-empty one where that is empty, the earliest non-empty one
    where it is different. Edges and marks (`company:ID`, `tag:ID`, `archived` …) have the latest assertion that they are active,
    the latest that they are not, and the earliest that they are where it is different. `complete` has the ids of the latest
    complete list by kind of edge.
    """

    now: Layers = ()
    last: Layers = ()
    first: Layers = ()
    on: Layers = ()
    off: Layers = ()
    since: Layers = ()
    complete: Layers = ()
    contested: tuple[str, ...] = ()  # fields whose latest moment has two values; only the event's id decides between them


Indexed = tuple[tuple[int, dict[str, Value]], ...]


class Packed(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Registers as stored and sent: each version once, and layers with its index. Names within a layer are in order."""

    versions: tuple[Version, ...]
    now: Indexed
    last: Indexed
    first: Indexed
    on: Indexed
    off: Indexed
    since: Indexed
    complete: Indexed
    contested: tuple[str, ...]


EncodedRegisters: TypeAlias = Annotated[msgspec.Raw, holds(Packed)]
"""Registers as the bytes that a row and a patch have in common (`streams.core.records.packing.encode`)."""


class Assignment(NamedTuple):
    """The profile of a record. A higher number is newer; 0 is a record without an assignment, which is a profile of its own.

    `ignored` are the records that this one was merged into by merges that do not count, because they close a cycle.
    """

    number: int
    profile: str
    ignored: tuple[str, ...] = ()


ERASED: Final = Assignment(1 << 62, "")
"""The assignment of an erased record: to no profile, and higher than any that the identity agent counts up to."""


class SourceRecordRow(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="row"):
    """One source record, in the table of its own agent and in the table of its profile's agent."""

    registers: EncodedRegisters
    assignment: Assignment

    def digest(self) -> bytes:
        """Return a hash of the whole row, as text: equal rows have equal bytes, so that it names one state of the record."""
        assignment = f"{self.assignment.number}|{self.assignment.profile}|".encode()
        return sha256(assignment + bytes(self.registers)).hexdigest().encode()


class PatchCause(NamedTuple):
    """The event that something follows from, and its time in milliseconds since 1970."""

    event: str
    time: int


class EarlierState(NamedTuple):
    """What a record had after an event that was not the last one of its patch, with the event's trace."""

    registers: EncodedRegisters
    cause: PatchCause
    trace: str | None


class Patch(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """All registers of one source record, sent to the agent of its profile because of one event.

    Where several events of the record were processed together, `earlier` has what it had after each but the last, in order: each
    event has a change of its own. They all have the row's assignment.
    """

    tenant: str
    record: str  # `app_id:id`, or `source:id` for other systems
    row: SourceRecordRow
    cause: PatchCause
    moved_from: str | None = None  # the profile that the record was in until now
    earlier: tuple[EarlierState, ...] = ()


PATCH: Final = Versioned(Patch)
"""The codec of `person.patches` and `org.patches`."""

BASIS: Final = "basis"
"""The header of a patch that names the row it was joined to, by `SourceRecordRow.digest`; the first patch of a record has none.

The patch has all that row asserts. A reader whose own row is the same one need not join the two again.
"""


EncodedProfile: TypeAlias = Annotated[msgspec.Raw, holds(dict[str, Any] | None)]
"""A public value as MessagePack with its keys in order, so that equal values have equal bytes."""


class PublishedProfile(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A profile as last sent, in a row of its own. `sequence` counts what was sent; `value` is the encoded None once withdrawn.

    `alias` is the profile that this one is an alias of, once all its records have moved away. `tenant` is whose it is where it has
    records and the tenant's policy keeps it from being published; else `value` says so.
    """

    sequence: int
    value: EncodedProfile
    alias: str | None = None
    tenant: str = ""


class ProfileTableRow(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A row of a profile's table: the profile itself under the empty item, one of its records, or a tenant's policy."""

    profile: PublishedProfile | None = None
    row: SourceRecordRow | None = None
    policy: PolicyInForce | None = None


class CheckpointRound(msgspec.Struct, frozen=True, array_like=True, tag="checkpoints"):
    """Where a partition's checkpoints stand: when rows are written next (ms), behind which one, and the offset at which the round began.

    Between two rounds `began` is None. `until` is when the round after this one begins.
    """

    due: int
    after: str = ""
    began: int | None = None
    until: int = 0


RecordTableRow: TypeAlias = Union[SourceRecordRow, PolicyInForce, CheckpointRound]  # noqa: UP007 - this form has the name that errors show
"""A row of the table of an agent of records."""
