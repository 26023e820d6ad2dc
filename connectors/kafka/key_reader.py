"""Read what a topic has of one key, as committed until now."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.settings import KafkaSettings
from schemas.errors import Unavailable
from schemas.message import Headers, Message
from schemas.partition import partition_of

_START_S: Final = 15.0
_POLL_MS: Final = 2000  # a poll of that long without a record means that nothing more is committed


async def records_of_key(
    kafka: KafkaSettings, topic: str, key: bytes, matches: Callable[[Headers], bool] = lambda _: True
) -> list[Message]:
    """Return the records of a key whose headers match, in log order. Raises Unavailable where Kafka does not answer."""
    name = kafka.topic(topic)
    consumer = AIOKafkaConsumer(
        name, **kafka.client(), isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        async with asyncio.timeout(_START_S):
            await consumer.start()
        partitions = [TopicPartition(name, number) for number in sorted(consumer.partitions_for_topic(name) or ())]
        if not partitions:
            raise Unavailable(f"There is no topic {name} at {kafka.bootstrap}. Run: intercom-streams topics apply")
        partition = partitions[partition_of(key, len(partitions))]
        consumer.pause(*(other for other in partitions if other != partition))
        return await _read(consumer, partition, key, matches)
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(f"Kafka at {kafka.bootstrap} did not answer ({type(error).__name__}). Is it up?") from error
    finally:
        await consumer.stop()


async def _read(consumer: Any, partition: TopicPartition, key: bytes, matches: Callable[[Headers], bool]) -> list[Message]:
    """Read to the present end of the log, or to the first open transaction: nothing after it is committed."""
    found: list[Message] = []
    end = (await consumer.end_offsets([partition]))[partition]
    previous = -1
    while previous < (position := await consumer.position(partition)) < end:
        previous = position
        for records in (await consumer.getmany(partition, timeout_ms=_POLL_MS)).values():
            found += [record for record in records if record.key == key and matches(record.headers)]
    return found
