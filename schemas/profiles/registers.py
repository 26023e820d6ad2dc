"""What travels between the agents of people and organisations, and what their tables hold: registers, rows and patches.

These are internal forms (`schemas.versioned`); the public ones are `schemas/avro/{person,org,membership,profile_change,record}.avsc`.
"""

from enum import IntEnum
from typing import Any, Final, NamedTuple

import msgspec

from schemas.versioned import Versioned

Value = str | bool | int | float | None
"""What a field holds; None is empty. Custom attributes and whatever has no type of ours are canonical JSON text."""


class Rank(IntEnum):
    """What wins inside one second that the wire cannot order."""

    SNAPSHOT = 0
    ADD = 1
    REMOVE = 2
    ARCHIVE = 3
    MERGE = 4
    DELETE = 5


class Version(NamedTuple):
    """When something was asserted, and by which event. Tuples compare in this order.

    Notifications have whole seconds and snapshots milliseconds, so a second is decided by rank first; among snapshots that is the same
    as comparing milliseconds. `request` is when the state was read (seconds of the notification, or the server's date in ms).
    """

    second: int
    rank: int
    millisecond: int  # within the second
    request: int
    event: str

    @property
    def time(self) -> int:
        """Milliseconds since 1970."""
        return self.second * 1000 + self.millisecond


Layer = tuple[Version, dict[str, Value]]
Layers = tuple[Layer, ...]
"""Registers by name, those of one version together. A name stands in one layer only. Never changed in place."""


class Registers(msgspec.Struct, frozen=True):
    """Everything asserted of one source record, as far as any future merge or policy can need it (`streams.core.records.registers`).

    Fields have three registers: the latest assertion, the latest non-empty one where that is empty, the earliest non-empty one where it
    is another. Edges and marks (`company:ID`, `tag:ID`, `archived` …) have the latest assertion that they hold, the latest that they do
    not, and the earliest that they hold where it is another. `complete` has, by kind of edge, the ids of the latest whole list.
    """

    now: Layers = ()
    last: Layers = ()
    first: Layers = ()
    on: Layers = ()
    off: Layers = ()
    since: Layers = ()
    complete: Layers = ()
    contested: tuple[str, ...] = ()  # fields whose latest moment has two values, settled by the event's id alone


Indexed = tuple[tuple[int, dict[str, Value]], ...]


class Packed(msgspec.Struct, frozen=True, array_like=True):
    """Registers as stored and sent: each version once, layers name it by its place."""

    versions: tuple[Version, ...]
    now: Indexed
    last: Indexed
    first: Indexed
    on: Indexed
    off: Indexed
    since: Indexed
    complete: Indexed
    contested: tuple[str, ...]


class Assignment(NamedTuple):
    """Which profile a record belongs to. The higher number is the newer; 0 is a record nobody assigned, its own profile."""

    number: int
    profile: str


class SourceRecordRow(msgspec.Struct, frozen=True, array_like=True):
    """One source record, in the table of its own agent and in the table of its profile's."""

    registers: Packed
    assignment: Assignment


class PatchCause(NamedTuple):
    """The event that something follows from, and its time in milliseconds since 1970."""

    event: str
    time: int


class Patch(msgspec.Struct, frozen=True, array_like=True):
    """All registers of one source record, told to the agent of its profile because of one event."""

    tenant: str
    record: str  # `app_id:id`, or `source:id` for other systems
    row: SourceRecordRow
    cause: PatchCause


PATCH: Final = Versioned(Patch)
"""The codec of `person.patches` and `org.patches`."""


class PublishedProfile(msgspec.Struct, frozen=True, array_like=True):
    """A profile as last sent: its own row in the table. `sent` counts the times; `value` is the public value, None once withdrawn."""

    sequence: int
    value: dict[str, Any] | None


class ProfileTableRow(msgspec.Struct, frozen=True, array_like=True):
    """What one key of a profile's table holds: the profile itself under the empty item, else one of its records."""

    profile: PublishedProfile | None = None
    row: SourceRecordRow | None = None
