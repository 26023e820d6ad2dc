"""The Kafka cluster of a benchmark: its topics, and how many records they have."""

import contextlib
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any, TypeVar

import msgspec
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the package exports them, its stub does not say so
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from schemas.errors import Unavailable

T = TypeVar("T")

_ANSWER_S = 30
_NO_LOG = {"log_level": 2}  # librdkafka writes to stderr whenever a broker starts or stops


class Cluster(msgspec.Struct, frozen=True):
    """A bootstrap address, and the prefix of every topic, group and file of this run."""

    bootstrap: str
    prefix: str

    def prefixed(self, name: str) -> str:
        """Return a name with the run's prefix."""
        return f"{self.prefix}{name}"

    def create(self, topics: Mapping[str, Mapping[str, str]], partitions: int) -> None:
        """Create topics with their settings and wait until they have leaders."""
        new_topics = [NewTopic(name, partitions, 1, config=dict(settings)) for name, settings in topics.items()]
        admin = self._admin()  # a local variable: the futures fail once the client is garbage-collected
        for future in admin.create_topics(new_topics, operation_timeout=_ANSWER_S).values():
            future.result(_ANSWER_S)
        self.watch(list(topics)).total()

    def delete(self, topics: list[str], limit_s: float = _ANSWER_S) -> None:
        """Delete topics, and wait for so long until the broker lists them no more; missing ones are ignored."""
        if not topics:
            return
        admin = self._admin()
        for future in admin.delete_topics(topics, operation_timeout=limit_s).values():
            with contextlib.suppress(KafkaException):
                future.result(limit_s)
        deadline = time.monotonic() + limit_s
        while set(topics) & set(self._topics(admin)) and time.monotonic() < deadline:  # a busy broker lists them for a while
            time.sleep(0.1)

    def clear(self, limit_s: float) -> None:
        """Delete the run's own topics, and return when the broker lists none; raise `Unavailable` if it still does after so long."""
        admin = self._admin()
        deadline = time.monotonic() + limit_s
        deleted: set[str] = set()
        while listed := self._topics(admin):
            if new := sorted(set(listed) - deleted):
                deleted |= set(new)
                for future in admin.delete_topics(new, operation_timeout=limit_s).values():
                    with contextlib.suppress(KafkaException):
                        future.result(limit_s)
            elif time.monotonic() > deadline:
                raise Unavailable(f"Kafka at {self.bootstrap} still lists {', '.join(listed)} after {limit_s} s.")
            else:
                time.sleep(0.1)  # a busy broker lists them for a while

    def topics(self) -> list[str]:
        """Return the run's own topics: Quix Streams and Kafka Streams put words of their own before the prefix."""
        return self._topics(self._admin())

    def ports(self) -> frozenset[int]:
        """Return the ports of its brokers."""
        return frozenset(broker.port for broker in self._admin().list_topics(timeout=_ANSWER_S).brokers.values())

    def brokers(self) -> list[tuple[str, int]]:
        """Return the addresses of its brokers."""
        return [(str(broker.host), broker.port) for broker in self._admin().list_topics(timeout=_ANSWER_S).brokers.values()]

    def use_broker_time(self, topics: list[str]) -> None:
        """Let the broker stamp the records of existing topics: one clock for all systems."""
        change = ConfigEntry("message.timestamp.type", "LogAppendTime", incremental_operation=AlterConfigOpType.SET)
        changes = [ConfigResource(ResourceType.TOPIC, name, incremental_configs=[change]) for name in topics]
        admin = self._admin()
        for future in admin.incremental_alter_configs(changes).values():
            future.result(_ANSWER_S)

    def ends(self, topic: str) -> dict[int, int]:
        """Return the end offset of each partition of a topic."""
        return self.ends_of([topic])[topic]

    def ends_of(self, topics: Collection[str]) -> dict[str, dict[int, int]]:
        """Return the end offset of each partition of each topic; one request asks for all."""
        admin = self._admin()
        known = admin.list_topics(timeout=_ANSWER_S).topics
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # its stub has no types
        asked = {TopicPartition(topic, number): latest for topic in topics for number in known[topic].partitions}

        def answered() -> dict[str, dict[int, int]]:
            ends: dict[str, dict[int, int]] = {topic: {} for topic in topics}
            for partition, answer in (admin.list_offsets(asked) if asked else {}).items():
                ends[partition.topic][partition.partition] = answer.result(_ANSWER_S).offset
            return ends

        return _retry(
            answered, f"Kafka at {self.bootstrap} does not say where topics end"
        )  # a new one has no leader for a moment

    def watch(self, topics: list[str]) -> "OffsetWatch":
        """Return a watch of the end offsets of topics."""
        consumer = Consumer({**_NO_LOG, "bootstrap.servers": self.bootstrap, "group.id": self.prefixed("watch")})
        return _retry(lambda: OffsetWatch(consumer, topics), f"Kafka at {self.bootstrap} does not show new topics")

    def wait_for_coordinator(self) -> None:
        """Wait until the broker serves groups: a new cluster creates the offsets topic at the first request."""
        consumer = Consumer({**_NO_LOG, "bootstrap.servers": self.bootstrap, "group.id": self.prefixed("first")})
        partition = TopicPartition(self.prefixed("first"), 0)
        _retry(lambda: consumer.committed([partition], timeout=2), f"Kafka at {self.bootstrap} serves no consumer groups")
        consumer.close()

    def _topics(self, admin: AdminClient) -> list[str]:
        return [name for name in admin.list_topics(timeout=_ANSWER_S).topics if self.prefix in name]

    def _admin(self) -> AdminClient:
        return AdminClient({**_NO_LOG, "bootstrap.servers": self.bootstrap})


