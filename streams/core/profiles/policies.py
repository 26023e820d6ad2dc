"""One profile from the registers of its records: which value of which record stands, by policy, and where it came from.

A policy is a pure function of all records of a profile, never of the order in which they arrived.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from schemas.intercom.values import floor_to_second
from schemas.profiles.registers import PatchCause, Registers, Value, Version
from streams.core.records.registers import active_edges, current, first_active, first_values, version_of

Records = Mapping[str, Registers]
"""The records of one profile, by key."""

SECOND: Final = 1000


class ResolvedValue(NamedTuple):
    """A value that stands, and whose it is."""

    value: Value
    record: str
    version: Version


class ValueOrigin(NamedTuple):
    """Where a value comes from: record, event, time in ms cut to the second."""

    record: str
    event: str
    time: int


Fields = dict[str, ResolvedValue]
Policy = Callable[[Records], Fields]


class ProfileStatus(StrEnum):
    """What has become of a record, or of a profile."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    DELETED = "deleted"
    MERGED = "merged"


ALIVE: Final = frozenset({ProfileStatus.ACTIVE, ProfileStatus.ARCHIVED})
_BEST_FIRST: Final = (ProfileStatus.ACTIVE, ProfileStatus.ARCHIVED, ProfileStatus.DELETED, ProfileStatus.MERGED)


def latest_wins(records: Records) -> Fields:
    """Let the latest version win. A record's empty field does not compete: it says nothing of the other records."""
    found: Fields = {}
    for record, registers in records.items():
        for name, value, version in current(registers):
            held = found.get(name)
            if held is None or (held.version, held.record) < (version, record):
                found[name] = ResolvedValue(value, record, version)
    return found


def first_wins(records: Records) -> Fields:
    """Let the earliest value stand for ever: what comes later creates, and never changes."""
    found: Fields = {}
    for record, registers in records.items():
        for name, (value, version) in first_values(registers).items():
            held = found.get(name)
            if held is None or (held.version, held.record) > (version, record):
                found[name] = ResolvedValue(value, record, version)
    return found


def resolved(records: Records, policies: Mapping[str, Policy]) -> Fields:
    """Return the values that stand: by `overwrite`, and by another policy for the fields named."""
    found = latest_wins(records)
    for name, policy in policies.items():
        chosen = policy(records).get(name)
        if chosen is not None:
            found[name] = chosen
    return found


def contact_status(registers: Registers) -> ProfileStatus:
    """Say what has become of a contact. Deletion is for ever; so is a merge."""
    if version_of(registers.on, "deleted"):
        return ProfileStatus.DELETED
    marks = {name for name, _ in active_edges(registers) if not name.startswith(("company:", "tag:"))}
    if any(name.startswith("merged:") for name in marks):
        return ProfileStatus.MERGED
    return ProfileStatus.ARCHIVED if "archived" in marks else ProfileStatus.ACTIVE


def company_status(registers: Registers) -> ProfileStatus:
    """Say what has become of a company. Other systems recreate deleted ones, so the later of both assertions holds."""
    return ProfileStatus.DELETED if any(name == "deleted" for name, _ in active_edges(registers)) else ProfileStatus.ACTIVE


def profile_status(statuses: Iterable[ProfileStatus]) -> ProfileStatus:
    """Say what has become of a profile: the best of its records."""
    return min(statuses, key=_BEST_FIRST.index, default=ProfileStatus.DELETED)


def contributing_records(records: Records, statuses: Mapping[str, ProfileStatus]) -> Records:
    """Return the records whose values count: those alive, or the deleted ones where none is; never one merged away."""
    alive = {key: registers for key, registers in records.items() if statuses[key] in ALIVE}
    return alive or {key: registers for key, registers in records.items() if statuses[key] is ProfileStatus.DELETED}


def latest_mark(records: Records, mark: str) -> ResolvedValue | None:
    """Return when a mark was first put on the record that got it last: a profile is archived or deleted once all of it is."""
    found = [
        ResolvedValue(name.partition(":")[2], record, first_active(registers, name) or version)
        for record, registers in records.items()
        for version, names in registers.on
        for name in names
        if name.partition(":")[0] == mark
    ]
    return max(found, key=lambda chosen: (chosen.version, chosen.record), default=None)


def links(records: Records) -> dict[str, Fields]:
    """Return the edges that hold, by kind and then by `app_id:id`, each with the latest assertion that it does."""
    found: dict[str, Fields] = {}
    for record, registers in records.items():
        for name, version in active_edges(registers):
            kind, _, entity = name.partition(":")
            if entity:
                of_kind = found.setdefault(kind, {})
                held = of_kind.get(whose := qualified_id(record, entity))
                if held is None or (held.version, held.record) < (version, record):
                    of_kind[whose] = ResolvedValue(True, record, version)
    return found


def qualified_id(record: str, entity: str) -> str:
    """Name something that a record speaks of by its bare id: it is of the record's own workspace."""
    return f"{record.partition(':')[0]}:{entity}"


def origin_of(chosen: ResolvedValue) -> ValueOrigin:
    """Return where a value comes from."""
    return ValueOrigin(chosen.record, chosen.version.event, chosen.version.second * SECOND)


def with_provenance(value: dict[str, Any], origins: Mapping[str, ValueOrigin]) -> dict[str, Any]:
    """Add to a public value where each of its parts comes from, naming each event once, and the time of the latest."""
    sources = sorted(set(origins.values()))
    places = {source: place for place, source in enumerate(sources)}
    value["updated_at"] = max((source.time for source in sources), default=0)
    value["sources"] = [source._asdict() for source in sources]
    value["provenance"] = {name: places[source] for name, source in sorted(origins.items())}
    return value


def origin_of_cause(record: str, cause: PatchCause) -> ValueOrigin:
    """Return the origin of what an event took away."""
    return ValueOrigin(record, cause.event, floor_to_second(cause.time))
