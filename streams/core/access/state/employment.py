"""Employment as it was asserted until an instant, from the histories of a person's records: whatever order facts come in."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from streams.core.access.state.history import Moment, moments, until
from streams.core.access.state.person import Person
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.row_kinds.staff_rows import StaffRecord
from streams.core.access.state.staff import ENDED, Record
from streams.core.access.state.staff_reader import StaffReader
from streams.core.access.state.values import DatedName


def end_at(reader: StaffReader, person: Person, at: int, source: str | None) -> int | None:
    """Return the end of employment as asserted until an instant (ms), by one source where one is decided to be right."""
    rows = [row for record in person.records if (row := as_of(record.row, at)) and source in (None, row.source)]
    return min((end.instant for row in rows if (end := reader.end_of(row, at)) is not None), default=None)


def as_of(row: StaffRecord, at: int) -> StaffRecord | None:
    """Return a staff record with what was asserted until an instant (ms) alone; None where it was not observed until then."""
    sights = tuple(time for time in row.sights if time <= at)
    if not sights:
        return None
    lacked = tuple(time for time in row.lacked if time <= at)
    return msgspec.structs.replace(
        row, sights=sights, lacked=lacked, status=until(row.status, at), ends=until(row.ends, at), roles=until(row.roles, at)
    )


def changes_of(reader: StaffReader, person: Person) -> set[int]:
    """Return the times (ms) at which what a person's records say of employment can have changed."""
    times = set[int]()
    for record in person.records:
        absences = [*record.row.lacked, *reader.requests(record.key[0])] if record.absence_ends else []
        times |= _changes(record.row, absences)
    return times


def employed_since(reader: StaffReader, person: Person, made: Sequence[DatedName], rules: str) -> int | None:
    """Return when somebody who had left was employed again (ms); None where nobody says that they had.

    That is when an end that had come was taken back, or when a decision, or the settings, let it count no more. An end that was corrected
    to a later day never came. `made` are the decisions which source is right, in the order of the log.
    """
    again = [since for record in person.records if (since := _absence_counts_no_more(reader, record, rules)) is not None]
    if any(_may_have_left(record) for record in person.records):
        dates = {each.date for each in made}
        held: int | None = None
        for time in sorted(changes_of(reader, person) | dates):
            source = next((each.name for each in reversed(made) if each.date <= time), None)
            end = end_at(reader, person, time, source)
            had_left = held is not None and held < time
            if had_left and (end is None or (time in dates and end > time)):
                again.append(time)
            held = end
    return max(again, default=None)


def _may_have_left(record: Record) -> bool:
    """Say whether a record ever asserted an end, as few do."""
    row = record.row
    ends = any(each.value is not None for each in row.ends) or any(each.value == ENDED for each in row.status)
    return ends or record.absence_ends


def _absence_counts_no_more(reader: StaffReader, record: Record, rules: str) -> int | None:
    """Return the date of the settings by which a record's absence is no end any more. By the rules of version 5 it was absent then."""
    certain = follows(rules, WITH_DOUBT)
    if record.absence_ends or (record.withdrawn is None and not certain):
        return None
    since = reader.settings.since(f"absence|{record.key[0]}")
    return since if since is not None and (not certain or _was_absent(reader, record, since)) else None


def _was_absent(reader: StaffReader, record: Record, at: int) -> bool:
    """Say whether a record was withdrawn just before an instant (ms): a list of its source had lacked it since it was observed last."""
    last = max((time for time in record.row.sights if time < at), default=at)
    lacked = any(last < time < at for time in (*record.row.lacked, *reader.requests(record.key[0])))
    return lacked or (record.withdrawn is not None and record.withdrawn < at)


def _changes(row: StaffRecord, requests: Sequence[int]) -> set[int]:
    """Return the times (ms) at which what a record says of employment can have changed.

    Those are the assertions of an end or a status that differ from the one before, the first status after an end has come, which can
    employ again, and, of its source's complete lists, their `requests` and the sights that follow.
    """
    ends, status = moments(row.ends), moments(row.status)
    found = {row.sights[0], *(each.time for history in (ends, status) for each in _differing(history))}
    for moment in ends:
        instants = [instant for instant in moment.values if instant is not None]
        later = [each.time for each in status if instants and each.time > moment.time and each.time >= min(instants)]
        found |= set(later[:1])
    return found | {time for request in requests for time in (request, *[sight for sight in row.sights if sight > request][:1])}


def _differing(history: Sequence[Moment]) -> Iterable[Moment]:
    before: Any = None
    for moment in history:
        if moment.values != before:
            yield moment
        before = moment.values
