"""Facts about staff: a source's record is merged, attached to a person, and that person's deadlines are armed."""

import msgspec

from schemas.access.facts import Fact
from streams.core.access.checks import deadlines
from streams.core.access.facts.effect import Effect
from streams.core.access.state import staff
from streams.core.access.state.fields import with_asserted
from streams.core.access.state.references import index_person
from streams.core.access.state.rows import FactReference, PersonRow, StaffRecord
from streams.core.access.state.staff import StaffMember, staff_member
from streams.core.access.state.tenant import TenantState


def record(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `staff.record`."""
    return observed(state, fact, source, fact.time or 0, now)


def observed(
    state: TenantState, fact: Fact, source: FactReference, time: int, now: int, *, snapshot: str | None = None
) -> Effect:
    """Apply a source's record as of `time` (ms, the source's clock); one from a complete snapshot is marked with it."""
    data = fact.record
    assert data is not None
    before = state.records.get(data.source, data.record)
    person = (state.people.get(before.person) if before else None) or staff.owner(state, fact, data)
    after = staff.merge_record(before, person.id, fact, data, time=time, source=source, snapshot=snapshot)
    if before is not None and after.fields == before.fields:
        if after.snapshot != before.snapshot:
            state.records.put(msgspec.structs.replace(before, snapshot=after.snapshot), data.source, data.record)
        return Effect("superseded")
    return _put(state, person, after, now)


def withdrawn(state: TenantState, record: StaffRecord, fact: Fact, time: int, now: int) -> Effect:
    """Apply a record's absence from a complete snapshot of its source, as of the snapshot's request."""
    person = state.people.get(record.person)
    fields = with_asserted(record.fields, {"withdrawn": True}, time, fact.id)
    if person is None or fields == record.fields:
        return Effect("superseded")
    return _put(state, person, msgspec.structs.replace(record, fields=fields), now)


def _put(state: TenantState, person: PersonRow, record: StaffRecord, now: int) -> Effect:
    before = _member(state, person)
    key = (record.source, record.id)
    attached = msgspec.structs.replace(person, records=person.records if key in person.records else (*person.records, key))
    state.records.put(record, *key)
    state.people.put(attached, person.id)
    after = _member(state, attached)
    deadlines.arm_person(state, person.id, after, now)
    _count(state, before, after)
    return Effect("applied", accounts=index_person(state, attached, before, after))


def _member(state: TenantState, person: PersonRow) -> StaffMember | None:
    return staff_member((record for key in person.records if (record := state.records.get(*key))), person.id)


def _count(state: TenantState, before: StaffMember | None, after: StaffMember | None) -> None:
    difference = (after is not None) - (before is not None)
    if difference:
        state.log = msgspec.structs.replace(state.log, people=state.log.people + difference)
