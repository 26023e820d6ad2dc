"""One profile from the registers of its records: which of them count, what each asserts, and the origin of a value.

All of it is a pure function of the records of a profile, never of the order in which they arrived.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeVar

from schemas.intercom.values import floor_to_second
from schemas.profiles.changes import ValueOrigin
from schemas.profiles.registers import PatchCause, Registers, Value
from schemas.profiles.version import Version
from streams.core.records.kept import kept_with_registers
from streams.core.records.registers import (
    active_edges,
    first_active,
    first_of_each_name,
    non_empty,
    version_of,
)

T = TypeVar("T")

Records = Mapping[str, Registers]
"""The records of one profile, by key."""

SECOND: Final = 1000


class Assertion(NamedTuple):
    """Who says something and when: assertions compare by version, and where two records have the same one by record."""

    version: Version
    record: str


_assertion_of: Final = itemgetter(0)  # of a layer
_assertion_in: Final = itemgetter(1)  # an item of assertions


Assertions = dict[str, Assertion]
"""The assertion that each of some parts of a public value comes from."""

ResolvedLayers = Sequence[tuple[Assertion, Mapping[str, Value]]]
"""The fields that are not empty, those of one assertion together; a field is in one layer only."""

Provenance = list[tuple[Assertion, Iterable[str]]]
"""The names of parts of a public value, by the assertion they come from."""


class ProfileStatus(StrEnum):
    """The status of a record, or of a profile."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"
    MERGED = "merged"

    __hash__ = str.__hash__  # the one of enumerations is written in Python, and takes ten times as long


_NEVER: Final = Version(0, 0, 0, 0, "")
_LINKS, _LAYERS = "links", "layers"  # what follows from registers and their record, kept with them
ALIVE: Final = frozenset({ProfileStatus.ACTIVE, ProfileStatus.ARCHIVED})
_BEST_FIRST: Final = (ProfileStatus.ACTIVE, ProfileStatus.ARCHIVED, ProfileStatus.DELETED, ProfileStatus.MERGED)


def latest_wins(records: Records) -> ResolvedLayers:
    """Take the latest version of each field. A record's empty field does not compete: it asserts nothing about other records."""
    layers = [layer for record, registers in records.items() for layer in _kept(_LAYERS, _layers_of, record, registers)]
    return layers if len(records) == 1 else first_of_each_name(sorted(layers, key=_assertion_of, reverse=True))


def _layers_of(record: str, registers: Registers) -> list[tuple[Assertion, dict[str, Value]]]:
    return [(Assertion(version, record), values) for version, values in non_empty(registers.now)]


def _kept(name: str, compute: Callable[[str, Registers], T], record: str, registers: Registers) -> T:
    """Return what follows from a record, kept with its registers; equal ones of another record may share them."""
    kept: tuple[str, T] | None = registers.__dict__.get(name)
    if kept is None or kept[0] != record:
        kept = registers.__dict__[name] = (record, compute(record, registers))
    return kept[1]


@kept_with_registers
def contact_status(registers: Registers) -> ProfileStatus:
    """Return the status of a record of a person. A merge is final, and so is the deletion of a contact: no event revokes it.

    A contact that was merged away stays merged where it is deleted too: what Intercom says of it later is superseded.

    A record of another system exists again if that system sends it again, at a later time.
    """
    if not registers.on:  # as most
        return ProfileStatus.ACTIVE
    marks = {name for name, _ in active_edges(registers) if not name.startswith(("company:", "tag:"))}
    if any(name.startswith("merged:") for name in marks):
        return ProfileStatus.MERGED
    deleted = version_of(registers.on, "deleted")
    if deleted and (not registers.off or (version_of(registers.off, "deleted") or _NEVER) < deleted):
        return ProfileStatus.DELETED
    return ProfileStatus.ARCHIVED if "archived" in marks else ProfileStatus.ACTIVE


def company_status(registers: Registers) -> ProfileStatus:
    """Return a company's status. Other systems recreate deleted companies, so the later of both assertions counts."""
    return ProfileStatus.DELETED if any(name == "deleted" for name, _ in active_edges(registers)) else ProfileStatus.ACTIVE


def profile_status(statuses: Iterable[ProfileStatus]) -> ProfileStatus:
    """Return a profile's status: the best of its records'."""
    return min(statuses, key=_BEST_FIRST.index, default=ProfileStatus.DELETED)


