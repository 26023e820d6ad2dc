"""Is a teammate there? Decided by what was said to be added and removed, by the source's clock, whatever order it was heard in."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from streams.core.access.state.rows import AccountRow, PresenceEvent

REMEMBERED: Final = 32  # sightings per account: far more than anybody is added and removed, and a bound for a source gone mad


class Period(NamedTuple):
    """One stay: from being added until being removed, or until now."""

    start: PresenceEvent
    end: PresenceEvent | None


def with_presence_event(account: AccountRow, sighting: PresenceEvent) -> AccountRow | None:
    """Return the account with one more added or removed, or None where that is known already, or older than all that is kept."""
    known = account.presence_events
    if any(each.source.fact == sighting.source.fact for each in known):
        return None
    if len(known) >= REMEMBERED and _order(sighting) < _order(known[0]):
        return None
    return msgspec.structs.replace(account, presence_events=tuple(sorted((*known, sighting), key=_order))[-REMEMBERED:])


def with_seen(account: AccountRow, sighting: PresenceEvent) -> AccountRow | None:
    """Return the account with its earliest mere sighting, or None where nothing is new: seen creates, and never brings back."""
    if account.seen is not None and _order(account.seen) <= _order(sighting):
        return None
    return msgspec.structs.replace(account, seen=sighting)


def periods(sightings: Sequence[PresenceEvent]) -> list[Period]:
    """Return the stays, oldest first. A second `added` within a stay, and a second `removed` after one, change nothing."""
    found: list[Period] = []
    for sighting in sightings:
        open_now = bool(found) and found[-1].end is None
        if sighting.added and not open_now:
            found.append(Period(sighting, None))
        elif not sighting.added and open_now:
            found[-1] = Period(found[-1].start, sighting)
    return found


def current_presence(account: AccountRow) -> Period | None:
    """Return the stay that lasts, or None."""
    if not account.presence_events:
        return None if account.seen is None else Period(account.seen, None)
    stays = periods(account.presence_events)
    return stays[-1] if stays and stays[-1].end is None else None


def unsettled(account: AccountRow) -> bool:
    """Say whether the last word is a contradiction: added and removed in the same second, which the wire cannot order."""
    last = [each for each in account.presence_events if each.time == account.presence_events[-1].time]
    return len({each.added for each in last}) > 1


def removed(account: AccountRow) -> PresenceEvent | None:
    """Return the removal that ended the last stay, or None."""
    removals = [each for each in account.presence_events if not each.added]
    return removals[-1] if removals else None


def _order(sighting: PresenceEvent) -> tuple[int, bool, str]:
    """Order by time; at the same time a removal comes last (DESIGN section 5: detach before attach)."""
    return (sighting.time, not sighting.added, sighting.source.fact)
