"""The Kafka under a benchmark, seen from outside: topics of its own, and how much they hold."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TypeVar

import msgspec
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]  # the package exports it, its stub does not say so

from schemas.errors import Unavailable

T = TypeVar("T")

_ANSWER_S = 30
_QUIET = {"log_level": 2}  # librdkafka writes to stderr whenever a broker starts or stops


class Cluster(msgspec.Struct, frozen=True):
    """A bootstrap address and the prefix of every topic, group and file of this run."""

    bootstrap: str
    prefix: str

    def named(self, name: str) -> str:
        """Return the run's own name for something."""
        return f"{self.prefix}{name}"

    def create(self, topics: Mapping[str, Mapping[str, str]], partitions: int) -> None:
        """Create topics with their settings and wait until they have leaders."""
        wanted = [NewTopic(name, partitions, 1, config=dict(settings)) for name, settings in topics.items()]
        admin = self._admin()  # held: its futures fail once it is collected
        for made in admin.create_topics(wanted, operation_timeout=_ANSWER_S).values():
            made.result(_ANSWER_S)
        self.watching(list(topics)).total()

    def delete(self, topics: list[str]) -> None:
        """Delete topics; one that is not there is no matter."""
        if not topics:
            return
        admin = self._admin()
        for gone in admin.delete_topics(topics, operation_timeout=_ANSWER_S).values():
            with contextlib.suppress(KafkaException):
                gone.result(_ANSWER_S)

    def topics(self) -> list[str]:
        """Return the run's own topics."""
        return [name for name in self._admin().list_topics(timeout=_ANSWER_S).topics if name.startswith(self.prefix)]

    def ports(self) -> frozenset[int]:
        """Return the ports of its brokers."""
        return frozenset(broker.port for broker in self._admin().list_topics(timeout=_ANSWER_S).brokers.values())

    def watching(self, topics: list[str]) -> "Watch":
        """Return a view of how far topics reach."""
        consumer = Consumer({**_QUIET, "bootstrap.servers": self.bootstrap, "group.id": self.named("watch")})
        return _retried(lambda: Watch(consumer, topics), f"Kafka at {self.bootstrap} does not show new topics")

    def wait_for_coordinator(self) -> None:
        """Wait until the broker serves groups: a new cluster creates their topic at the first question, and rivals should not pay for it."""
        consumer = Consumer({**_QUIET, "bootstrap.servers": self.bootstrap, "group.id": self.named("first")})
        place = TopicPartition(self.named("first"), 0)
        _retried(lambda: consumer.committed([place], timeout=2), f"Kafka at {self.bootstrap} serves no consumer groups")
        consumer.close()

    def _admin(self) -> AdminClient:
        return AdminClient({**_QUIET, "bootstrap.servers": self.bootstrap})


class Watch:
    """Count the offsets of some topics over and over on one connection."""

    def __init__(self, consumer: Consumer, topics: list[str]) -> None:
        self._consumer = consumer
        known = consumer.list_topics(timeout=_ANSWER_S).topics
        if missing := [topic for topic in topics if topic not in known]:
            raise Unavailable(f"Kafka does not know {', '.join(missing)}.")
        self._parts = [TopicPartition(topic, number) for topic in topics for number in known[topic].partitions]

    def total(self) -> int:
        """Return the sum of all end offsets, transaction markers included. Waits for the leaders of new topics."""
        return sum(_retried(partial(self._end, part), f"{part.topic} has no leader") for part in self._parts)

    def _end(self, part: TopicPartition) -> int:
        return int(self._consumer.get_watermark_offsets(part, timeout=_ANSWER_S)[1])

    def close(self) -> None:
        self._consumer.close()


def _retried(ask: Callable[[], T], wrong: str) -> T:
    until = time.monotonic() + _ANSWER_S
    while True:
        with contextlib.suppress(KafkaException, Unavailable):
            return ask()
        if time.monotonic() > until:
            raise Unavailable(f"{wrong} after {_ANSWER_S} s. Its log says why.")
        time.sleep(0.1)


def fresh_prefix() -> str:
    """Return a prefix nobody else has."""
    return f"bench-{secrets.token_hex(4)}-"


def filling(bootstrap: str, **more: str) -> Producer:
    """Return a producer that writes a source of benchmarks in order.

    Without idempotence, batches tried again on a new topic come behind later ones, and an event that comes late may change nothing.
    """
    return Producer(
        {
            **_QUIET,
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "linger.ms": 20,
            "queue.buffering.max.messages": 2_000_000,
            **more,
        }
    )


def read_all(bootstrap: str, topic: str, group: str) -> Iterator[object]:
    """Yield every committed record of a topic, as confluent-kafka's messages, up to where it ends now."""
    consumer = Consumer({
        **_QUIET, "bootstrap.servers": bootstrap, "group.id": group, "isolation.level": "read_committed",
        "enable.auto.commit": False, "enable.partition.eof": True, "fetch.wait.max.ms": 20,
    })  # fmt: skip
    parts = list(consumer.list_topics(topic, timeout=_ANSWER_S).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, number, 0) for number in parts])
    reading = set(parts)
    silent_since = time.monotonic()
    while reading:
        messages = consumer.consume(5_000, timeout=0.1)  # waits so long for that many
        if messages:
            silent_since = time.monotonic()
        elif time.monotonic() - silent_since > _ANSWER_S:
            raise Unavailable(f"Kafka at {bootstrap} stopped answering while {topic} was read.")
        for message in messages:
            if message.error() is None:
                yield message
            else:  # the end of a partition, as asked for
                reading.discard(message.partition())
    consumer.close()
