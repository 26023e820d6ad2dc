"""What is missing is appended once, however many processes find it missing at the same moment, and nobody is fenced without need."""

import asyncio
import contextlib

import pytest
import pytest_asyncio
from aiokafka.errors import KafkaError

from connectors.kafka import topics
from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from connectors.kafka.transaction import TopicRecord, append_once, pause_before, transactions
from schemas.errors import Fenced

TOPIC, NAME = "identity.rules", "matter"
RECORD = TopicRecord(TOPIC, b"key", b"value", ())


@pytest_asyncio.fixture
async def settings(kafka: str, prefix: str) -> KafkaSettings:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1)
    await topics.apply(settings, only={TOPIC})
    return settings


async def values(settings: KafkaSettings) -> list[bytes]:
    return await read_to_end(settings, TOPIC, lambda record: record.value)


@pytest.mark.asyncio
async def test_of_many_that_look_slowly_and_begin_at_once_one_appends(settings: KafkaSettings) -> None:
    looked = 0

    async def missing() -> list[TopicRecord]:
        nonlocal looked
        looked += 1
        found = await values(settings)
        await asyncio.sleep(0.2)  # others begin meanwhile, as they do where a machine is busy
        return [] if found else [RECORD]

    appended = await asyncio.gather(*(append_once(settings, NAME, missing) for _ in range(8)))
    assert sorted(appended) == [0] * 7 + [1]
    assert await values(settings) == [b"value"]
    assert looked >= 9


@pytest.mark.asyncio
async def test_who_finds_nothing_missing_fences_nobody(settings: KafkaSettings) -> None:
    async def nothing() -> list[TopicRecord]:
        return []

    async with transactions(settings, NAME) as producer:
        assert await append_once(settings, NAME, nothing) == 0
        await producer.append([RECORD])
    assert await values(settings) == [b"value"]


@pytest.mark.asyncio
async def test_a_producer_that_was_fenced_says_so_and_writes_nothing(settings: KafkaSettings) -> None:
    async def write_between() -> None:
        async with transactions(settings, NAME) as earlier:
            async with transactions(settings, NAME) as later:
                await later.append([RECORD])
            await earlier.append([RECORD, RECORD])

    with pytest.raises(Fenced):
        await write_between()
    assert await values(settings) == [b"value"]


def test_pauses_grow_to_a_limit_and_differ_between_processes() -> None:
    longest = [max(pause_before(attempt) for _ in range(200)) for attempt in (1, 4, 9)]
    assert longest == sorted(longest)
    assert longest[-1] <= 10
    assert len({pause_before(3) for _ in range(10)}) == 10


@pytest.mark.asyncio
async def test_who_was_fenced_is_told_so_each_time_whatever_was_asked_of_kafka_around_it(settings: KafkaSettings) -> None:
    async def looks_away_from_the_first() -> None:
        async with transactions(settings, NAME) as fenced, open_ranges(settings, settings.topic(TOPIC)):
            async with transactions(settings, NAME) as later:
                await later.append([RECORD])
            with contextlib.suppress(KafkaError):
                await fenced.append([RECORD])
            await fenced.append([RECORD])

    with pytest.raises(Fenced, match="another process began to do the same"):
        await looks_away_from_the_first()
    assert await values(settings) == [b"value"]
