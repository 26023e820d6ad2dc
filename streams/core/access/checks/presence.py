"""Is a teammate present? Decided by the added and removed events in order of the source's clock, whatever order they arrived in."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from streams.core.access.state.rows import AccountRow, PresenceEvent

REMEMBERED: Final = 32  # events per account: far more than any teammate has, and a bound for a faulty source


class Period(NamedTuple):
    """One presence: from being added until being removed, or until now."""

    start: PresenceEvent
    end: PresenceEvent | None


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
    """Return the presences, oldest first. A second `added` within one, and a second `removed` after one, change nothing."""
    found: list[Period] = []
    for event in events:
        open_now = bool(found) and found[-1].end is None
        if event.added and not open_now:
            found.append(Period(event, None))
        elif not event.added and open_now:
            found[-1] = Period(found[-1].start, event)
    return found


def current_presence(account: AccountRow) -> Period | None:
    """Return the presence that has not ended, or None."""
    if not account.presence_events:
        return None if account.seen is None else Period(account.seen, None)
    all_periods = periods(account.presence_events)
    return all_periods[-1] if all_periods and all_periods[-1].end is None else None


def unsettled(account: AccountRow) -> bool:
    """Say whether the latest events contradict each other: added and removed in the same second, which the wire cannot order."""
    latest = [each for each in account.presence_events if each.time == account.presence_events[-1].time]
    return len({each.added for each in latest}) > 1


def _order(event: PresenceEvent) -> tuple[int, bool, str]:
    """Order by time; at the same time a removal comes last (DESIGN section 5: detach before attach)."""
    return (event.time, not event.added, event.source.fact)
