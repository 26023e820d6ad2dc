"""A plain Kafka subscriber: committed records of the public topics, each with the time it arrived."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec
from aiokafka import TopicPartition

from connectors.kafka.clients import Consumer, started
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.errors import MustStop
from schemas.topics import TOPICS, Encoding


class SeenRecord(NamedTuple):
    """A record as the subscriber received it; `at` is the arrival time on this process's monotonic clock, in seconds."""

    key: str
    value: Any
    at: float


class NotSeen(MustStop):
    """A record that the story requires did not appear."""


class TopicWatch:
    """All records received so far, by topic; `until` waits for one that a predicate accepts."""

    def __init__(self) -> None:
        self.records: dict[str, list[SeenRecord]] = {}
        self._record_added = asyncio.Condition()

    async def add(self, topic: str, record: SeenRecord) -> None:
        """Store a record and wake those who wait."""
        async with self._record_added:
            self.records.setdefault(topic, []).append(record)
            self._record_added.notify_all()

    async def until(self, topic: str, predicate: Callable[[Any], bool], description: str, *, within_s: float) -> SeenRecord:
        """Return the first record that the predicate accepts, stored or future; raise `NotSeen` after `within_s`."""
        matches: list[SeenRecord] = []

        def has_match() -> bool:
            matches[:] = [
                record for record in self.records.get(topic, ()) if record.value is not None and predicate(record.value)
            ]
            return bool(matches)

        try:
            async with asyncio.timeout(within_s), self._record_added:
                await self._record_added.wait_for(has_match)
        except TimeoutError:
            raise NotSeen(f"{description} did not appear in {topic} within {within_s:g} s.") from None
        return matches[0]


@asynccontextmanager
async def watch_topics(kafka: KafkaSettings, topics: Sequence[str], avro: Avro) -> AsyncIterator[TopicWatch]:
    """Read some topics from the beginning until the block ends, without a consumer group, so no committed offset changes."""
    topic_names = {kafka.topic(topic): topic for topic in topics}
    consumer = Consumer(kafka, *topic_names, isolation_level="read_committed", auto_offset_reset="earliest")
    async with started(consumer):
        watch = TopicWatch()
        read_task = asyncio.create_task(_read(consumer, topic_names, avro, watch))
        try:
            yield watch
        finally:
            read_task.cancel()
            await asyncio.gather(read_task, return_exceptions=True)


async def record_at(kafka: KafkaSettings, topic: str, partition: int, offset: int) -> bytes:
    """Return the value of one record; any subscriber can look up evidence in this way."""
    async with started(Consumer(kafka, isolation_level="read_committed")) as consumer:
        topic_partition = TopicPartition(kafka.topic(topic), partition)
        consumer.assign([topic_partition])
        consumer.seek(topic_partition, offset)
        async with asyncio.timeout(10):
            record = await consumer.getone(topic_partition)
        return bytes(record.value)


async def _read(consumer: Consumer, topic_names: Mapping[str, str], avro: Avro, watch: TopicWatch) -> None:
    async for record in consumer:
        topic = topic_names[record.topic]
        await watch.add(topic, SeenRecord((record.key or b"").decode(), _value(topic, record.value, avro), time.monotonic()))


def _value(topic: str, value: bytes | None, avro: Avro) -> Any:
    if value is None:
        return None
    return avro.decode(value)[1] if TOPICS[topic].encoding is Encoding.AVRO else msgspec.json.decode(value)
