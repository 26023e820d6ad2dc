"""A year's topics, made by the access agent as they are read, so that several readings of them share one run, without Kafka and without files."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from bench.evidence.year import year
from schemas.codec import Avro
from schemas.message import Message, RecordValue
from streams.agents.access import ROWS, access
from streams.core.access.state.rows import AnyRow
from streams.engine.agent import Agent, Batch
from streams.engine.in_memory import ListOutbox, MemoryTable, SentRecord
from streams.ops.ledger.access_log import FACTS, FINDINGS, FINDINGS_JSON, LEDGER, STATE

_BATCH: Final = 500
OF_VERIFY: Final = (FACTS, FINDINGS, LEDGER)
OF_REPLAY: Final = (FACTS, FINDINGS, FINDINGS_JSON, LEDGER, STATE)


class YearLog:
    """Let the access agent process the year, a batch at a time, for all who read.

    CPU seconds: `made_s` of the agent, `cpu_s` of all that making takes, `read_s` of each reading without that.
    """

    def __init__(self, facts: int, at_tenth: Callable[["YearLog"], None]) -> None:
        self.made_s = self.cpu_s = 0.0
        self.read_s: dict[str, float] = {}
        self.facts = self.entries = 0
        self.table = MemoryTable[AnyRow](ROWS)
        self._agent: Agent = access(Avro.local())
        self._facts: Iterator[RecordValue] = year(facts)
        self._tenths = [facts * part // 10 for part in range(10, 0, -1)]
        self._at_tenth = at_tenth
        self._readers: list[TopicsReader] = []
        self._ends: Counter[str] = Counter()

    def reader(self, topics: Sequence[str]) -> "TopicsReader":
        """Return a log of some of the topics. Every reader has to read to the end, since what it has not read is kept for it."""
        self._readers.append(TopicsReader(self, topics))
        return self._readers[-1]

    def make(self) -> bool:
        """Make the next facts and what follows from them; return whether there were any."""
        began = time.process_time()
        records = list(islice(self._facts, _BATCH))
        before = time.process_time()
        sent = list(self._processed(records)) if records else []
        self.made_s += time.process_time() - before
        for reader in self._readers:
            for record in records:
                reader.add(FACTS, record)
        for each in sent:
            made = RecordValue(each.key, each.value, each.headers, self._ends[each.topic], records[-1].timestamp)
            self._ends[each.topic] += 1
            for reader in self._readers:
                reader.add(each.topic, made)
        self.facts += len(records)
        self.entries = self._ends[LEDGER]
        while self._tenths and self.facts >= self._tenths[-1]:
            self._tenths.pop()
            self._at_tenth(self)
        self.cpu_s += time.process_time() - began
        return bool(records)

    def _processed(self, records: Sequence[Message]) -> Iterator[SentRecord]:
        outbox = ListOutbox()
        cursor = self._agent.step(Batch(FACTS, 0, records), self.table, outbox)
        self.table.commit()
        yield from outbox.sent
        while cursor is not None and self._agent.resume is not None:
            outbox = ListOutbox()
            cursor = self._agent.resume(cursor, self.table, outbox)
            self.table.commit()
            yield from outbox.sent


class TopicsReader:
    """Implements `AccessLog` over a year's topics of one partition, made as they are read."""

    def __init__(self, log: YearLog, topics: Sequence[str]) -> None:
        self._log = log
        self._topics = topics
        self._waiting: dict[str, deque[RecordValue]] = {topic: deque() for topic in topics if topic != STATE}
        self._states: dict[bytes | None, RecordValue] = {}

    def add(self, topic: str, record: RecordValue) -> None:
        """Add a record that was made, unless its topic is not read."""
        if topic == STATE and STATE in self._topics:  # as a compacted topic has it, once all is made
            self._states[record.key] = record
        elif topic in self._waiting:
            self._waiting[topic].append(record)

    def partitions(self, topic: str) -> Sequence[int]:
        return (0,) if topic in self._topics else ()

    async def read(self, topic: str, partition: int) -> AsyncIterator[Sequence[Message]]:
        if topic == STATE:
            yield list(self._states.values())
            return
        waiting = self._waiting[topic]
        while waiting or self._log.make():
            await asyncio.sleep(0)  # who reads the same log beside this one continues
            if waiting:
                records = list(waiting)
                waiting.clear()
                yield records

    def settled(self, topic: str) -> Mapping[int, int]:
        return {}


def interleaved(log: YearLog, readings: Mapping[str, Coroutine[Any, Any, Any]]) -> dict[str, Any]:
    """Continue one reading of the log after the other until all have ended, and return what each returns.

    Whatever disturbs the machine disturbs all of them.
    """
    found: dict[str, Any] = {}
    log.read_s |= dict.fromkeys(readings, 0.0)
    while len(found) < len(readings):
        for name in [each for each in readings if each not in found]:
            began = time.process_time() - log.cpu_s
            try:
                readings[name].send(None)
            except StopIteration as end:
                found[name] = end.value
            log.read_s[name] += time.process_time() - log.cpu_s - began
    return found
