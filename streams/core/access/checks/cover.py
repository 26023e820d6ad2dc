"""When grants cover what they were given for: without a break since when, or until when the last of them did."""

from collections.abc import Iterable, Sequence
from math import inf
from typing import NamedTuple


class GrantPeriod(NamedTuple):
    """When a grant is in force: from `starts` on, before `ends` (ms). One that was `stopped` by a fact is in force no more.

    So it is also where the fact is dated ahead of log time: it ends at that date, whatever order facts come in.
    """

    starts: int
    ends: float
    stopped: bool = False

    def holds(self, at: int) -> bool:
        """Say whether the grant is in force at an instant (ms) that it has begun by."""
        return at < self.ends and not self.stopped


class Cover(NamedTuple):
    """Since when (ms) grants cover an instant without a break, or when the last one ended; neither where none ever began."""

    begun: int | None = None
    ended: int | None = None


def grant_period(starts: int, expires: int | None, stopped: Iterable[int | None], at: int) -> GrantPeriod | None:
    """Return when a grant is in force, None where it has not begun by an instant (ms). `stopped` are dates of facts that stop it."""
    dates = [date for date in stopped if date is not None]
    ends = min([inf if expires is None else expires, *dates])
    return GrantPeriod(starts, ends, bool(dates)) if starts <= at and starts < ends else None


def cover(periods: Sequence[GrantPeriod], at: int) -> Cover:
    """Return the cover of an instant (ms) by grants that have begun."""
    begun, over, covered_since = 0, -inf, None
    for period in sorted(periods):
        begun, over = begun if period.starts <= over else period.starts, max(over, period.ends)
        covered_since = begun if covered_since is None and period.holds(at) else covered_since
    if covered_since is not None:
        return Cover(begun=covered_since)
    return Cover(ended=int(over)) if periods else Cover()