class OffsetWatch:
    """Read the end offsets of some topics repeatedly on one connection."""

    def __init__(self, consumer: Consumer, topics: list[str]) -> None:
        self._consumer = consumer
        known = consumer.list_topics(timeout=_ANSWER_S).topics
        if missing := [topic for topic in topics if topic not in known]:
            raise Unavailable(f"Kafka does not know {', '.join(missing)}.")
        self._partitions = [TopicPartition(topic, number) for topic in topics for number in known[topic].partitions]

    def total(self) -> int:
        """Return the sum of all end offsets, transaction markers included. Waits for the leaders of new topics."""
        return sum(_end(self._consumer, partition) for partition in self._partitions)

    def close(self) -> None:
        self._consumer.close()


def _end(consumer: Consumer, partition: TopicPartition) -> int:
    """Return a partition's end offset. Waits for the leader of a new topic."""
    ends = _retry(partial(consumer.get_watermark_offsets, partition, timeout=_ANSWER_S), f"{partition.topic} has no leader")
    return int(ends[1])


def _retry(ask: Callable[[], T], failure: str) -> T:
    deadline = time.monotonic() + _ANSWER_S
    while True:
        with contextlib.suppress(KafkaException, Unavailable):
            return ask()
        if time.monotonic() > deadline:
            raise Unavailable(f"{failure} after {_ANSWER_S} s. Its log says why.")
        time.sleep(0.1)


def fresh_prefix() -> str:
    """Return a prefix that no other run has, and that names the process."""
    return f"bench-{os.getpid()}-{secrets.token_hex(4)}-"


def source_producer(bootstrap: str, **more: str) -> Producer:
    """Return a producer that writes the source topic of a benchmark in order.

    Without idempotence, retried batches on a new topic are appended after later ones, and a late event may change nothing.
    """
    return Producer(
        {
            **_NO_LOG,
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "linger.ms": 20,
            "queue.buffering.max.messages": 2_000_000,
            **more,
        }
    )


def read_all(bootstrap: str, topic: str, group: str, begin: Mapping[int, int] | None = None) -> Iterator[Any]:
    """Yield every committed record of a topic, as confluent-kafka's messages, up to its present end.

    `begin` has the first offset by partition; without it the topic is read from its start.
    """
    return read_topics(bootstrap, group, {topic: begin or {}})


def read_topics(bootstrap: str, group: str, begins: Mapping[str, Mapping[int, int]]) -> Iterator[Any]:
    """Yield every committed record of several topics from the offsets given, up to their present ends; what begins nowhere is read whole."""
    consumer = Consumer({
        **_NO_LOG, "bootstrap.servers": bootstrap, "group.id": group, "isolation.level": "read_committed",
        "enable.auto.commit": False, "enable.partition.eof": True, "fetch.wait.max.ms": 20,
    })  # fmt: skip
    known = consumer.list_topics(timeout=_ANSWER_S).topics
    unfinished = {(topic, number) for topic in begins for number in known[topic].partitions}
    consumer.assign([TopicPartition(topic, number, begins[topic].get(number, 0)) for topic, number in sorted(unfinished)])
    silent_since = time.monotonic()
    while unfinished:
        messages = consumer.consume(5_000, timeout=0.1)  # waits at most 0.1 s for so many
        if messages:
            silent_since = time.monotonic()
        elif time.monotonic() - silent_since > _ANSWER_S:
            raise Unavailable(f"Kafka at {bootstrap} stopped answering while {', '.join(sorted(begins))} was read.")
        for message in messages:
            if message.error() is None:
                yield message
            else:  # the end of a partition, as asked for
                unfinished.discard((message.topic(), message.partition()))
    consumer.close()
