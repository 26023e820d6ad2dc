"""A log that has lost records stops its partitions, on a real broker, instead of letting them continue on wrong tables."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import NewTopic, RecordsToDelete

from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionStatus
from tests.support.counting_agent import PARTITIONS, SOURCE, counting, create_topics, producing
from tests.support.engines import KEYS, QUICK, RunEngine, processed, send, until

pytestmark = pytest.mark.asyncio


async def test_a_log_that_lost_unread_records_stops_its_partition_alone(settings: KafkaSettings, running: RunEngine) -> None:
    agent = counting()
    await create_topics(settings, agent)
    await send(settings, KEYS * 3)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(lambda: processed(work) == 3 * len(KEYS), "first round")
    await send(settings, KEYS * 3)
    async with producing(settings) as producer:
        await producer.client.force_metadata_update()
    await delete_up_to_end(settings, SOURCE, 0)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "ready")
        await until(
            lambda: all(
                processor.caught_up for processor in work.engine.all_processors() if processor.status is PartitionStatus.LIVE
            ),
            "the others caught up",
        )
        stopped = [processor for processor in work.engine.all_processors() if processor.status is PartitionStatus.STOPPED]
    assert [processor.partition for processor in stopped] == [0]
    assert "were deleted before they were read" in stopped[0].reason


async def delete_up_to_end(settings: KafkaSettings, topic: str, partition: int) -> None:
    tp = TopicPartition(settings.topic(topic), partition)
    consumer = AIOKafkaConsumer(**settings.client())
    await consumer.start()
    end = (await consumer.end_offsets([tp]))[tp]
    await consumer.stop()
    async with admin_client(settings) as admin:
        await admin.delete_records({tp: RecordsToDelete(before_offset=end)})


async def test_a_lost_changelog_stops_its_partitions_instead_of_working_on_empty_tables(
    settings: KafkaSettings, running: RunEngine
) -> None:
    agent = counting()
    await create_topics(settings, agent)
    await send(settings, KEYS)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(lambda: processed(work) == len(KEYS), "first round")
    changelog = settings.topic(Naming(prefix=settings.topic_prefix).changelog(agent.name))
    async with admin_client(settings) as admin:
        await admin.delete_topics([changelog])
        for _ in range(100):
            if changelog not in await admin.list_topics():
                break
            await asyncio.sleep(0.05)
        await admin.create_topics([NewTopic(changelog, PARTITIONS, 1)])
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "ready")
        processors = [processor for processor in work.engine.all_processors() if processor.status is PartitionStatus.STOPPED]
    assert processors
    assert all("changelog was lost" in processor.reason for processor in processors)
