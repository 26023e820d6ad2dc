"""Employment as it was asserted until an instant, from the histories of a person's records: whatever order facts come in."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import msgspec

from streams.core.access.state.history import Moment, moments, until
from streams.core.access.state.person import Person
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.row_kinds.staff_rows import StaffRecord
from streams.core.access.state.rows import SourceChoice
from streams.core.access.state.staff import ENDED, WITHDRAWN, Record, lacking_times
from streams.core.access.state.staff_reader import StaffReader
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import DatedName, name_at


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


def standing(made: Iterable[tuple[str, DatedName]]) -> list[DatedName]:
    """Return decisions which source is right, each with the source that is right behind it. One that takes back that about an id leaves those about others."""
    last: dict[str, DatedName] = {}
    found = []
    for id_, each in made:
        last[id_] = each
        right = max((other for other in last.values() if other.name is not None), key=lambda other: other.offset, default=each)
        found.append(each._replace(name=right.name))
    return found


def choices_made(state: TenantState, ids: Iterable[str]) -> list[DatedName]:
    """Return which source each decision about the employment of who has these ids let be right, in the order of the log."""
    rows = {id_: row for id_ in ids if (row := state.choices.get(id_)) is not None}
    made = sorted(((id_, each) for id_, row in rows.items() for each in row.made), key=lambda each: each[1].offset)
    return standing(made) if follows(state.rules_version, WITH_DOUBT) else [each for _, each in made]


def choice_of(state: TenantState, ids: Sequence[str]) -> tuple[SourceChoice | None, int | None]:
    """Return the decision which source is right about who has these ids; without one, since when none is (ms)."""
    choice = state.choice_of(ids)
    if not follows(state.rules_version, WITH_DOUBT):
        return choice, state.undecided_since(ids)
    since = right_since(choices_made(state, ids))
    return (None, since) if choice is None else (msgspec.structs.replace(choice, since=since), None)


def right_since(made: Sequence[DatedName]) -> int | None:
    """Return since when the source has been right that is, or none after one was (ms), by decisions as `standing` gives them.

    None where no source ever was. A decision that leaves things as they stand dates nothing.
    """
    changes = [each for before, each in zip([None, *(each.name for each in made)], made, strict=False) if each.name != before]
    return changes[-1].date if changes else None


def employed_since(reader: StaffReader, person: Person, made: Sequence[DatedName], rules: str) -> int | None:
    """Return when somebody who had left was employed again (ms); None where nobody says that they had.

    That is when an end that had come was taken back, or when a decision, or the settings, let it count no more. An end that was corrected
    to a later day never came. `made` are the decisions which source is right, in the order of the log.
    """
    if not follows(rules, WITH_DOUBT):
        return _employed_by_former_rules(reader, person, made)
    away = [each for record in person.records for each in _absences(reader, record)]
    meant = {source: reader.settings.absences(source) for source in person.sources} if away else {}
    decided = {each.date for history in (made, *meant.values()) for each in history}

    def has_left(at: int) -> bool:
        source = name_at(made, at)
        held = [
            each for each in away if each.begun <= at and (each.over is None or at < each.over) and source in (None, each.source)
        ]
        return any(not each.lacked or reader.settings.absence_ends(each.source, at) for each in held)

    times = decided | {each.over for each in away if each.over is not None} if away else ()
    for time in sorted(times, reverse=True):
        if (
            has_left(time - 1)
            and not has_left(time)
            and (time in decided or end_at(reader, person, time, name_at(made, time)) is None)
        ):
            return time
    return None


class Absence(NamedTuple):
    """From when until when (ms; None: until now) employment had ended by a record: by an end or a status, or since lists of its `source` `lacked` it."""

    source: str
    begun: int
    over: int | None
    lacked: bool = False


def _absences(reader: StaffReader, record: Record) -> list[Absence]:
    """Return when employment had ended by a record: from the instants of its ends, whenever they were asserted, until they were taken back."""
    row, source = record.row, record.key[0]
    found: list[Absence] = []
    if _asserts_end(row):
        status = moments(tuple(each for each in row.status if each.value not in (None, "", WITHDRAWN)))
        found += [Absence(source, *period) for period in (*_periods(status, ENDED), *_dated(moments(row.ends), status))]
    if reader.settings.absences(source):  # else its absence never was an end
        gone = moments(tuple(each for each in row.status if each.value))
        found += [Absence(source, *period, lacked=True) for period in _periods(gone, WITHDRAWN)]
        for time in lacking_times(row, reader.snapshots(source)):
            found.append(Absence(source, time, min((sight for sight in row.sights if sight >= time), default=None), lacked=True))
    return found


def _periods(status: Sequence[Moment], value: str) -> Iterator[tuple[int, int | None]]:
    """Yield from when until when a status was this value, alone or not."""
    begun: int | None = None
    for moment in status:
        if value in moment.values:
            begun = moment.time if begun is None else begun
        elif begun is not None:
            yield begun, moment.time
            begun = None
    if begun is not None:
        yield begun, None


def _dated(ends: Sequence[Moment], status: Sequence[Moment]) -> Iterator[tuple[int, int | None]]:
    """Yield from when until when an end that was asserted held.

    It is over with the next assertion, or with the first status after it, once it had come, by which somebody is employed.
    """
    for moment, following in zip_longest(ends, ends[1:]):
        instants = [instant for instant in moment.values if instant is not None]
        if not instants:
            continue
        begun, until_then = min(instants), following.time if following else None
        employed = (each.time for each in status if each.time > moment.time and each.time >= begun and ENDED not in each.values)
        again = next((time for time in employed if until_then is None or time < until_then), None)
        others = [instant for instant in following.values if instant is not None] if following else []
        if again is None and others and min(others) > begun:
            continue  # corrected to a later day
        over = until_then if again is None else again
        if over is None or begun < over:
            yield begun, over


def _employed_by_former_rules(reader: StaffReader, person: Person, made: Sequence[DatedName]) -> int | None:
    """Return what `employed_since` does by the rules of version 4: ends count from when they were asserted, and settings whatever they decide."""
    again = [since for record in person.records if (since := _absence_counts_no_more(reader, record)) is not None]
    if any(record.absence_ends or _asserts_end(record.row) for record in person.records):
        dates = {each.date for each in made}
        held: int | None = None
        for time in sorted(changes_of(reader, person) | dates):
            source = name_at(made, time)
            end = end_at(reader, person, time, source)
            had_left = held is not None and held < time
            if had_left and (end is None or (time in dates and end > time)):
                again.append(time)
            held = end
    return max(again, default=None)


def _asserts_end(row: StaffRecord) -> bool:
    """Say whether a record ever asserted an end, as few do."""
    return any(each.value is not None for each in row.ends) or any(each.value == ENDED for each in row.status)


def _absence_counts_no_more(reader: StaffReader, record: Record) -> int | None:
    """Return the date of the settings by which a record's absence is no end any more."""
    return None if record.withdrawn is None or record.absence_ends else reader.settings.since(f"absence|{record.key[0]}")


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
