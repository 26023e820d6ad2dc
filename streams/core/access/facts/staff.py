"""Facts about staff: a source's record is merged, attached to a person, and that person's timer set to when employment will end."""

import msgspec

from schemas.access.facts import Fact
from streams.core.access.facts.teammates import Effect
from streams.core.access.state import staff
from streams.core.access.state.fields import with_asserted
from streams.core.access.state.references import index_person
from streams.core.access.state.rows import FactReference, PersonRow, StaffRecord, Timer
from streams.core.access.state.staff import StaffMember, staff_member
from streams.core.access.state.tenant import State


def record(state: State, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `staff.record`."""
    return observed(state, fact, source, fact.time or 0, now)


def observed(state: State, fact: Fact, source: FactReference, time: int, now: int, *, listing: str | None = None) -> Effect:
    """Apply a source's record as of `time`, by the source's clock; one from a complete listing is marked with it."""
    said = fact.record
    assert said is not None
    before = state.record((said.source, said.record))
    person = (state.person(before.person) if before else None) or staff.owner(state, fact, said)
    after = staff.merge_record(before, person.id, fact, said, time=time, source=source, listing=listing)
    if before is not None and after.fields == before.fields:
        if after.snapshot != before.snapshot:
            state.put_record(msgspec.structs.replace(before, snapshot=after.snapshot))
        return Effect("superseded")
    return _put(state, person, after, now)


def withdrawn(state: State, record: StaffRecord, fact: Fact, time: int, now: int) -> Effect:
    """Apply a record's absence from a complete listing of its source, as of the listing's request."""
    person = state.person(record.person)
    fields = with_asserted(record.fields, {"withdrawn": True}, time, fact.id)
    if person is None or fields == record.fields:
        return Effect("superseded")
    return _put(state, person, msgspec.structs.replace(record, fields=fields), now)


def _put(state: State, person: PersonRow, row: StaffRecord, now: int) -> Effect:
    was = _member(state, person)
    key = (row.source, row.id)
    records = person.records if key in person.records else (*person.records, key)
    attached = msgspec.structs.replace(person, records=records)
    state.put_record(row)
    is_now = _member(state, attached)
    state.put_person(_arm_timer(state, attached, is_now, now))
    _count(state, was, is_now)
    return Effect("applied", accounts=index_person(state, attached, was, is_now))


def _member(state: State, person: PersonRow) -> StaffMember | None:
    return staff_member((found for key in person.records if (found := state.record(key))), person.id)


def _arm_timer(state: State, person: PersonRow, found: StaffMember | None, now: int) -> PersonRow:
    """Wait for the end of employment, where it lies ahead."""
    ends = found.ends if found and found.ends is not None and found.ends > now else None
    if ends == person.timer:
        return person
    if person.timer is not None:
        state.disarm(person.timer, person.id)
    if ends is not None and found is not None and found.ending is not None:
        state.arm(ends, Timer(person.id, found.ending.ending.fact))
    return msgspec.structs.replace(person, timer=ends)


def _count(state: State, was: StaffMember | None, is_now: StaffMember | None) -> None:
    difference = (is_now is not None) - (was is not None)
    if difference:
        log = state.log()
        state.put_log(msgspec.structs.replace(log, people=log.people + difference))
