"""Go through a log of access in the order of log time, over all its topics and partitions, and verify its ledger."""

import heapq
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Final

from schemas.message import Message
from streams.ops.ledger.access_log import FACTS, FINDINGS, LEDGER, STATE, AccessLog
from streams.ops.ledger.log_time import log_time_of
from streams.ops.ledger.verify import LedgerSummary, LedgerVerifier

OnProgress = Callable[[str, int], None]
_SHOWN_EVERY: Final = 5_000  # entries
_LATE_MS: Final = 3_600_000  # what a tenant's pending work, or a clock set back, may put behind others


async def verify_log(
    log: AccessLog, verifier: LedgerVerifier, on_progress: OnProgress, *, until: int | None = None
) -> LedgerSummary:
    """Verify what a log has; without `until` all of it, else up to that log time (ms). Raises LedgerBroken at the first break."""
    for number in log.partitions(STATE):
        async for records in log.read(STATE, number):
            for record in records:
                verifier.add_state(record)
    settled, entries = log.settled(FINDINGS), 0
    async for topic, number, record in merged(log, until=None if until is None else until + _LATE_MS):
        if topic == FACTS:
            verifier.add_fact(number, record)
        elif topic == FINDINGS:
            verifier.add_finding(number, record, settled=record.offset < settled.get(number, 0))
        else:
            verifier.add_entry(record)
            entries += 1
            if entries % _SHOWN_EVERY == 0:
                on_progress(LEDGER, entries)
    return verifier.summary()


class _Cursor:
    """A partition that is being read, with its next record and when that was in log time."""

    def __init__(self, topic: str, number: int, rank: int, batches: AsyncIterator[Sequence[Message]]) -> None:
        self.topic = topic
        self.number = number
        self.rank = rank
        self.time = 0
        self.record: Message | None = None
        self._batches = batches
        self._rest: Iterator[Message] = iter(())

    async def advance(self) -> bool:
        """Move to the next record; return whether there is one."""
        self.record = next(self._rest, None)
        while self.record is None:
            batch = await anext(self._batches, None)
            if batch is None:
                return False
            self._rest = iter(batch)
            self.record = next(self._rest, None)
        found = self.record.timestamp if self.topic == FACTS else log_time_of(self.record)
        self.time = found or self.time
        return True


async def merged(log: AccessLog, *, until: int | None = None) -> AsyncIterator[tuple[str, int, Message]]:
    """Yield facts, findings and entries with their topics and partitions: at each instant first facts, then findings, then entries.

    Each partition keeps its own order, so that the order of instants is one by and large only. Ends where all that is left is later than `until`.
    """
    cursors = [
        _Cursor(topic, number, rank, log.read(topic, number))
        for rank, topic in enumerate((FACTS, FINDINGS, LEDGER))
        for number in log.partitions(topic)
    ]
    heap = [(each.time, each.rank, place, each) for place, each in enumerate(cursors) if await each.advance()]
    heap = [(each.time, each.rank, place, each) for _, _, place, each in heap]
    heapq.heapify(heap)
    while heap:
        time, _, place, cursor = heap[0]
        if until is not None and time > until:
            return
        assert cursor.record is not None
        yield cursor.topic, cursor.number, cursor.record
        if await cursor.advance():
            heapq.heapreplace(heap, (cursor.time, cursor.rank, place, cursor))
        else:
            heapq.heappop(heap)
