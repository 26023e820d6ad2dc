"""How many records a consumer group has not read yet of a topic, by what it has committed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.admin import admin_client
from connectors.kafka.ranges import partitions_of
from connectors.kafka.settings import KafkaSettings
from schemas.errors import Unavailable


@asynccontextmanager
async def group_lag(kafka: KafkaSettings, group: str, topic: str) -> AsyncIterator[Callable[[], Awaitable[int]]]:
    """Yield a function that returns the lag of a group on a topic (both named as on the broker), in offsets over all partitions.

    Transaction markers count as offsets too, so a group that has read everything may seem to lag by a few.
    """
    consumer = AIOKafkaConsumer(**kafka.client(), isolation_level="read_committed", enable_auto_commit=False)
    try:
        await consumer.start()
        partitions = [TopicPartition(topic, number) for number in sorted(await partitions_of(consumer, topic))]
        async with admin_client(kafka) as admin:

            async def lag() -> int:
                committed = await admin.list_consumer_group_offsets(group, partitions=partitions)
                ends, starts = await consumer.end_offsets(partitions), await consumer.beginning_offsets(partitions)
                read = {each: committed[each].offset if each in committed else -1 for each in partitions}
                return sum(ends[each] - max(read[each], starts[each]) for each in partitions)

            yield lag
    except (KafkaError, OSError) as error:
        raise Unavailable(f"Kafka at {kafka.bootstrap} stopped answering ({type(error).__name__}). Is it running?") from error
    finally:
        await consumer.stop()
