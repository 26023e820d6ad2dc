"""Staff: records of several sources attached to people, a person's fields from all of them, and when employment ends.

A person gets an id with the first record. A record of another source attaches to the one person who shares its employee number, or else
an address, and has no record of that source yet. Two records of one source are two people; only a decision can change that.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from schemas.access.facts import Fact, LocalTime, StaffRecordData
from schemas.ids import derived
from streams.core.access.state.addresses import normal
from streams.core.access.state.fields import value, with_asserted
from streams.core.access.state.rows import FactReference, PersonRow, StaffRecord
from streams.core.access.state.tenant import TenantState

_ENDED: Final = "ended"


class StaffMember(NamedTuple):
    """A staff member as input of the checks. `ends` is the earliest end (ms) that any source asserts, `ending` the record with it."""

    id: str
    name: str | None
    given: tuple[str, ...]
    addresses: frozenset[str]
    roles: tuple[str, ...] | None  # None where no source ever asserted any
    ends: int | None
    ending: StaffRecord | None
    records: tuple[StaffRecord, ...]

    def __repr__(self) -> str:
        return f"StaffMember({self.id!r})"


def staff_member(records: Iterable[StaffRecord], person: str, precedence: Sequence[str] = ()) -> StaffMember | None:
    """Return a person as the records that were not withdrawn describe them, or None where all were withdrawn.

    Descriptive fields come from the first source by precedence that asserts them; sources it does not name follow in order of attachment.
    """
    current = [record for record in records if not value(record.fields, "withdrawn")]
    if not current:
        return None
    ranked = sorted(
        current, key=lambda record: precedence.index(record.source) if record.source in precedence else len(precedence)
    )
    given = tuple(dict.fromkeys(address for record in ranked for address in value(record.fields, "addresses") or ()))
    ends = sorted(((end, position) for position, record in enumerate(ranked) if (end := end_of(record)) is not None))
    return StaffMember(
        id=person,
        name=_first(ranked, "name"),
        given=given,
        addresses=frozenset(address for each in given if (address := normal(each))),
        roles=_first(ranked, "roles"),
        ends=ends[0][0] if ends else None,
        ending=ranked[ends[0][1]] if ends else None,
        records=tuple(ranked),
    )


def end_of(record: StaffRecord) -> int | None:
    """Return when employment ends by one record: its end, or where it has only the status "ended", the instant it first had it."""
    ends = value(record.fields, "ends")
    if ends is not None:
        return int(ends["instant"])
    status = record.fields.get("status")
    return status.since if status is not None and status.value == _ENDED else None


def asserted_fields(staff: StaffRecordData, fact: Fact) -> dict[str, Any]:
    """Return the fields a fact asserts, as plain values; those its source does not carry are left out."""
    person = fact.person
    values = {
        "name": person.name if person else None,
        "addresses": list(person.addresses) if person else [],
        "roles": list(staff.roles),
        "department": staff.department,
        "manager": staff.manager,
        "employee": staff.employee,
        "status": staff.status,
        "starts": _plain(staff.starts),
        "ends": _plain(staff.ends),
    }
    return {name: values[name] for name in staff.asserts if name in values} | {"withdrawn": False}


def merge_record(
    before: StaffRecord | None,
    person: str,
    fact: Fact,
    staff: StaffRecordData,
    *,
    time: int,
    source: FactReference,
    snapshot: str | None,
) -> StaffRecord:
    """Return a source's record after a fact, which may come from a complete snapshot."""
    fields = with_asserted(before.fields if before else {}, asserted_fields(staff, fact), time, fact.id)
    record = StaffRecord(staff.source, staff.record, person, fields, latest=source, ending=source, snapshot=snapshot)
    if before is None:
        return record
    latest = before.latest if (time, fact.id) < (before.latest.time or 0, before.latest.fact) else source
    ending = before.ending if end_of(before) == end_of(record) else source
    return msgspec.structs.replace(record, latest=latest, ending=ending, snapshot=snapshot or before.snapshot)


def owner(state: TenantState, fact: Fact, staff: StaffRecordData) -> PersonRow:
    """Return the person that a new record belongs to: one who is known by another source, or a new one."""
    for candidates in _candidates(state, fact, staff):
        free = [person for person in map(state.people.get, candidates) if person and not _has(person, staff.source)]
        if len(free) == 1:
            return free[0]
    return PersonRow(derived(state.tenant, "staff", staff.source, staff.record))


def _candidates(state: TenantState, fact: Fact, staff: StaffRecordData) -> Iterable[Sequence[str]]:
    if staff.employee:
        yield state.employee_numbers.holders(staff.employee).people
    addresses = (normal(each) for each in (fact.person.addresses if fact.person else ()))
    yield sorted({person for address in addresses if address for person in state.addresses.holders(address).people})


def _has(person: PersonRow, source: str) -> bool:
    return any(each == source for each, _ in person.records)


def _first(records: Sequence[StaffRecord], name: str) -> Any:
    first = next((value(record.fields, name) for record in records if value(record.fields, name) is not None), None)
    return tuple(first) if isinstance(first, list) else first


def _plain(time: LocalTime | None) -> dict[str, Any] | None:
    return None if time is None else {"given": time.given, "zone": time.zone, "rule": time.rule, "instant": time.instant}
