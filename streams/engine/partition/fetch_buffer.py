"""Fetched records that are not processed yet. A long queue becomes large batches, a short one small batches at once."""

from collections import deque
from collections.abc import Mapping, Sequence

import msgspec

from schemas.message import Message
from streams.engine.limits import Limits

_HEADER_BYTES = 180  # a tuple, a text and some bytes: the dozen headers of our records take twice the memory of their value


class FetchedBatch(msgspec.Struct, frozen=True):
    """The result of one fetch of one topic partition: records between two positions, and where the log ended then."""

    topic: str  # without prefix
    before: int
    after: int
    records: Sequence[Message]
    end: int
    size: int  # bytes in memory, about

    def until(self, stop: int) -> "FetchedBatch":
        """Return what of it lies before a position."""
        records = [record for record in self.records if record.offset < stop]
        return FetchedBatch(self.topic, min(self.before, stop), min(self.after, stop), records, self.end, size_of(records))


class FetchBuffer:
    """Keep fetched records in order and return them in batches."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._queue: deque[FetchedBatch] = deque()
        self._reserved_records = 0
        self._reserved_bytes = 0
        self.records = 0
        self.bytes = 0

    def __bool__(self) -> bool:
        return bool(self._queue)

    def has_room(self, batch_records: int) -> bool:
        """Say whether more may be fetched: until the next batch, of so many records, is here.

        A fetch is always accepted, so a record larger than the buffer gets through.
        """
        records, size = self.records + self._reserved_records, self.bytes + self._reserved_bytes
        return records < batch_records and size < self._limits.buffer_bytes

    def end_of(self, topic: str) -> int:
        """Return the position behind the queued records of a topic, 0 where there are none."""
        return max((fetched.after for fetched in self._queue if fetched.topic == topic), default=0)

    def reserve(self, fetched: FetchedBatch) -> None:
        """Reserve room for a batch that is on its way: the next fetch may be requested before this batch arrives."""
        self._reserved_records += len(fetched.records)
        self._reserved_bytes += fetched.size

    def put(self, fetched: FetchedBatch) -> None:
        """Append a fetched batch and release its reservation."""
        self._reserved_records = max(0, self._reserved_records - len(fetched.records))
        self._reserved_bytes = max(0, self._reserved_bytes - fetched.size)
        self._queue.append(fetched)
        self._count(fetched)

    def clear(self) -> None:
        """Drop everything, also the reservations: a batch on its way may never arrive."""
        self._queue.clear()
        self._reserved_records = self._reserved_bytes = 0
        self.records = self.bytes = 0

    def take(self, positions: Mapping[str, int], max_records: int) -> FetchedBatch | None:
        """Return the next batch of one topic, of at most `max_records`; None where the first in the queue is already processed.

        A batch that begins beyond its topic's position shows a gap: it must not be processed, and the topic's other batches are
        dropped.
        """
        if not self._queue:
            return None
        first = self._pop()
        position = positions[first.topic]
        if first.before > position:
            self._drop(first.topic)
            return first
        if first.after < position:
            return None  # fetched before a seek
        if first.before < position:
            records = [record for record in first.records if record.offset >= position]
            first = FetchedBatch(first.topic, position, first.after, records, first.end, size_of(records))
        return self._filled(first, max_records)

    def _filled(self, first: FetchedBatch, max_records: int) -> FetchedBatch:
        """Return a batch within the limits: of a fetched one, and of those behind it without a gap, as much as fits.

        The rest of the last one stays in front, for a batch of its own would be small and cost a whole transaction.
        """
        batch = self._cut(first, max_records, self._limits.batch_bytes, at_least=1)
        records: list[Message] | None = None
        while self._follows(batch):
            part = self._cut(self._pop(), max_records - len(batch.records), self._limits.batch_bytes - batch.size)
            if part.after == batch.after:
                break
            if records is None:
                records = list(batch.records)
            records.extend(part.records)
            batch = FetchedBatch(batch.topic, batch.before, part.after, records, max(batch.end, part.end), batch.size + part.size)
        return batch

    def _follows(self, batch: FetchedBatch) -> bool:
        """Say whether the next in the queue begins where a batch ends."""
        return bool(self._queue) and self._queue[0].topic == batch.topic and self._queue[0].before == batch.after

    def _cut(self, batch: FetchedBatch, max_records: int, max_size: int, *, at_least: int = 0) -> FetchedBatch:
        """Return the first records of a batch, so many at most and at least; the rest goes back to the front of the queue."""
        if len(batch.records) <= max_records and batch.size <= max_size:
            return batch
        count, size = _fitting(batch.records, max_records, max_size, at_least)
        if count == len(batch.records):
            return batch
        border = batch.records[count].offset if count else batch.before
        rest = FetchedBatch(batch.topic, border, batch.after, batch.records[count:], batch.end, batch.size - size)
        self._queue.appendleft(rest)
        self._count(rest)
        return FetchedBatch(batch.topic, batch.before, border, batch.records[:count], batch.end, size)

    def _drop(self, topic: str) -> None:
        dropped = [batch for batch in self._queue if batch.topic == topic]
        self._queue = deque(batch for batch in self._queue if batch.topic != topic)
        for batch in dropped:
            self._count(batch, -1)

    def _pop(self) -> FetchedBatch:
        fetched = self._queue.popleft()
        self._count(fetched, -1)
        return fetched

    def _count(self, fetched: FetchedBatch, sign: int = 1) -> None:
        self.records += sign * len(fetched.records)
        self.bytes += sign * fetched.size


def size_of(records: Sequence[Message]) -> int:
    """Return about how many bytes of memory the records take."""
    return sum(map(_size, records))


def _fitting(records: Sequence[Message], max_records: int, max_size: int, at_least: int) -> tuple[int, int]:
    """Return how many of the records fit, at least so many, and their size."""
    total = 0
    for count, record in enumerate(records[:max_records]):
        size = _size(record)
        if total + size > max_size and count >= at_least:
            return count, total
        total += size
    return min(max_records, len(records)), total


def _size(record: Message) -> int:
    return len(record.value or b"") + _HEADER_BYTES * len(record.headers)
