"""The agents of activities in a process of their own on a real Kafka, with topics that are there for one trial."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final, NamedTuple

import msgspec
from confluent_kafka import Consumer, TopicPartition

from bench.activities.posts import EVENTS
from bench.activities.worker import Job, agents_of_job
from bench.child import Child, running
from bench.cluster import Cluster, read_all
from bench.profiles.workloads import publish
from connectors.kafka import topics
from connectors.kafka.publisher import OutboundRecord
from connectors.kafka.settings import KafkaSettings
from schemas.errors import MustStop
from schemas.message import RecordValue
from schemas.topics import TOPICS

ACTIVITIES: Final = "activities"
PARTITIONS: Final = 4
_LIMIT_S: Final = 1_200
_ALWAYS: Final = ("dead.letters",)


class Arrived(msgspec.Struct):
    """What was read of a topic: when the broker appended the last value and the last tombstone (ms), and how many of each there are."""

    values: int = 0
    tombstones: int = 0
    last_value: int = 0
    last_tombstone: int = 0
    keys: Counter[bytes] = msgspec.field(default_factory=Counter)

    def add(self, message: Any) -> None:
        if message.value():
            self.values, self.last_value = self.values + 1, max(self.last_value, message.timestamp()[1])
        else:
            self.tombstones, self.last_tombstone = self.tombstones + 1, max(self.last_tombstone, message.timestamp()[1])
            self.keys[message.key()] += 1


class Work(msgspec.Struct, frozen=True):
    """Agents at work."""

    cluster: Cluster
    kafka: KafkaSettings
    child: Child

    def ends(self, topic: str) -> dict[int, int]:
        """Return where the partitions of a topic end."""
        return self.cluster.ends(self.kafka.topic(topic))

    def post(self, records: Iterable[RecordValue]) -> None:
        """Append posts of events."""
        posts = (OutboundRecord(EVENTS, each.key or b"", each.value or b"", [*each.headers], 0) for each in records)
        publish(self.kafka, posts)

    def first(self, begins: dict[int, int]) -> int:
        """Return when the broker appended the first post beyond those ends (ms)."""
        topic, group = self.kafka.topic(EVENTS), self.cluster.prefixed("first")
        return min(int(message.timestamp()[1]) for message in read_all(self.kafka.bootstrap, topic, group, begins))

    def read(self, begins: dict[int, int], done: Callable[[Arrived], bool]) -> Arrived:
        """Read `activities` from those ends on until what arrived is enough."""
        arrived, until = Arrived(), time.monotonic() + _LIMIT_S
        with closing(self._consumer(ACTIVITIES, begins)) as consumer:
            while not done(arrived):
                self.child.must_run()
                if time.monotonic() > until:
                    raise MustStop(
                        f"after {_LIMIT_S} s there are {arrived.values:,} values and {arrived.tombstones:,} tombstones:\n"
                        f"{self.child.output()[-2000:]}"
                    )
                for message in consumer.consume(5_000, timeout=0.25):
                    if message.error() is None:
                        arrived.add(message)
        return arrived

    def _consumer(self, topic: str, begins: dict[int, int]) -> Consumer:
        consumer = Consumer({
            "bootstrap.servers": self.kafka.bootstrap, "group.id": self.cluster.prefixed("reader"), "isolation.level": "read_committed",
            "enable.auto.commit": False, "log_level": 2,
        })  # fmt: skip
        consumer.assign([TopicPartition(self.kafka.topic(topic), number, offset) for number, offset in begins.items()])
        return consumer


class EventRate(NamedTuple):
    """Events a second from the append of the first post to that of the last activity, and CPU time of the process an event (µs)."""

    per_second: float
    cpu_us: float


def rate(work: Work, posts: Sequence[RecordValue]) -> EventRate:
    """Post events, and return how fast they became activities."""
    sources, outputs, cpu = work.ends(EVENTS), work.ends(ACTIVITIES), work.child.cpu_s()
    work.post(posts)
    arrived = work.read(outputs, lambda found: found.values >= len(posts))
    cpu_us = (work.child.cpu_s() - cpu) / len(posts) * 1e6
    return EventRate(len(posts) / (arrived.last_value - work.first(sources)) * 1000, cpu_us)


@contextmanager
def working(cluster: Cluster, name: str, *, prepared: str = "", details: int = 0) -> Iterator[Work]:
    """Yield the agents over new topics, which are deleted afterwards."""
    prefix = cluster.prefixed(f"{name}.")
    job = Job(bootstrap=cluster.bootstrap, prefix=prefix, partitions=PARTITIONS, prepared=prepared, details=details)
    asyncio.run(topics.apply(job.kafka, only=_used(job)))
    cluster.use_broker_time([job.kafka.topic(EVENTS), job.kafka.topic(ACTIVITIES)])
    with running(Child.python("-m", "bench.activities.worker", msgspec.json.encode(job).decode())) as child:
        yield Work(cluster, job.kafka, child)
    cluster.delete([topic for topic in cluster.topics() if prefix in topic])


def _used(job: Job) -> list[str]:
    """Return the topics that the three agents read and write."""
    agents = agents_of_job(msgspec.structs.replace(job, prepared="", details=0))
    names = {agent.name for agent in agents}
    return [
        topic.name
        for topic in TOPICS.values()
        if names & {*topic.written_by} or topic.name in _ALWAYS or any(topic.name in agent.sources for agent in agents)
    ]
