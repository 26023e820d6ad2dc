"""Reading a topic to its present end on a real broker: which partition and key, and what is not committed."""

import asyncio

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic

from connectors.kafka import decided_ends
from connectors.kafka.admin import admin_client
from connectors.kafka.clients import Consumer, started
from connectors.kafka.ranges import OffsetRange, open_ranges, partitions_of
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.errors import Unavailable
from schemas.partition import partition_of

pytestmark = pytest.mark.asyncio

NAME = "read.to.end"
KEYS = (b"a", b"b", b"c", b"d")


@pytest_asyncio.fixture
async def settings(kafka: str, prefix: str) -> KafkaSettings:
    found = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    async with admin_client(found) as client:
        await client.create_topics([NewTopic(found.topic(NAME), 3, 1)])
    return found


async def send(settings: KafkaSettings, producer: AIOKafkaProducer, key: bytes, value: bytes) -> None:
    await producer.send_and_wait(settings.topic(NAME), value, key=key, partition=partition_of(key, 3))


async def test_all_partitions_are_read_in_their_order_and_one_key_from_its_own(settings: KafkaSettings):
    async with AIOKafkaProducer(**settings.client()) as producer:
        for value in (b"1", b"2"):
            for key in KEYS:
                await send(settings, producer, key, value)
    everything = await read_to_end(settings, NAME, lambda record: (record.key, record.value))
    assert sorted(everything) == sorted((key, value) for key in KEYS for value in (b"1", b"2"))
    assert await read_to_end(settings, NAME, lambda record: record.value, keys=[b"b"]) == [b"1", b"2"]
    assert await read_to_end(settings, NAME, lambda record: record.value if record.key == b"c" else None) == [b"1", b"2"]
    assert await read_to_end(settings, NAME, lambda record: record.value, keys=[b"none"]) == []


async def test_the_records_of_several_keys_and_groups_are_read_from_their_partitions(settings: KafkaSettings):
    async with AIOKafkaProducer(**settings.client()) as producer:
        for key in (*KEYS, b"g|1", b"g", b"g|2", b"h|1"):
            await send(settings, producer, key, key)
    read = await read_to_end(settings, NAME, lambda record: record.value, keys=[b"a", b"c"], groups=[b"g"])
    assert sorted(read) == [b"a", b"c", b"g", b"g|1", b"g|2"]


async def test_where_partitions_begin_and_end_is_known_while_a_fetch_waits_for_records(settings: KafkaSettings):
    waiting_ms = 10 * 60_000  # behind such a fetch on one connection, a request times out
    async with started(Consumer(settings, fetch_max_wait_ms=waiting_ms, auto_offset_reset="earliest")) as consumer:
        places = await partitions_of(consumer, settings.topic(NAME))
        consumer.assign(places)
        assert await consumer.getmany(timeout_ms=500) == {}
        assert await consumer.beginning_offsets(places) == await consumer.end_offsets(places) == dict.fromkeys(places, 0)
        assert await consumer.written_ends(places) == dict.fromkeys(places, 0)


async def test_what_is_not_committed_is_not_there(settings: KafkaSettings):
    async with AIOKafkaProducer(**settings.client(), transactional_id=f"{settings.topic_prefix}t") as producer:
        async with producer.transaction():
            await send(settings, producer, b"a", b"committed")
        await producer.begin_transaction()
        await send(settings, producer, b"a", b"given up")
        await producer.abort_transaction()
        assert await read_to_end(settings, NAME, lambda record: record.value, keys=[b"a"]) == [b"committed"]


async def test_a_transaction_that_is_open_when_reading_begins_is_waited_for(settings: KafkaSettings):
    """A commit is answered before its markers are written: what comes to the same for a reader is a transaction that is still open."""
    number = partition_of(b"a", 3)
    async with AIOKafkaProducer(**settings.client(), transactional_id=f"{settings.topic_prefix}t") as producer:
        await producer.begin_transaction()
        await send(settings, producer, b"a", b"open")
        async with open_ranges(settings, settings.topic(NAME), decided=False) as reader:
            assert (await reader.bounds())[number] == OffsetRange(0, 0)
            assert await reader.written_end(number) == 1
            assert [record.value async for record in reader.records()] == []
        reading = asyncio.create_task(read_to_end(settings, NAME, lambda record: record.value))
        async with open_ranges(
            settings, settings.topic(NAME), decided=False
        ) as other:  # the reader has begun by now, or will soon
            await other.bounds()
        assert not reading.done()
        await producer.commit_transaction()
    assert await reading == [b"open"]


async def test_a_transaction_that_stays_open_is_named_with_what_to_do(settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(decided_ends, "_DECIDED_S", 0.3)
    async with AIOKafkaProducer(**settings.client(), transactional_id=f"{settings.topic_prefix}t") as producer:
        await producer.begin_transaction()
        await send(settings, producer, b"a", b"open")
        with pytest.raises(
            Unavailable, match=rf"{NAME} \(partition {partition_of(b'a', 3)}\) is open since .* `intercom-streams doctor`"
        ):
            await read_to_end(settings, NAME, lambda record: record.value)
        await producer.abort_transaction()


async def test_a_topic_that_is_not_there_is_named_with_what_to_do(settings: KafkaSettings):
    with pytest.raises(Unavailable, match="topics apply"):
        await read_to_end(settings, "nothing.of.the.kind", lambda record: record.value)
