"""Our agents in this process, without Kafka: the CPU time of their steps as the engine runs them, over tables in memory."""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from schemas.codec import Avro
from schemas.message import Message, RecordValue
from schemas.tenancy import Tenancy
from streams.agents.topology import agents_of
from streams.engine.agent import Batch
from streams.engine.partition.step_runner import run_step
from streams.engine.tables.store import MemoryStore


class _MarkedBatch(Batch, frozen=True, kw_only=True):
    """A batch that notes the CPU time at which each of its chunks begins."""

    marks: list[float]

    def chunks(self) -> Iterator[Sequence[Message]]:
        for records in super().chunks():
            self.marks.append(time.thread_time())
            yield records


class InProcess:
    """All agents over one partition. `steps` has the agent and the CPU seconds of each part of a step; rows and outputs are made in it.

    The parts are a batch's chunks. The shorter a part is, the likelier it runs once without other work between.
    """

    def __init__(self, tenancy: Tenancy) -> None:
        agents = agents_of(tenancy, Avro.local())
        self._by_source = {source: agent for agent in agents for source in agent.sources}
        self._stores = {agent.name: MemoryStore() for agent in agents}
        self.steps: list[tuple[str, float]] = []

    def process(self, topic: str, records: Iterable[RecordValue]) -> None:
        """Process a batch of records and all that follows from it."""
        waiting = deque([(topic, list(records))])
        while waiting:
            topic, batch = waiting.popleft()
            agent = self._by_source[topic]
            store = self._stores[agent.name]
            marks = [time.thread_time()]
            result = run_step(agent, _MarkedBatch(topic, 0, batch, marks=marks), store)
            changes = result.changes()
            marks.append(time.thread_time())
            self.steps += [(agent.name, end - start) for start, end in pairwise(marks)]
            store.apply(changes)
            following: dict[str, list[RecordValue]] = {}
            for target, key, value, headers, _ in result.sent:
                if target in self._by_source:
                    following.setdefault(target, []).append(RecordValue(key, value, headers))
            waiting.extend(following.items())

    def cpu(self) -> float:
        """Return the CPU seconds of all steps so far."""
        return sum(seconds for _, seconds in self.steps)
