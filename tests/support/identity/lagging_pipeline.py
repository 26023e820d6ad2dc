"""All agents over several partitions that lag behind each other at random, as workers and brokers do, without either."""

from collections import Counter, defaultdict

from schemas.activities.retention import POLICIES_TOPIC, RETENTION, WAKES_TOPIC, RetentionMessage
from schemas.cloudevents import context
from schemas.codec import Avro
from schemas.message import RecordValue
from schemas.partition import partition_of
from schemas.profiles.policies import GOVERNED, POLICY, PolicyMessage
from schemas.topics import DAY_MS
from streams.agents.topology import agents_of
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.support.oracle import routed

PARTITIONS = 3
PROFILE_AGENTS = frozenset(
    {"contacts", "companies", "person_records", "org_records", "identity", "people", "orgs", "memberships"}
)
"""The agents that people, organisations and memberships follow from."""
_OTHERS = frozenset({"access", "admins"})
_AVRO = Avro.local()  # it reads every schema, which takes a quarter of a short history's time


class LaggingPipeline:
    """Records wait in their partition until chance lets its agent take some of them. Within a partition they stay in order."""

    def __init__(self, tenancy, chance, *, only=None):
        self.avro = _AVRO
        self.chance = chance
        agents = {agent.name: agent for agent in agents_of(tenancy, self.avro)}
        self.agents = {name: agent for name, agent in agents.items() if (name in only if only else name not in _OTHERS)}
        self.tables = {(name, at): MemoryTable(agent.codec) for name, agent in self.agents.items() for at in range(PARTITIONS)}
        self.queues = defaultdict(list)  # by agent, partition and topic
        self.pending = defaultdict(list)
        self.topics = defaultdict(list)
        self.partitions = defaultdict(list)  # by topic, of its records
        self.notes = Counter()  # by agent and note
        self.started = set()  # agents and partitions that have read what came first

    def post(self, *bodies):
        """Append bodies as the ingress does; nothing is processed yet."""
        for body in bodies:
            for topic, record in routed(body):
                self._append(topic, record.key, body, record.headers)

    def receive(self, record):
        """Append a record of an inbound topic, as its writers do."""
        self._append(record.topic, record.key, record.value, record.headers)

    def append(self, topic, key, value):
        self._append(topic, key.encode(), value, [("ce_id", b"operator")])

    def apply(self, policy, *, kind="person", version=1, tenant="acme"):
        """Append a policy to every partition that it governs, as `profiles policy apply` does."""
        value = POLICY.encode(PolicyMessage(version, f"policy_{kind}_{version}", 1_000 * version, policy))
        for topic in GOVERNED[kind]:
            for at in range(PARTITIONS):
                self._append(topic, f"{tenant}|{kind}".encode(), value, (), at)

    def retain(self, policy, *, version=1, tenant="acme"):
        """Append a policy of activities to every partition, as `activities policy set` does."""
        value = RETENTION.encode(RetentionMessage(version, f"retention_{version}", 1_000 * version, "ada", policy))
        for at in range(PARTITIONS):
            self._append(POLICIES_TOPIC, tenant.encode(), value, (), at)

    def wake(self, day, *partitions):
        """Append a day to partitions, or to all, as the broker stamps it."""
        for at in partitions or range(PARTITIONS):
            self._append(WAKES_TOPIC, b"", b"", (), at, timestamp=day * DAY_MS)

    def run(self, steps=None):
        """Process until nothing waits any more, or so many batches."""
        while (ready := self._ready()) and steps != 0:
            self._process(*self.chance.choice(ready))
            steps = None if steps is None else steps - 1

    def latest(self, topic):
        """Return a compacted topic's last values as bytes, by key, without those whose last value is a tombstone."""
        values = {record.key.decode(): record.value for record in self.topics[topic]}
        return {key: value for key, value in sorted(values.items()) if value is not None}

    def values(self, topic):
        return {key: self.avro.decode(value)[1] for key, value in self.latest(topic).items()}

    def changes(self):
        return [self.avro.decode(record.value)[1] for record in self.topics["people.changes"]]

    def ids(self):
        """Return the ids of everything on public topics."""
        public = ("people", "people.changes", "people.aliases", "memberships", "orgs", "orgs.changes", "contact.read.requests")
        return [(topic, context(record.headers)["id"]) for topic in public for record in self.topics[topic]]

    def rows(self, agent):
        """Return the rows of all partitions of an agent."""
        tables = [table for (name, _), table in self.tables.items() if name == agent]
        return {key: value for table in tables for key, value in table.rows().items()}

    def _ready(self):
        waiting = [
            (agent, at, topic) for (agent, at, topic), queue in self.queues.items() if queue and self._may_read(agent, at, topic)
        ]
        return waiting + [(agent, at, None) for (agent, at), work in self.pending.items() if work]

    def _may_read(self, agent, at, topic):
        """Return whether a worker reads a topic: when it starts, it reads first what leading topics had before.

        That is left out where nothing follows from it: whenever a policy of profiles comes, the answers are the same.
        """
        if not self.queues.get((agent, at, POLICIES_TOPIC)):
            self.started.add((agent, at))
        return topic == POLICIES_TOPIC or (agent, at) in self.started

    def _process(self, name, at, topic):
        agent, table, out = self.agents[name], self.tables[name, at], ListOutbox()
        if topic is None:
            rest = agent.resume(self.pending[name, at].pop(0), table, out)
        else:
            queue = self.queues[name, at, topic]
            size = self.chance.randint(1, min(len(queue), 5))
            records = queue[:size]
            del queue[:size]
            rest = agent.step(Batch(topic, at, records), table, out)
        if rest is not None:
            self.pending[name, at].insert(0 if topic is None else len(self.pending[name, at]), rest)  # work is done in its order
        table.commit()
        self.notes.update({(name, note): number for note, number in out.notes.items()})
        for sent in out.sent:
            self._append(sent.topic, sent.key, sent.value, sent.headers, sent.partition)

    def _append(self, topic, key, value, headers, at=None, *, timestamp=1_767_225_600_000):
        record = RecordValue(key, value, headers, len(self.topics[topic]), timestamp)
        at = partition_of(key, PARTITIONS) if at is None else at
        self.topics[topic].append(record)
        self.partitions[topic].append(at)
        for name, agent in self.agents.items():
            if topic in agent.sources:
                self.queues[name, at, topic].append(record)
