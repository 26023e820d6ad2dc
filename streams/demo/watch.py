"""A subscriber like any other: committed records of the public topics, each with the moment it was first seen."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.errors import MustStop
from schemas.topics import TOPICS, Encoding


class SeenRecord(NamedTuple):
    """A record as a subscriber got it; `at` is of this process's monotonic clock, in seconds."""

    key: str
    value: Any
    at: float


class NotSeen(MustStop):
    """Say what should have appeared and did not."""


class TopicWatch:
    """All that was seen so far, by topic. `until` waits for what a predicate asks for."""

    def __init__(self) -> None:
        self.seen: dict[str, list[SeenRecord]] = {}
        self._news = asyncio.Condition()

    async def note(self, topic: str, record: SeenRecord) -> None:
        """Add a record and wake who waits."""
        async with self._news:
            self.seen.setdefault(topic, []).append(record)
            self._news.notify_all()

    async def until(self, topic: str, wanted: Callable[[Any], bool], what: str, *, within_s: float) -> SeenRecord:
        """Return the first record wanted, past or to come; raise `Expected` when there is none in time."""
        found: list[SeenRecord] = []

        def there() -> bool:
            found[:] = [record for record in self.seen.get(topic, ()) if record.value is not None and wanted(record.value)]
            return bool(found)

        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(there)
        except TimeoutError:
            raise NotSeen(f"{what} did not appear in {topic} within {within_s:g} s.") from None
        return found[0]


@asynccontextmanager
async def watching(kafka: KafkaSettings, topics: Sequence[str], avro: Avro) -> AsyncIterator[TopicWatch]:
    """Read all of some topics until the block ends; without a group, so that nobody else's place is touched."""
    named = {kafka.topic(topic): topic for topic in topics}
    consumer = AIOKafkaConsumer(*named, **kafka.client(), isolation_level="read_committed", auto_offset_reset="earliest")
    await consumer.start()
    watch = TopicWatch()
    reading = asyncio.create_task(_read(consumer, named, avro, watch))
    try:
        yield watch
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await consumer.stop()


async def record_at(kafka: KafkaSettings, topic: str, partition: int, offset: int) -> bytes:
    """Return the value of one record: what evidence points at can be looked up by anybody."""
    consumer = AIOKafkaConsumer(**kafka.client(), isolation_level="read_committed")
    await consumer.start()
    try:
        place = TopicPartition(kafka.topic(topic), partition)
        consumer.assign([place])
        consumer.seek(place, offset)
        async with asyncio.timeout(10):
            record = await consumer.getone(place)
        return bytes(record.value)
    finally:
        await consumer.stop()


async def _read(consumer: AIOKafkaConsumer, named: Mapping[str, str], avro: Avro, watch: TopicWatch) -> None:
    async for record in consumer:
        topic = named[record.topic]
        await watch.note(topic, SeenRecord((record.key or b"").decode(), _value(topic, record.value, avro), time.monotonic()))


def _value(topic: str, value: bytes | None, avro: Avro) -> Any:
    if value is None:
        return None
    return avro.decode(value)[1] if TOPICS[topic].encoding is Encoding.AVRO else msgspec.json.decode(value)
