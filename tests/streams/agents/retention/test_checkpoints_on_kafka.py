"""Checkpoints on a real broker: a topic that lost its events gives the table back, and a rebuild may begin."""

import asyncio
from collections.abc import Collection

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from connectors.kafka import topics
from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from connectors.kafka.transaction import transactions
from schemas.errors import BadConfiguration
from schemas.message import header
from schemas.profiles.checkpoints import COMPLETED_TYPE, FROM_HEADER
from streams.agents.contacts import contacts
from streams.agents.retention.checkpoints import STATE, with_checkpoints
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.ops.rebuild.history import require_history
from tests.patience import DEADLINE_S
from tests.streams.agents.retention.test_erasure import AVRO, TENANCY
from tests.support.engines import QUICK, append_posts, caught_up, rows_of, until
from tests.support.identity.histories import shared_history
from tests.support.intercom_bodies import APP

pytestmark = pytest.mark.asyncio

TOPIC, PARTITIONS = "intercom.contacts", 2
AGENT = with_checkpoints(contacts(TENANCY, AVRO), every_ms=1_500, pause_ms=50)


async def rounds(kafka: KafkaSettings) -> dict[int, list[int]]:
    """Return the offsets at which the completed rounds of each partition began, in order."""
    records = await read_to_end(kafka, TOPIC, lambda record: record)
    completed = [record for record in records if header(record.headers, "ce_type") == COMPLETED_TYPE]
    began: dict[int, list[int]] = {}
    for record in completed:
        began.setdefault(record.partition, []).append(int(header(record.headers, FROM_HEADER) or ""))
    return began


async def cut(kafka: KafkaSettings, offsets: dict[int, int]) -> None:
    """Delete the beginning of each partition, as retention does."""
    async with admin_client(kafka) as admin:
        await admin.delete_records(
            {
                TopicPartition(kafka.topic(TOPIC), partition): RecordsToDelete(before_offset=offset)
                for partition, offset in offsets.items()
            }
        )


def records_only(rows: dict[str, bytes]) -> dict[str, bytes]:
    return {key: row for key, row in rows.items() if key != STATE}


async def table_of(kafka: KafkaSettings, names: Naming) -> dict[str, bytes]:
    """Run the agent until it has read everything, and return its rows."""
    await topics.apply(kafka, names.changelogs((AGENT,)), only=[])
    async with running((AGENT,), kafka=kafka, limits=QUICK, names=names) as work:
        await until(lambda: work.engine.ready.is_set() and caught_up(work), "the topic is read")
        return records_only(rows_of(work, AGENT.name))


async def refused(kafka: KafkaSettings, inputs: Collection[str]) -> bool:
    try:
        await require_history(kafka, inputs)
    except BadConfiguration:
        return True
    return False


async def test_a_topic_that_lost_its_events_to_retention_gives_the_table_back(kafka: str, prefix: str) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS)
    names = Naming(prefix=prefix)
    await topics.apply(settings, names.changelogs((AGENT,)))
    async with running((AGENT,), kafka=settings, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "the agent is ready")
        async with transactions(settings, "test") as producer:
            await append_posts(producer, TOPIC, shared_history(5, 200, 40, (APP,)))
        async with asyncio.timeout(DEADLINE_S):
            while len(completed := await rounds(settings)) < PARTITIONS:  # noqa: ASYNC110  # Kafka sets no event
                await asyncio.sleep(0.2)
        await until(lambda: caught_up(work), "the rounds are read")
        expected = records_only(rows_of(work, AGENT.name))
    assert len(expected) > 10
    began = {partition: offsets[0] for partition, offsets in completed.items()}
    await cut(settings, {partition: offset // 2 for partition, offset in began.items()})
    assert not await refused(settings, [TOPIC])
    await cut(settings, began)
    assert not await refused(settings, [TOPIC]), "the log begins where the rounds began"
    assert await table_of(settings, Naming(prefix=prefix, application="again")) == expected
    await cut(settings, {partition: offsets[-1] + 3 for partition, offsets in (await rounds(settings)).items()})
    assert await refused(settings, [TOPIC])
