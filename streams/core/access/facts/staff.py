"""Facts about staff: a source's record is merged, attached to a person, and that person's timer set to when employment will end."""

import msgspec

from schemas.access.facts import Fact
from streams.core.access.facts.teammates import Touched
from streams.core.access.state import staff
from streams.core.access.state.fields import asserted
from streams.core.access.state.references import tie_person
from streams.core.access.state.rows import Due, Person, Record, Source
from streams.core.access.state.staff import Member, member
from streams.core.access.state.tenant import State


def record(state: State, fact: Fact, source: Source, now: int) -> Touched:
    """Apply `staff.record`."""
    return observed(state, fact, source, fact.time or 0, now)


def observed(state: State, fact: Fact, source: Source, time: int, now: int, *, listing: str | None = None) -> Touched:
    """Apply a source's record as of `time`, by the source's clock; one from a complete listing is marked with it."""
    said = fact.record
    assert said is not None
    before = state.record((said.source, said.record))
    person = (state.person(before.person) if before else None) or staff.owner(state, fact, said)
    after = staff.merged(before, person.id, fact, said, time=time, source=source, listing=listing)
    if before is not None and after.fields == before.fields:
        if after.listed != before.listed:
            state.put_record(msgspec.structs.replace(before, listed=after.listed))
        return Touched("superseded")
    return _put(state, person, after, now)


def withdrawn(state: State, record: Record, fact: Fact, time: int, now: int) -> Touched:
    """Apply a record's absence from a complete listing of its source, as of the listing's request."""
    person = state.person(record.person)
    fields = asserted(record.fields, {"withdrawn": True}, time, fact.id)
    if person is None or fields == record.fields:
        return Touched("superseded")
    return _put(state, person, msgspec.structs.replace(record, fields=fields), now)


def _put(state: State, person: Person, row: Record, now: int) -> Touched:
    was = _member(state, person)
    key = (row.source, row.id)
    records = person.records if key in person.records else (*person.records, key)
    attached = msgspec.structs.replace(person, records=records)
    state.put_record(row)
    is_now = _member(state, attached)
    state.put_person(_timed(state, attached, is_now, now))
    _count(state, was, is_now)
    return Touched("applied", accounts=tie_person(state, attached, was, is_now))


def _member(state: State, person: Person) -> Member | None:
    return member((found for key in person.records if (found := state.record(key))), person.id)


def _timed(state: State, person: Person, found: Member | None, now: int) -> Person:
    """Wait for the end of employment, where it lies ahead."""
    ends = found.ends if found and found.ends is not None and found.ends > now else None
    if ends == person.armed:
        return person
    if person.armed is not None:
        state.disarm(person.armed, person.id)
    if ends is not None and found is not None and found.ending is not None:
        state.arm(ends, Due(person.id, found.ending.ending.fact))
    return msgspec.structs.replace(person, armed=ends)


def _count(state: State, was: Member | None, is_now: Member | None) -> None:
    difference = (is_now is not None) - (was is not None)
    if difference:
        log = state.log()
        state.put_log(msgspec.structs.replace(log, people=log.people + difference))