def contributing_records(records: Records, statuses: Mapping[str, ProfileStatus]) -> Records:
    """Return the records whose values count: the live ones, or the deleted ones where none is live; never one merged away."""
    alive = {key: registers for key, registers in records.items() if statuses[key] in ALIVE}
    return alive or {key: registers for key, registers in records.items() if statuses[key] is ProfileStatus.DELETED}


def latest_mark(records: Records, mark: str, of_record: Mapping[str, str]) -> tuple[str, Assertion] | None:
    """Return when the last record to get a mark `mark:entity` got it, and the entity, which is empty for most marks.

    That is when it first got it, or where the mark was taken off since, when it got it last.
    A profile is archived or deleted once all its records are. `of_record` has the marks of records that count another one as theirs.
    """
    marked = [
        (name.partition(":")[2], Assertion(_marked_since(registers, name, version), record))
        for record, registers in records.items()
        for version, names in registers.on
        for name in names
        if name.partition(":")[0] == of_record.get(record, mark)
    ]
    return max(marked, key=itemgetter(1), default=None)


def _marked_since(registers: Registers, name: str, latest: Version) -> Version:
    first, off = first_active(registers, name) or latest, version_of(registers.off, name)
    return latest if off is not None and first < off else first


EdgesOf = Callable[[str, Registers], Iterable[tuple[str, Version]] | None]
"""Return the edges of a record that count, given its key and its registers, with an assertion that each is active. None are all that are active now."""


def links(records: Records, edges_of: EdgesOf | None = None) -> dict[str, Assertions]:
    """Return the edges, by kind and then by `app_id:id`, each with the latest assertion that it is active."""
    by_kind: dict[str, list[Assertions]] = {}
    for record, registers in records.items():
        edges = None if edges_of is None else edges_of(record, registers)
        own = _kept(_LINKS, _active_links, record, registers) if edges is None else _links_of(record, edges)
        for kind, targets in own.items():
            by_kind.setdefault(kind, []).append(targets)
    return {kind: _latest_of_each(edges) for kind, edges in by_kind.items()}


def _latest_of_each(of_records: Sequence[Assertions]) -> Assertions:
    """Return the targets of all records, each with the latest assertion about it."""
    found: Assertions = {}
    for edges in of_records:
        found.update(edges)
    if len(found) < sum(map(len, of_records)):  # some records have a target in common
        for edges in of_records:
            for target, assertion in edges.items():
                found[target] = max(found[target], assertion)
    return found


def _active_links(record: str, registers: Registers) -> dict[str, Assertions]:
    return _links_of(record, active_edges(registers))


def _links_of(record: str, edges: Iterable[tuple[str, Version]]) -> dict[str, Assertions]:
    by_kind: dict[str, Assertions] = {}
    assertions: dict[Version, Assertion] = {}
    for name, version in edges:
        kind, _, entity = name.partition(":")
        if entity:
            if (assertion := assertions.get(version)) is None:
                assertion = assertions[version] = Assertion(version, record)
            by_kind.setdefault(kind, {})[qualified_id(record, entity)] = assertion
    return by_kind


def qualified_id(record: str, entity: str) -> str:
    """Return `app_id:id` of an entity that a record refers to by its bare id: it is in the record's own workspace.

    Records of other systems refer to `@source:id`.
    """
    return entity[1:] if entity[:1] == "@" else f"{record.partition(':')[0]}:{entity}"


def with_provenance(value: dict[str, Any], parts: Provenance) -> dict[str, Any]:
    """Add to a public value the origin of each of its parts, with each event listed once, and the time of the latest.

    No part is named twice.
    """
    origins = [(record, version.event, version.second * SECOND) for (version, record), _ in parts]
    sources = sorted(set(origins))
    places = {source: place for place, source in enumerate(sources)}
    provenance: dict[str, int] = {}
    for origin, (_, names) in zip(origins, parts, strict=True):
        provenance.update(dict.fromkeys(names, places[origin]))
    value["updated_at"] = max([time for _, _, time in sources], default=0)
    value["sources"] = [{"record": record, "event": event, "time": time} for record, event, time in sources]
    value["provenance"] = provenance
    return value


def parts_of(assertions: Assertions, prefix: str = "") -> Provenance:
    """Return the provenance of parts that were resolved one by one, their names behind a prefix.

    Those of one assertion that follow each other, as the links of a record do, are together.
    """
    return [(assertion, [prefix + name for name, _ in each]) for assertion, each in groupby(assertions.items(), _assertion_in)]


def origin_of_cause(record: str, cause: PatchCause) -> ValueOrigin:
    """Return the origin of what an event removed."""
    return ValueOrigin(record, cause.event, floor_to_second(cause.time))
