"""What was fetched for a lane and not yet taken up. Much that waits becomes large batches, little becomes small ones at once."""

from collections import deque
from collections.abc import Mapping, Sequence

import msgspec

from schemas.message import Record
from streams.engine.limits import Limits


class Fetched(msgspec.Struct, frozen=True):
    """What one fetch brought of one topic partition: records between two positions, and where the log ended then."""

    topic: str  # without prefix
    before: int
    after: int
    records: Sequence[Record]
    end: int


class Inbox:
    """Keep what was fetched, in order, and give it out in batches."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: deque[tuple[Fetched, int]] = deque()  # with the bytes of its values
        self.records = 0
        self.bytes = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def has_room(self) -> bool:
        """Say whether more may be fetched. What a fetch brings is always taken, so that a record larger than the room gets through."""
        return self.records < self._limits.inbox_records and self.bytes < self._limits.inbox_bytes

    def put(self, fetched: Fetched) -> None:
        """Keep what was fetched."""
        size = _size(fetched.records)
        self._waiting.append((fetched, size))
        self._count(fetched, size)

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self.records = self.bytes = 0

    def take(self, positions: Mapping[str, int], most: int) -> Fetched | None:
        """Return the next batch of one topic, of at most so many records; None where what was first is already processed.

        A batch that begins beyond its topic's position shows a gap: it is not to be processed, and all that waits of the topic is gone.
        """
        if not self._waiting:
            return None
        first, size = self._pop()
        position = positions[first.topic]
        if first.before > position:
            self._forget(first.topic)
            return first
        if first.after < position:
            return None  # fetched before a seek
        if first.before < position:
            records = [record for record in first.records if record.offset >= position]
            first, size = Fetched(first.topic, position, first.after, records, first.end), _size(records)
        return self._cut(*self._joined(first, size, most), most)

    def _joined(self, first: Fetched, size: int, most: int) -> tuple[Fetched, int]:
        """Join what waits and follows on, up to a batch."""
        if not self._follows(first, len(first.records), size, most):
            return first, size
        records, last = list(first.records), first
        while self._follows(last, len(records), size, most):
            last, more = self._pop()
            records.extend(last.records)
            size += more
        return Fetched(first.topic, first.before, last.after, records, max(first.end, last.end)), size

    def _follows(self, last: Fetched, records: int, size: int, most: int) -> bool:
        if not self._waiting:
            return False
        following, more = self._waiting[0]
        return (
            following.topic == last.topic
            and following.before == last.after
            and records + len(following.records) <= most
            and size + more <= self._limits.batch_bytes
        )

    def _cut(self, batch: Fetched, size: int, most: int) -> Fetched:
        """Return a batch within the limits; what is beyond them waits on, in front."""
        if len(batch.records) <= most and size <= self._limits.batch_bytes:
            return batch
        count = self._fitting(batch.records, most)
        if count == len(batch.records):
            return batch
        kept, border = batch.records[count:], batch.records[count].offset
        rest, left = Fetched(batch.topic, border, batch.after, kept, batch.end), size - _size(batch.records[:count])
        self._waiting.appendleft((rest, left))
        self._count(rest, left)
        return Fetched(batch.topic, batch.before, border, batch.records[:count], batch.end)

    def _fitting(self, records: Sequence[Record], most: int) -> int:
        """Count the records of a batch: at least one."""
        size = 0
        for count, record in enumerate(records[:most]):
            size += len(record.value or b"")
            if count and size > self._limits.batch_bytes:
                return count
        return min(most, len(records))

    def _forget(self, topic: str) -> None:
        kept = [one for one in self._waiting if one[0].topic != topic]
        self.clear()
        for fetched, size in kept:
            self._waiting.append((fetched, size))
            self._count(fetched, size)

    def _pop(self) -> tuple[Fetched, int]:
        fetched, size = self._waiting.popleft()
        self._count(fetched, size, -1)
        return fetched, size

    def _count(self, fetched: Fetched, size: int, sign: int = 1) -> None:
        self.records += sign * len(fetched.records)
        self.bytes += sign * size


def _size(records: Sequence[Record]) -> int:
    return sum(len(record.value or b"") for record in records)
