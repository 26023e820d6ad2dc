"""Counts of activities with their first and last times."""

from collections.abc import Iterable

from schemas.activities.messages import Totals


def with_one(totals: Totals | None, time: int) -> Totals:
    """Return totals with one activity more."""
    if totals is None:
        return Totals(1, time, time)
    return Totals(totals.number + 1, min(totals.first, time), max(totals.last, time))


def with_each(totals: Totals | None, time: int, *others: int) -> Totals:
    """Return totals with one activity more for each time."""
    after = with_one(totals, time)
    for other in others:
        after = with_one(after, other)
    return after


def combined(parts: Iterable[Totals]) -> Totals | None:
    """Return the totals of parts that have nothing in common, None where there are none."""
    known = [part for part in parts if part.number]
    if not known:
        return None
    return Totals(sum(part.number for part in known), min(part.first for part in known), max(part.last for part in known))
