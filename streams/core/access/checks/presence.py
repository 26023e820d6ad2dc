"""Is a teammate present? Decided by the added and removed events, by the second of the source's clock, in whatever order they arrive.

The wire gives seconds, so of events within one second none is the later: they contradict each other where they differ.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final, NamedTuple

import msgspec

from streams.core.access.state.rows import AccountRow
from streams.core.access.state.values import PresenceEvent

REMEMBERED: Final = 32  # events per account: far more than any teammate has, and a bound for a faulty source
SECOND: Final = 1000  # ms


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


def periods(events: Sequence[PresenceEvent]) -> list[Period]:
    """Return the presences, oldest first. A second `added` within one, and a second `removed` after one, change nothing.

    A second with both ends a presence; it begins none, and it is no removal.
    """
    found: list[Period] = []
    removed: int | None = None
    for _, group in groupby(events, key=lambda event: event.time // SECOND):
        same = list(group)
        open_now = bool(found) and found[-1].end is None
        added, gone = ([each for each in same if each.added is wanted] for wanted in (True, False))
        if gone and open_now:
            found[-1] = found[-1]._replace(end=gone[0])
        if gone and not added:
            removed = gone[0].time
        if added and not gone and not open_now:
            found.append(Period(added[0], None, removed))
    return found


def presence_of(account: AccountRow) -> Presence:
    """Return whether the account is present. Without an added or removed event, it is since it was first seen."""
    events = account.presence_events
    if not events:
        return Presence(None if account.seen is None else Period(account.seen, None))
    last = [each for each in events if each.time // SECOND == events[-1].time // SECOND]
    if len({each.added for each in last}) > 1:
        before = msgspec.structs.replace(account, presence_events=events[: -len(last)])
        if not before.presence_events and account.seen is not None and account.seen.time // SECOND >= last[0].time // SECOND:
            return Presence(None, unsettled=last[0])
        earlier = presence_of(before)
        return Presence(earlier.period if earlier.unsettled is None else None, unsettled=last[0])
    every = periods(events)
    if every and every[-1].end is None:
        return Presence(every[-1])
    return Presence(None, removed=_first_of_run(events))


def _first_of_run(events: Sequence[PresenceEvent]) -> PresenceEvent:
    """Return the first removal of the last unbroken run of removals."""
    first = events[-1]
    for event in reversed(events):
        if event.added:
            break
        first = event
    return first


def _order(event: PresenceEvent) -> tuple[int, bool, str]:
    """Order by time; at the same time a removal comes last."""
    return (event.time, not event.added, event.source.fact)
