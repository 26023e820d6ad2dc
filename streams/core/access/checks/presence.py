"""Is a teammate present? Decided by added and removed events and by complete snapshots, in whatever order they arrive.

The wire gives seconds, so of events within one second none is the later: they contradict each other where they differ. A snapshot
lists a teammate, or lacks one, at the time of its request; lacking ends a presence, and is no explicit removal.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final, NamedTuple

import msgspec

from streams.core.access.state.rows import AccountRow
from streams.core.access.state.values import PresenceEvent, TeammateSnapshot

REMEMBERED: Final = 32  # events per account: far more than any teammate has, and a bound for a faulty source
SECOND: Final = 1000  # ms
YOUNGER_BY: Final = 120 * SECOND  # a snapshot overrules no explicit event that is younger than its request less this


class Period(NamedTuple):
    """One presence: from being added until being removed, or until now. `removed_before` is the time of the removal before it."""

    start: PresenceEvent
    end: PresenceEvent | None
    removed_before: int | None = None


class Presence(NamedTuple):
    """The state of an account: `period` is the present presence, or the one that a contradiction at `unsettled` (ms) interrupts."""

    period: Period | None
    unsettled: PresenceEvent | None = None
    removed: PresenceEvent | None = None  # what ended the last presence, where none lasts


def with_presence_event(account: AccountRow, event: PresenceEvent) -> AccountRow | None:
    """Return the account with one more added or removed event, or None where it is known already, or older than all remembered ones."""
    known = account.presence_events
    if any(each.source.fact == event.source.fact for each in known):
        return None
    if len(known) >= REMEMBERED and _order(event) < _order(known[0]):
        return None
    return msgspec.structs.replace(account, presence_events=tuple(sorted((*known, event), key=_order))[-REMEMBERED:])


def with_seen(account: AccountRow, event: PresenceEvent) -> AccountRow | None:
    """Return the account with the earliest event that merely shows it, or None where that is known already."""
    if account.seen is not None and _order(account.seen) <= _order(event):
        return None
    return msgspec.structs.replace(account, seen=event)


def timeline(account: AccountRow, snapshots: Iterable[TeammateSnapshot] = ()) -> list[PresenceEvent]:
    """Return all that decides the presence, in order of time: explicit events, snapshots, and without both the earliest sight.

    A snapshot counts unless an explicit event is younger than its request less two minutes, and not younger than the request. A mere
    sight counts where no explicit event is known, and no snapshot before it lists the account.
    """
    explicit = [event for event in account.presence_events if not event.snapshot]
    times = [event.time for event in explicit]
    listings = [event for event in _listings(account, snapshots) if not _is_overruled(event.time, times)]
    sight = account.seen if not explicit else None
    if sight is not None and any(each.added and each.time <= sight.time for each in listings):
        sight = None
    return sorted((*explicit, *listings, *([sight] if sight else [])), key=_order)


def _listings(account: AccountRow, snapshots: Iterable[TeammateSnapshot]) -> Iterable[PresenceEvent]:
    yield from (event for event in account.presence_events if event.snapshot)
    for each in snapshots:
        yield PresenceEvent(each.requested, each.number in account.listed, each.source, snapshot=True)


def _is_overruled(requested: int, explicit: Sequence[int]) -> bool:
    """Say whether one of these times, in order, is at or before the request, and younger than it less two minutes."""
    return bisect_right(explicit, requested) > bisect_right(explicit, requested - YOUNGER_BY)


def without_snapshot(account: AccountRow, snapshots: Sequence[TeammateSnapshot], forgotten: TeammateSnapshot) -> AccountRow:
    """Return the account as it reads without one of these snapshots: what its presence rests on of it becomes an event of its own."""
    left = [each for each in snapshots if each.number != forgotten.number]
    listed = tuple(number for number in account.listed if number != forgotten.number)
    after = account if listed == account.listed else msgspec.structs.replace(account, listed=listed)
    if _reading(account, snapshots) == _reading(after, left):
        return after
    event = PresenceEvent(forgotten.requested, forgotten.number in account.listed, forgotten.source, snapshot=True)
    events = tuple(sorted((*after.presence_events, event), key=_order))[-REMEMBERED:]
    return msgspec.structs.replace(after, presence_events=events)


def _reading(account: AccountRow, snapshots: Sequence[TeammateSnapshot]) -> object:
    return presence_of(account, snapshots), periods(timeline(account, snapshots))


def periods(events: Sequence[PresenceEvent]) -> list[Period]:
    """Return the presences in a timeline, oldest first. A second `added` within one, and a second `removed` after one, change nothing.

    A second with both ends a presence; it begins none, and it is no removal. Neither is a snapshot that lacks the account.
    """
    found: list[Period] = []
    removed: int | None = None
    for same in _groups(events):
        open_now = bool(found) and found[-1].end is None
        added, gone = ([each for each in same if each.added is wanted] for wanted in (True, False))
        if gone and open_now:
            found[-1] = found[-1]._replace(end=gone[0])
        if gone and not added and not gone[0].snapshot:
            removed = gone[0].time
        if added and not gone and not open_now:
            found.append(Period(added[0], None, removed))
    return found


def _groups(events: Sequence[PresenceEvent]) -> list[list[PresenceEvent]]:
    """Group the explicit events of one second; each snapshot is a group of its own."""
    groups = groupby(enumerate(events), key=lambda each: (each[1].time // SECOND, each[0] if each[1].snapshot else -1))
    return [[event for _, event in group] for _, group in groups]


def presence_of(account: AccountRow, snapshots: Sequence[TeammateSnapshot] = ()) -> Presence:
    """Return whether the account is present, by its events and the remembered snapshots of its workspace."""
    events = timeline(account, snapshots)
    if not events:
        return Presence(None)
    last = _groups(events)[-1]
    if len({each.added for each in last}) > 1:
        return Presence(_interrupted(account, snapshots, last[0]), unsettled=last[0])
    every = periods(events)
    if every and every[-1].end is None:
        return Presence(every[-1])
    return Presence(None, removed=_first_of_run(events, every[-1].end if every else None))


def _interrupted(account: AccountRow, snapshots: Sequence[TeammateSnapshot], contradiction: PresenceEvent) -> Period | None:
    """Return the presence before the second of a contradiction."""
    second = contradiction.time // SECOND
    before = msgspec.structs.replace(
        account,
        presence_events=tuple(
            event
            for event in account.presence_events
            if (event.time < contradiction.time if event.snapshot else event.time // SECOND < second)
        ),
        seen=account.seen if account.seen is not None and account.seen.time // SECOND < second else None,
    )
    earlier = presence_of(before, [each for each in snapshots if each.requested < contradiction.time])
    return earlier.period if earlier.unsettled is None else None


def _first_of_run(events: Sequence[PresenceEvent], end: PresenceEvent | None) -> PresenceEvent:
    """Return the first removal of the last unbroken run of removals; a snapshot is one where it ended the presence (`end`)."""
    first = events[-1]
    for event in reversed(events):
        if event.added:
            break
        if not event.snapshot or event == end:
            first = event
    return first


def _order(event: PresenceEvent) -> tuple[int, int, str]:
    """Order by time; at the same time a removal comes last, but a snapshot that lists the account after one that lacks it."""
    return (event.time, 1 + event.added if event.snapshot else int(not event.added), event.source.fact)
