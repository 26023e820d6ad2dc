"""What was fetched for a lane and not yet taken up. Much that waits becomes large batches, little becomes small ones at once."""

from collections import deque
from collections.abc import Mapping, Sequence

import msgspec

from schemas.message import Message
from streams.engine.limits import Limits


class FetchedBatch(msgspec.Struct, frozen=True):
    """What one fetch brought of one topic partition: records between two positions, and where the log ended then."""

    topic: str  # without prefix
    before: int
    after: int
    records: Sequence[Message]
    end: int
    size: int  # bytes of the values


class FetchBuffer:
    """Keep what was fetched, in order, and give it out in batches."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: deque[FetchedBatch] = deque()
        self._expected_records = 0
        self._expected_bytes = 0
        self.records = 0
        self.bytes = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def has_room(self) -> bool:
        """Say whether more may be fetched. What a fetch brings is always taken, so that a record larger than the room gets through."""
        records, size = self.records + self._expected_records, self.bytes + self._expected_bytes
        return records < self._limits.buffer_records and size < self._limits.buffer_bytes

    def reserve(self, fetched: FetchedBatch) -> None:
        """Keep room for what is fetched and on its way: the next fetch may be asked for before this one is here."""
        self._expected_records += len(fetched.records)
        self._expected_bytes += fetched.size

    def put(self, fetched: FetchedBatch) -> None:
        """Keep what was fetched."""
        self._expected_records = max(0, self._expected_records - len(fetched.records))
        self._expected_bytes = max(0, self._expected_bytes - fetched.size)
        self._waiting.append(fetched)
        self._count(fetched)

    def clear(self) -> None:
        """Forget everything, also what is on its way: it may never come."""
        self._waiting.clear()
        self._expected_records = self._expected_bytes = 0
        self.records = self.bytes = 0

    def take(self, positions: Mapping[str, int], most: int) -> FetchedBatch | None:
        """Return the next batch of one topic, of at most so many records; None where what was first is already processed.

        A batch that begins beyond its topic's position shows a gap: it is not to be processed, and all that waits of the topic is gone.
        """
        if not self._waiting:
            return None
        first = self._pop()
        position = positions[first.topic]
        if first.before > position:
            self._forget(first.topic)
            return first
        if first.after < position:
            return None  # fetched before a seek
        if first.before < position:
            records = [record for record in first.records if record.offset >= position]
            first = FetchedBatch(first.topic, position, first.after, records, first.end, size_of(records))
        return self._cut(self._joined(first, most), most)

    def _joined(self, first: FetchedBatch, most: int) -> FetchedBatch:
        """Join what waits and follows on, up to a batch."""
        if not self._follows(first, len(first.records), first.size, most):
            return first
        records, last, size = list(first.records), first, first.size
        while self._follows(last, len(records), size, most):
            last = self._pop()
            records.extend(last.records)
            size += last.size
        return FetchedBatch(first.topic, first.before, last.after, records, max(first.end, last.end), size)

    def _follows(self, last: FetchedBatch, records: int, size: int, most: int) -> bool:
        if not self._waiting:
            return False
        following = self._waiting[0]
        return (
            following.topic == last.topic
            and following.before == last.after
            and records + len(following.records) <= most
            and size + following.size <= self._limits.batch_bytes
        )

    def _cut(self, batch: FetchedBatch, most: int) -> FetchedBatch:
        """Return a batch within the limits; what is beyond them waits on, in front."""
        if len(batch.records) <= most and batch.size <= self._limits.batch_bytes:
            return batch
        count = self._fitting(batch.records, most)
        if count == len(batch.records):
            return batch
        kept, border = batch.records[:count], batch.records[count].offset
        size = size_of(kept)
        rest = FetchedBatch(batch.topic, border, batch.after, batch.records[count:], batch.end, batch.size - size)
        self._waiting.appendleft(rest)
        self._count(rest)
        return FetchedBatch(batch.topic, batch.before, border, kept, batch.end, size)

    def _fitting(self, records: Sequence[Message], most: int) -> int:
        """Count the records of a batch: at least one."""
        size = 0
        for count, record in enumerate(records[:most]):
            size += len(record.value or b"")
            if count and size > self._limits.batch_bytes:
                return count
        return min(most, len(records))

    def _forget(self, topic: str) -> None:
        gone = [one for one in self._waiting if one.topic == topic]
        self._waiting = deque(one for one in self._waiting if one.topic != topic)
        for one in gone:
            self._count(one, -1)

    def _pop(self) -> FetchedBatch:
        fetched = self._waiting.popleft()
        self._count(fetched, -1)
        return fetched

    def _count(self, fetched: FetchedBatch, sign: int = 1) -> None:
        self.records += sign * len(fetched.records)
        self.bytes += sign * fetched.size


def size_of(records: Sequence[Message]) -> int:
    """Return the bytes of the values."""
    return sum(len(record.value or b"") for record in records)
