"""What conversations, activities and the directory take of a worker, measured in one process without Kafka: `python -m bench.scale.in_process`.

Customers of the simulator sign up, use the product, call, and have a conversation that is answered, closed and rated. Every agent steps over its
records, in batches as a worker far behind has them; CPU is that of the steps alone, without the engine's share of each record that is moved.
"""

import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, Final, NamedTuple

import msgspec

from bench.product import APP, APP_ID, SECRET
from connectors.intercom.ingress.routing import AuthenticPost, Router
from connectors.simulator.history import Scene
from connectors.simulator.payloads import admin
from connectors.simulator.support import support
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.directory.lists import TOPIC as DIRECTORY
from schemas.directory.lists import ListKind, list_records
from schemas.message import RecordValue
from schemas.tenancy import App, Secret, Tenancy, Tenant, Workspace
from schemas.topics import TOPICS
from streams.agents.topology import agents_of
from streams.engine.agent import Agent, Batch
from streams.engine.in_memory import ListOutbox, MemoryTable

_CUSTOMERS: Final = 2_000
_TEAMMATES: Final = 500
_BATCH: Final = 500
_REFERENCE: Final = 8  # bytes of the list that keeps rows in order
_NOW_MS: Final = 1_767_225_600_000
_TENANCY: Final = Tenancy.of(
    [App(name=APP, client_secrets=(Secret(SECRET),))], [Tenant(id="bench", workspaces=(Workspace(app_id=APP_ID, app=APP),))]
)


class AgentShare(NamedTuple):
    """What one agent did: records read and sent, CPU seconds of its steps, rows, their bytes with keys, and what a table in memory takes for them."""

    records: int
    sent: int
    cpu_s: float
    rows: int
    row_bytes: int
    memory: int


class AgentShares(NamedTuple):
    """The posts by topic, the latest values of public topics, and each agent's share."""

    posts: Counter[str]
    values: Counter[str]
    agents: dict[str, AgentShare]


def measure(customers: int, teammates: int) -> AgentShares:
    """Feed everything, and return what it took."""
    records = [*_support_posts(customers), *_directory(teammates)]
    agents = agents_of(_TENANCY, Avro.local())
    run = _Run(agents)
    for start in range(0, len(records), _BATCH):
        run.feed(records[start : start + _BATCH])
    shares = {agent.name: run.share(agent.name) for agent in agents}
    public = Counter(topic for topic, _ in run.latest)
    return AgentShares(Counter(topic for topic, _ in records), public, shares)


class _Run:
    """All agents over tables in memory; what one sends is read by the next before more posts are."""

    def __init__(self, agents: tuple[Agent, ...]) -> None:
        self.tables: dict[str, MemoryTable[Any]] = {agent.name: MemoryTable(agent.codec) for agent in agents}
        self.read: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.cpu: dict[str, float] = dict.fromkeys(self.tables, 0.0)
        self.latest: set[tuple[str, bytes | None]] = set()
        self._readers = {source: agent for agent in agents for source in agent.sources}

    def share(self, agent: str) -> AgentShare:
        rows = self.tables[agent].rows()
        stored = sum(len(key.encode()) + len(row) for key, row in rows.items())
        memory = sys.getsizeof(rows) + sum(sys.getsizeof(key) + sys.getsizeof(row) + _REFERENCE for key, row in rows.items())
        return AgentShare(self.read[agent], self.sent[agent], self.cpu[agent], len(rows), stored, memory)

    def feed(self, records: list[tuple[str, RecordValue]]) -> None:
        waiting = deque(_by_topic(records))
        while waiting:
            topic, batch = waiting.popleft()
            if topic in self._readers:
                waiting.extend(_by_topic(self._step(self._readers[topic], topic, batch)))

    def _step(self, agent: Agent, topic: str, batch: list[RecordValue]) -> list[tuple[str, RecordValue]]:
        table, out = self.tables[agent.name], ListOutbox()
        began = time.process_time()
        rest = agent.step(Batch(topic, 0, batch), table, out)
        while rest is not None and agent.resume is not None:
            rest = agent.resume(rest, table, out)
        sent = out.sent
        self.cpu[agent.name] += time.process_time() - began
        table.commit()
        self.read[agent.name] += len(batch)
        self.sent[agent.name] += len(sent)
        for each in sent:
            if each.topic in TOPICS:  # what moves to another profile is a tombstone under one key and a value under another
                (self.latest.discard if each.value is None else self.latest.add)((each.topic, each.key))
        return [(each.topic, RecordValue(each.key, each.value, each.headers)) for each in sent]


def _by_topic(records: Iterable[tuple[str, RecordValue]]) -> Iterator[tuple[str, list[RecordValue]]]:
    for topic, found in groupby(sorted(records, key=lambda each: each[0]), key=lambda each: each[0]):
        yield topic, [record for _, record in found]


def _support_posts(customers: int) -> Iterator[tuple[str, RecordValue]]:
    router = Router(_TENANCY, lambda name: name)
    scene = Scene(APP_ID, _NOW_MS)
    for post in support(scene, [f"Customer {number} {number}" for number in range(customers)]):
        for record in router.webhook(AuthenticPost(post.body, frozenset({APP})), _NOW_MS).records:
            yield record.topic, RecordValue(record.key, record.value, record.headers, timestamp=_NOW_MS)


def _directory(teammates: int) -> Iterator[tuple[str, RecordValue]]:
    people = (admin(id=each, name=f"Teammate {each}", email=f"teammate.{each}@example.com") for each in range(1, teammates + 1))
    items = [msgspec.json.encode(each) for each in people]
    for record in list_records(APP_ID, ListKind.ADMINS, items, requested_at=_NOW_MS, origin=Origin.OPERATOR, now=_NOW_MS):
        yield DIRECTORY, RecordValue(record.key.encode(), record.value, record.headers, timestamp=_NOW_MS)


def lines(found: AgentShares) -> Iterator[str]:
    """Yield what was measured, as lines for docs/sizing.md."""
    posts = ", ".join(f"{count:,} of {topic}" for topic, count in sorted(found.posts.items()))
    yield f"records of posts: {posts}"
    yield ", ".join(f"{found.values[topic]:,} {topic}" for topic in ("people", "conversations", "activities", "agents"))
    yield "agent            read   CPU µs/record     rows    bytes of rows  bytes in memory"
    for name, each in found.agents.items():
        if each.records:
            yield f"{name:14} {each.records:7,} {each.cpu_s / each.records * 1e6:10.0f} {each.rows:12,} {each.row_bytes:14,} {each.memory:16,}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines(measure(_CUSTOMERS, _TEAMMATES)))
