"""Read what a topic holds up to its present end: committed records only, without a consumer group."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import present
from schemas.errors import Unavailable
from schemas.partition import partition_of

_START_S: Final = 15.0
_POLL_MS: Final = 2000  # a poll of that long without a record means that nothing more is committed

T = TypeVar("T")


async def read_to_end(kafka: KafkaSettings, name: str, keep: Callable[[Any], T | None], *, key: bytes | None = None) -> list[T]:
    """Return what `keep` makes of each record, without None, in the order of each partition.

    With `key`, only the records with that key are read. Raises Unavailable where Kafka or the topic is not there.
    """
    topic = kafka.topic(name)
    count = (await present(kafka)).get(topic, 0)
    if not count:
        raise Unavailable(f"There is no topic {topic} at {kafka.bootstrap}. Run: intercom-streams topics apply")
    numbers = range(count) if key is None else [partition_of(key, count)]
    partitions = [TopicPartition(topic, number) for number in numbers]
    consumer = AIOKafkaConsumer(
        **kafka.client(), isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        async with asyncio.timeout(_START_S):
            await consumer.start()
        consumer.assign(partitions)
        return await _read(consumer, partitions, lambda record: keep(record) if key in (None, record.key) else None)
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(f"Kafka at {kafka.bootstrap} did not answer ({type(error).__name__}). Is it up?") from error
    finally:
        await consumer.stop()


async def _read(consumer: Any, partitions: list[TopicPartition], keep: Callable[[Any], T | None]) -> list[T]:
    """Read to the present end of each partition, or to the first open transaction: nothing after it is committed."""
    kept: list[T] = []
    ends = await consumer.end_offsets(partitions)
    for partition in partitions:
        previous = -1
        while previous < (position := await consumer.position(partition)) < ends[partition]:
            previous = position
            for records in (await consumer.getmany(partition, timeout_ms=_POLL_MS)).values():
                kept += [made for record in records if (made := keep(record)) is not None]
    return kept
