"""A year's topics, made as they are read: `access verify` and `access replay-check` over them, without Kafka and without files."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from bench.evidence.year import year
from schemas.codec import Avro
from schemas.message import Message, RecordValue
from streams.ops.ledger.access_log import FACTS, FINDINGS, FINDINGS_JSON, LEDGER, STATE
from streams.ops.ledger.replay import PartitionReplay

_BATCH: Final = 500


class YearLog:
    """Implements `AccessLog` over topics of one partition. `made_s` is the CPU time of making them, which a reading does not count."""

    def __init__(self, facts: int, topics: Sequence[str], at_half: Callable[[], None]) -> None:
        self.made_s = 0.0
        self.entries = 0
        self._replay = PartitionReplay(Avro.local(), 0)
        self._facts: Iterator[RecordValue] = year(facts)
        self._half = facts / 2
        self._at_half: Callable[[], None] | None = at_half
        self._topics = topics
        self._waiting: dict[str, deque[RecordValue]] = {topic: deque() for topic in topics if topic != STATE}
        self._counts = dict.fromkeys(topics, 0)
        self._states: dict[bytes, RecordValue] = {}

    def partitions(self, topic: str) -> Sequence[int]:
        return (0,) if topic in self._topics else ()

    async def read(self, topic: str, partition: int) -> AsyncIterator[Sequence[Message]]:
        if topic == STATE:  # as a compacted topic has it, once all is made
            yield list(self._states.values())
            return
        waiting = self._waiting[topic]
        while waiting or self._make():
            if waiting:
                records = list(waiting)
                waiting.clear()
                yield records

    def settled(self, topic: str) -> Mapping[int, int]:
        return {}

    def _make(self) -> bool:
        """Make the next facts and what follows from them; return whether there were any."""
        began = time.process_time()
        records = list(islice(self._facts, _BATCH))
        self._waiting[FACTS].extend(records)
        for each in self._replay.process(records) if records else ():
            at = records[-1].timestamp
            if each.topic == STATE:
                self._states[each.key] = RecordValue(each.key, each.value, each.headers, 0, at)
            elif each.topic in self._waiting:
                self._waiting[each.topic].append(RecordValue(each.key, each.value, each.headers, self._counts[each.topic], at))
                self._counts[each.topic] += 1
            self.entries += each.topic == LEDGER
        self.made_s += time.process_time() - began
        if self._at_half is not None and self._replay.facts >= self._half:
            self._at_half()
            self._at_half = None
        return bool(records)


OF_VERIFY: Final = (FACTS, FINDINGS, LEDGER)
OF_REPLAY: Final = (FACTS, FINDINGS, FINDINGS_JSON, LEDGER, STATE)


def timed(log: YearLog, reading: Coroutine[Any, Any, Any]) -> tuple[Any, float]:
    """Return what a reading of the log returns, and its CPU seconds without making the log."""
    began = time.process_time()
    found = asyncio.run(reading)
    return found, time.process_time() - began - log.made_s
