"""A field's values by source time, whatever order they arrive in: the run of equal values that lasts began where it first did.

A register keeps the latest value alone, and its beginning would then depend on the order of arrival: a value that is reported late and
lies inside a run splits it. So the times of assertions are kept too, the latest of them.
"""

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

REMEMBERED: Final = 64  # assertions per field; of more, those within a run of one value are forgotten first, the oldest of them


class Asserted(msgspec.Struct, frozen=True, array_like=True):
    """A value, and the source times (ms) it was asserted at."""

    value: Any
    times: tuple[int, ...]

    def __repr__(self) -> str:
        return f"Asserted(***, {self.times})"


History: TypeAlias = tuple[Asserted, ...]


class Moment(NamedTuple):
    """The values asserted at one time; several contradict each other. `times` says of each when within the moment it first was."""

    time: int
    values: list[Any]
    times: list[int]

    def first(self, value: Any) -> int:
        """Return when a value of the moment was asserted first."""
        return self.times[self.values.index(value)]

    def __repr__(self) -> str:
        return f"Moment({self.time}, ***)"


def with_value(history: History, value: Any, time: int) -> History:
    """Return the history with one more assertion."""
    if not history:
        return (Asserted(value, (time,)),)
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


def _are_alike(first: list[Any], *others: list[Any]) -> bool:
    return len(first) == 1 and all(other == first for other in others)


def moments(history: History, resolution: int = 1) -> list[Moment]:
    """Return the assertions in order of time; those within one `resolution` (ms) are one moment, dated by the first of them."""
    if len(history) == 1 and len(history[0].times) == 1:  # as nearly all are
        return [Moment(history[0].times[0], [history[0].value], [history[0].times[0]])]
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
        found.append(Moment(same[0][0], values, times))
    return found


def run_start(of: list[Moment], test: Callable[[list[Any]], bool]) -> Moment:
    """Return the first moment of the last unbroken run of moments that pass a test; the last moment passes it."""
    start = of[-1]
    for moment in reversed(of):
        if not test(moment.values):
            break
        start = moment
    return start
