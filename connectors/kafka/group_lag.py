"""How many records a consumer group has not read yet of topics, by what it has committed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError

from connectors.kafka.admin import admin_client
from connectors.kafka.clients import Consumer, started
from connectors.kafka.ranges import partitions_of
from connectors.kafka.settings import KafkaSettings


@asynccontextmanager
async def group_lag(kafka: KafkaSettings, group: str, *topics: str) -> AsyncIterator[Callable[[], Awaitable[dict[str, int]]]]:
    """Yield a function that returns the lag of a group (all names as on the broker) in offsets over all partitions, by topic.

    Transaction markers count as offsets too, so a group that has read everything may seem to lag by a few.
    """
    try:
        async with (
            started(Consumer(kafka, isolation_level="read_committed", enable_auto_commit=False)) as consumer,
            admin_client(kafka) as admin,
        ):
            partitions = await partitions_of(consumer, *topics)

            async def lag() -> dict[str, int]:
                committed = await admin.list_consumer_group_offsets(group, partitions=partitions)
                ends, starts = await consumer.end_offsets(partitions), await consumer.beginning_offsets(partitions)
                by_topic = dict.fromkeys(topics, 0)
                for each in partitions:
                    read = committed[each].offset if each in committed else -1
                    by_topic[each.topic] += max(0, ends[each] - max(read, starts[each]))
                return by_topic

            yield lag
    except (KafkaError, OSError) as error:
        raise kafka.unavailable(error) from error
