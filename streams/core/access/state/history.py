"""A field's values by source time, whatever order they arrive in: the run of equal values that lasts began where it first did.

A register keeps the latest value alone, and its beginning would then depend on the order of arrival: a value that is reported late and
lies inside a run splits it. So the times of assertions are kept too, the latest of them.
"""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

REMEMBERED: Final = 64  # assertions per field; of more, those within a run of one value are forgotten first, the oldest of them


class Asserted(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A value, and the source times (ms) it was asserted at."""

    value: Any
    times: tuple[int, ...]

    def __repr__(self) -> str:
        return f"Asserted(***, {self.times})"


History: TypeAlias = tuple[Asserted, ...]


class Moment(NamedTuple):
    """The values asserted at one time; several contradict each other. `times` says of each when within the moment it first was.

    Of a run (`runs`), `time` is that of its first moment, and `last` that of its last.
    """

    time: int
    values: list[Any]
    times: list[int]
    last: int

    def first(self, value: Any) -> int:
        """Return when a value of the moment was asserted first."""
        return self.times[self.values.index(value)]

    def __repr__(self) -> str:
        return f"Moment({self.time}, ***)"


def with_value(history: History, value: Any, time: int) -> History:
    """Return the history with one more assertion."""
    if not history:
        return (Asserted(value, (time,)),)
    if len(history) == 1 and value == history[0].value:  # as nearly all are: asserted again, and never otherwise
        known = history[0].times
        return history if time in known else (Asserted(history[0].value, of_one_value((*known, time))),)
    return _with_other_value(history, value, time)


def _with_other_value(history: History, value: Any, time: int) -> History:
    times: dict[int, list[Any]] = {}
    for each in history:
        for when in each.times:
            times.setdefault(when, []).append(each.value)
    if value in times.setdefault(time, []):
        return history
    times[time].append(value)
    kept = _remembered(times)
    grouped: list[tuple[Any, list[int]]] = []
    for when in kept:
        for each_value in times[when]:
            found = next((known for known in grouped if known[0] == each_value), None)
            if found is None:
                grouped.append((each_value, [when]))
            else:
                found[1].append(when)
    return tuple(sorted((Asserted(each, tuple(when)) for each, when in grouped), key=lambda each: (each.times, repr(each.value))))


def _remembered(times: Mapping[int, list[Any]]) -> list[int]:
    """Return the times to remember, in order. A value that is asserted again and again keeps its beginning."""
    kept = sorted(times)
    while len(kept) > REMEMBERED:
        neighbours = zip(kept, kept[1:], kept[2:], strict=False)
        within = (number for number, each in enumerate(neighbours, start=1) if _are_alike(*(times[time] for time in each)))
        del kept[next(within, 0)]
    return kept


def of_one_value(times: tuple[int, ...]) -> tuple[int, ...]:
    """Return the times to remember where all are of one value: what `_remembered` does then."""
    ordered = tuple(sorted(times))
    return ordered if len(ordered) <= REMEMBERED else (ordered[0], *ordered[len(ordered) - REMEMBERED + 1 :])


def _are_alike(first: list[Any], *others: list[Any]) -> bool:
    return len(first) == 1 and all(other == first for other in others)


def moments(history: History, resolution: int = 1) -> list[Moment]:
    """Return the assertions in order of time; those within one `resolution` (ms) are one moment, dated by the first of them."""
    if len(history) == 1 and len(history[0].times) == 1:  # as nearly all are
        [time] = history[0].times
        return [Moment(time, [history[0].value], [time], time)]
    every = sorted((time, index, each.value) for index, each in enumerate(history) for time in each.times)
    found = []
    for _, group in groupby(every, key=lambda each: each[0] // resolution):
        same = list(group)
        values: list[Any] = []
        times: list[int] = []
        for time, _, value in same:
            if value not in values:
                values.append(value)
                times.append(time)
        found.append(Moment(same[0][0], values, times, same[0][0]))
    return found


def runs(history: History, resolution: int = 1) -> list[Moment]:
    """Return the moments, of neighbours with the same values the first alone; `last` is the time of the last of them.

    They date values as the moments do, and there are few of them, however often a value was asserted again.
    """
    if not history:
        return []
    if len(history) == 1:  # as nearly all are: one value
        value, times = history[0].value, history[0].times
        last = times[bisect_left(times, times[-1] // resolution * resolution)] if resolution > 1 else times[-1]
        return [Moment(times[0], [value], [times[0]], last)]
    found: list[Moment] = []
    for moment in moments(history, resolution):
        if found and found[-1].values == moment.values:
            found[-1] = found[-1]._replace(last=moment.time)
        else:
            found.append(moment)
    return found


def same_runs(one: History, other: History) -> bool:
    """Say whether two histories have the same runs, whenever the last of each was asserted last."""
    if len(one) == len(other) == 1:
        return bool(one[0].times[0] == other[0].times[0] and one[0].value == other[0].value)
    return [each[:3] for each in runs(one)] == [each[:3] for each in runs(other)]


def run_start(of: list[Moment], test: Callable[[list[Any]], bool]) -> Moment:
    """Return the first moment of the last unbroken run of moments that pass a test; the last moment passes it."""
    start = of[-1]
    for moment in reversed(of):
        if not test(moment.values):
            break
        start = moment
    return start


def until(history: History, at: int) -> History:
    """Return what was asserted until an instant (ms)."""
    kept = ((each.value, tuple(time for time in each.times if time <= at)) for each in history)
    return tuple(Asserted(value, times) for value, times in kept if times)


def changed_at(history: History, since: int) -> int | None:
    """Return when a field first had another value after an instant (ms) than at it, or None.

    The value at the instant is the last one asserted until then, else the first one at all: to become known is no change.
    """
    every = moments(history)
    held = [moment for moment in every if moment.time <= since][-1:] or every[:1]
    later = (moment for moment in every if moment.time > since and any(value not in held[0].values for value in moment.values))
    return next((moment.time for moment in later), None)
