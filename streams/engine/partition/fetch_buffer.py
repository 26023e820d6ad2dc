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
        return self._cut(self._join(first, max_records), max_records)

    def _join(self, first: FetchedBatch, max_records: int) -> FetchedBatch:
        """Append the queued batches that follow without a gap, up to the limits of a batch."""
        if not self._next_fits(first, len(first.records), first.size, max_records):
            return first
        records, last, size = list(first.records), first, first.size
        while self._next_fits(last, len(records), size, max_records):
            last = self._pop()
            records.extend(last.records)
            size += last.size
        return FetchedBatch(first.topic, first.before, last.after, records, max(first.end, last.end), size)

    def _next_fits(self, last: FetchedBatch, records: int, size: int, max_records: int) -> bool:
        if not self._queue:
            return False
        following = self._queue[0]
        return (
            following.topic == last.topic
            and following.before == last.after
            and records + len(following.records) <= max_records
            and size + following.size <= self._limits.batch_bytes
        )

    def _cut(self, batch: FetchedBatch, max_records: int) -> FetchedBatch:
        """Return a batch within the limits; the rest goes back to the front of the queue."""
        if len(batch.records) <= max_records and batch.size <= self._limits.batch_bytes:
            return batch
        count = self._fitting(batch.records, max_records)
        if count == len(batch.records):
            return batch
        records, border = batch.records[:count], batch.records[count].offset
        size = size_of(records)
        rest = FetchedBatch(batch.topic, border, batch.after, batch.records[count:], batch.end, batch.size - size)
        self._queue.appendleft(rest)
        self._count(rest)
        return FetchedBatch(batch.topic, batch.before, border, records, batch.end, size)

    def _fitting(self, records: Sequence[Message], max_records: int) -> int:
        """Return how many of the records fit into a batch: at least one."""
        size = 0
        for count, record in enumerate(records[:max_records]):
            size += _size(record)
            if count and size > self._limits.batch_bytes:
                return count
        return min(max_records, len(records))

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


def _size(record: Message) -> int:
    return len(record.value or b"") + _HEADER_BYTES * len(record.headers)
