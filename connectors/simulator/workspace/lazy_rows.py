"""Rows made when they are read, and an overlay of those that changed: memory follows the changes, not the rows.

The rows of the past are numbered by the time of their last change, so that a window of time is found without reading the rest.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator
from heapq import merge
from typing import Final, Generic, Protocol, TypeVar

from sortedcontainers import SortedList

_REMEMBERED_MS: Final = 10 * 60_000  # how long a change counts as recent, at most


class RowOfWorkspace(Protocol):
    """What a row has to say about itself. `listed` is whether lists and searches show it."""

    @property
    def number(self) -> int: ...
    @property
    def updated_ms(self) -> int: ...
    @property
    def listed(self) -> bool: ...


Row = TypeVar("Row", bound=RowOfWorkspace)
Position = tuple[int, int]
"""Where a row stands in an order by time: its last change in ms, and its number."""


class PastTimes:
    """The times of rows of the past: evenly spread over the span that ends at `end_ms`, the later the higher the number."""

    def __init__(self, end_ms: int, span_ms: int, count: int) -> None:
        self.start_ms, self._span, self._parts = end_ms - span_ms, span_ms, count + 1

    def __call__(self, number: int) -> int:
        return self.start_ms + (number + 1) * self._span // self._parts


class LazyRows(Generic[Row]):
    """Rows 0 to `count` are listed, those up to `reserved` exist without being listed, and rows added later are numbered from there."""

    def __init__(self, make: Callable[[int], Row], times: Callable[[int], int], count: int, reserved: int | None = None) -> None:
        self._make, self._times, self.count = make, times, count
        self.reserved = count if reserved is None else reserved
        self.next_number = self.reserved
        self.made = 0
        self._changed: dict[int, Row] = {}
        self._replaced: SortedList[int] = SortedList()
        self._by_number: SortedList[int] = SortedList()
        self._by_time: SortedList[Position] = SortedList()
        self._recent: deque[Position] = deque()

    @property
    def held(self) -> int:
        """How many rows are in memory."""
        return len(self._changed)

    @property
    def listed(self) -> int:
        """How many rows lists show."""
        return self.count - len(self._replaced) + len(self._by_number)

    def get(self, number: int) -> Row | None:
        """Return a row, listed or not; None where there never was one."""
        if (row := self._changed.get(number)) is not None:
            return row
        if not 0 <= number < self.reserved:
            return None
        self.made += 1
        return self._make(number)

    def put(self, row: Row, now_ms: int) -> None:
        """Replace a row, or add one under `next_number`."""
        number = row.number
        before = self._changed.get(number)
        if before is None and number < self.count:
            self._replaced.add(number)
        if before is not None and before.listed:
            self._by_number.remove(number)
            self._by_time.remove((before.updated_ms, number))
        self._changed[number] = row
        self.next_number = max(self.next_number, number + 1)
        if row.listed:
            self._by_number.add(number)
            self._by_time.add((row.updated_ms, number))
        self._recent.append((now_ms, number))
        while self._recent[0][0] < now_ms - _REMEMBERED_MS:
            self._recent.popleft()

    def recent(self, since_ms: int) -> set[int]:
        """Return the numbers of rows that changed after that time, ten minutes back at most."""
        return {number for at, number in self._recent if at > since_ms}

    def numbers(self, after: int = -1) -> Iterator[int]:
        """Yield the numbers of listed rows above `after`, in order."""
        past = (number for number in range(after + 1, self.count) if number not in self._replaced)
        return merge(past, self._by_number.irange(minimum=after + 1))

    def changed(self) -> Iterator[Row]:
        """Yield the rows that changed since the past, listed or not."""
        return (self._changed[number] for number in sorted(self._changed))

    def is_changed(self, number: int) -> bool:
        return number in self._changed

    def between(
        self, start_ms: int, end_ms: int, after: Position | None = None, *, descending: bool = False
    ) -> Iterator[Position]:
        """Yield where the listed rows last changed from `start_ms` until before `end_ms` stand, by time; those after a position only."""
        low, high = self._numbers_between(start_ms, end_ms)
        begins, ends = (start_ms, -1), (end_ms, -1)
        if after is not None:
            at = low + bisect_left(range(low, high), after, key=self._position)
            if descending:
                high, ends = at, min(after, ends)
            else:
                low, begins = at, max(after, begins)
        past = (
            self._position(number) for number in _ordered(range(low, high), descending=descending) if number not in self._replaced
        )
        changed = self._by_time.irange(begins, ends, inclusive=(True, False), reverse=descending)
        return (each for each in merge(past, changed, reverse=descending) if each != after)

    def count_between(self, start_ms: int, end_ms: int) -> int:
        """Return how many listed rows last changed in the window, without making one."""
        end_ms = max(start_ms, end_ms)
        low, high = self._numbers_between(start_ms, end_ms)
        replaced: int = self._replaced.bisect_left(high) - self._replaced.bisect_left(low)
        changed: int = self._by_time.bisect_left((end_ms, -1)) - self._by_time.bisect_left((start_ms, -1))
        return high - low - replaced + changed

    def _position(self, number: int) -> Position:
        return self._times(number), number

    def _numbers_between(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        rows = range(self.count)
        low = bisect_left(rows, start_ms, key=self._times)
        return low, max(low, bisect_left(rows, end_ms, key=self._times))


def _ordered(numbers: range, *, descending: bool) -> range:
    return numbers[::-1] if descending else numbers
