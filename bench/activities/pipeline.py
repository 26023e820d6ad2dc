"""The three agents of activities one behind the other in one process, each over its table in memory."""

import time
from collections import defaultdict, deque
from collections.abc import Iterable
from typing import Any, Final

from schemas.codec import Avro
from schemas.message import RecordValue
from schemas.tenancy import App, Tenancy, Tenant, Workspace
from streams.agents.topology import agents_of
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable, SentRecord

APP: Final = "abc12345"
TENANCY: Final = Tenancy.of(
    (App(name="support", client_secrets=()),), (Tenant(id="acme", workspaces=(Workspace(app_id=APP, app="support"),)),)
)
_AGENTS: Final = ("conversations", "happenings", "activities", "timelines")
_PUBLISHED: Final = frozenset({"activities", "people.engagement"})
_BATCH: Final = 500


class ActivityAgents:
    """The agents, the latest values that they published by topic and key, and how much CPU time each took. What no agent of them reads is dropped.

    With `keeping`, `written` and `sent` have all rows put and all records sent by agent, in order.
    """

    def __init__(self, *, keeping: bool = False) -> None:
        self._keeping = keeping
        self.written: dict[str, list[tuple[str, bytes | None]]] = defaultdict(list)
        self.sent: dict[str, list[SentRecord]] = defaultdict(list)
        self._avro = Avro.local()
        self.agents = [agent for agent in agents_of(TENANCY, self._avro) if agent.name in _AGENTS]
        self.tables: dict[str, MemoryTable[Any]] = {agent.name: MemoryTable(agent.codec) for agent in self.agents}
        self.cpu_s: dict[str, float] = dict.fromkeys(_AGENTS, 0.0)
        self.records: dict[str, int] = dict.fromkeys(_AGENTS, 0)
        self.published: dict[str, dict[bytes | None, bytes | None]] = defaultdict(dict)
        self._queues: dict[tuple[str, str], deque[RecordValue]] = defaultdict(deque)

    def feed(self, topic: str, records: Iterable[RecordValue]) -> None:
        """Append records, and let the agents process them and what follows to the end."""
        self._append(topic, records)
        while work := next(((key, queue) for key, queue in self._queues.items() if queue), None):
            (name, source), queue = work
            batch = [queue.popleft() for _ in range(min(_BATCH, len(queue)))]
            self._process(name, source, batch)

    def counted(self) -> int:
        """Return how many activities all people have, by `people.engagement`."""
        values = [self._avro.decode(value)[1] for value in self.published["people.engagement"].values() if value]
        return sum(each["count"] for value in values for each in value["types"].values())

    def bytes_of(self, agent: str) -> int:
        """Return the bytes of the rows of contacts, or profiles, keys and values, in an agent's table."""
        return sum(len(key.encode()) + len(value) for key, value in self.tables[agent].rows().items())

    def _append(self, topic: str, records: Iterable[RecordValue]) -> None:
        for agent in self.agents:
            if topic in agent.sources:
                self._queues[agent.name, topic].extend(records)

    def _process(self, name: str, source: str, batch: list[RecordValue]) -> None:
        agent = next(each for each in self.agents if each.name == name)
        table, begin = self.tables[name], time.process_time()
        pending = [self._done(name, lambda out: agent.step(Batch(source, 0, batch), table, out))]
        while pending and pending[0] is not None and agent.resume is not None:
            rest, resume = pending[0], agent.resume
            pending = [self._done(name, lambda out, rest=rest, resume=resume: resume(rest, table, out))]
        self.cpu_s[name] += time.process_time() - begin
        self.records[name] += len(batch)

    def _done(self, name: str, work: Any) -> Any:
        out = ListOutbox()
        rest = work(out)
        sent = out.sent
        changes = self.tables[name].commit()
        if self._keeping:
            self.written[name] += changes.items()
            self.sent[name] += sent
        for each in sent:
            if each.topic in _PUBLISHED:
                self.published[each.topic][each.key] = each.value
            self._append(each.topic, [RecordValue(each.key, each.value, each.headers)])
        return rest
