"""When grants cover what they were given for: without a break since when, or until when the last of them did."""

from collections.abc import Iterable, Sequence
from math import inf
from typing import NamedTuple


class GrantPeriod(NamedTuple):
    """When a grant is in force: from `starts` on, before `ends` (ms), which is dated `ended`: a fact may be dated ahead of log time."""

    starts: int
    ends: float
    ended: float


class Cover(NamedTuple):
    """Since when (ms) grants cover an instant without a break, or when the last one ended; neither where none ever began."""

    begun: int | None = None
    ended: int | None = None


def grant_period(starts: int, expires: int | None, dates: Iterable[int | None], at: int) -> GrantPeriod | None:
    """Return when a grant is in force as known at an instant (ms), None where it has not begun.

    `dates` are those of facts that ended it: whatever they are, it has ended by now.
    """
    known = [date for date in dates if date is not None]
    until = inf if expires is None else expires
    period = GrantPeriod(starts, min([until, *(min(date, at) for date in known)]), min([until, *known]))
    return period if starts <= at and starts < period.ended else None


def cover(periods: Sequence[GrantPeriod], at: int) -> Cover:
    """Return the cover of an instant (ms) by grants that have begun."""
    begun, over = 0, -inf
    for period in sorted(periods):
        begun, over = begun if period.starts <= over else period.starts, max(over, period.ends)
    if over > at:
        return Cover(begun=begun)
    return Cover(ended=int(max(period.ended for period in periods if period.ends == over))) if periods else Cover()
