"""Is a teammate there? Decided by what was said to be added and removed, by the source's clock, whatever order it was heard in."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from streams.core.access.state.rows import Account, Sighting

REMEMBERED: Final = 32  # sightings per account: far more than anybody is added and removed, and a bound for a source gone mad


class Span(NamedTuple):
    """One stay: from being added until being removed, or until now."""

    start: Sighting
    end: Sighting | None


def with_sighting(account: Account, sighting: Sighting) -> Account | None:
    """Return the account with one more added or removed, or None where that is known already, or older than all that is kept."""
    known = account.sightings
    if any(each.source.fact == sighting.source.fact for each in known):
        return None
    if len(known) >= REMEMBERED and _order(sighting) < _order(known[0]):
        return None
    return msgspec.structs.replace(account, sightings=tuple(sorted((*known, sighting), key=_order))[-REMEMBERED:])


def with_seen(account: Account, sighting: Sighting) -> Account | None:
    """Return the account with its earliest mere sighting, or None where nothing is new: seen creates, and never brings back."""
    if account.seen is not None and _order(account.seen) <= _order(sighting):
        return None
    return msgspec.structs.replace(account, seen=sighting)


def spans(sightings: Sequence[Sighting]) -> list[Span]:
    """Return the stays, oldest first. A second `added` within a stay, and a second `removed` after one, change nothing."""
    found: list[Span] = []
    for sighting in sightings:
        open_now = bool(found) and found[-1].end is None
        if sighting.added and not open_now:
            found.append(Span(sighting, None))
        elif not sighting.added and open_now:
            found[-1] = Span(found[-1].start, sighting)
    return found


def present(account: Account) -> Span | None:
    """Return the stay that lasts, or None."""
    if not account.sightings:
        return None if account.seen is None else Span(account.seen, None)
    stays = spans(account.sightings)
    return stays[-1] if stays and stays[-1].end is None else None


def unsettled(account: Account) -> bool:
    """Say whether the last word is a contradiction: added and removed in the same second, which the wire cannot order."""
    last = [each for each in account.sightings if each.time == account.sightings[-1].time]
    return len({each.added for each in last}) > 1


def gone(account: Account) -> Sighting | None:
    """Return the removal that ended the last stay, or None."""
    removals = [each for each in account.sightings if not each.added]
    return removals[-1] if removals else None


def _order(sighting: Sighting) -> tuple[int, bool, str]:
    """Order by time; at the same time a removal comes last (DESIGN section 5: detach before attach)."""
    return (sighting.time, not sighting.added, sighting.source.fact)
