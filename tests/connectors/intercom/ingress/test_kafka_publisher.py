"""One contract for every outlet, tried on the one in memory and on a real Kafka; and what only Kafka can do wrong."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest
import pytest_asyncio

from connectors.intercom.ingress.kafka_publisher import KafkaPublisher
from connectors.kafka.publisher import FailureKind, MemoryPublisher, OutboundRecord, Publisher
from connectors.kafka.settings import KafkaSettings
from schemas.errors import Unavailable
from schemas.partition import partition_of
from tests.support.ingress import NOBODY, landed, make_topics

pytestmark = pytest.mark.asyncio
CONTACTS = "intercom.contacts"
ARTICLES = "intercom.articles"
DEADLINE_S = 30


async def until(question: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not question():  # noqa: ASYNC110  # there is nothing to be told by
            await asyncio.sleep(0.01)


class Tried:
    """An outlet, and a way to read what it kept."""

    def __init__(self, outlet: Publisher, prefix: str, kept: Callable[[], Awaitable[list[OutboundRecord]]]) -> None:
        self.outlet = outlet
        self.prefix = prefix
        self.kept = kept

    def record(self, number: int, topic: str = CONTACTS, size: int = 10) -> OutboundRecord:
        headers = [("ce_id", str(number).encode()), ("content-type", b"application/json")]
        return OutboundRecord(self.prefix + topic, f"ws1:c{number}".encode(), b"v" * size, headers, 1_772_090_550_000 + number)


@pytest_asyncio.fixture(params=["memory", "kafka"])
async def tried(request: pytest.FixtureRequest, prefix: str) -> AsyncIterator[Tried]:
    if request.param == "memory":
        memory = MemoryPublisher()
        memory.missing_topics = {prefix + ARTICLES}

        async def remembered() -> list[OutboundRecord]:
            return memory.records

        yield Tried(memory, prefix, remembered)
        return
    bootstrap: str = request.getfixturevalue("kafka")
    await make_topics(bootstrap, prefix, [CONTACTS])
    outlet = KafkaPublisher(KafkaSettings(bootstrap=bootstrap), [prefix + CONTACTS, prefix + ARTICLES])
    outlet.start()
    await until(lambda: outlet.connected)

    async def read() -> list[OutboundRecord]:
        found = await landed(bootstrap, prefix, [CONTACTS])
        return [OutboundRecord(one.topic, one.key, one.value, list(one.headers), one.timestamp) for one in found]

    yield Tried(outlet, prefix, read)
    await outlet.close()


def by_number(records: list[OutboundRecord]) -> list[OutboundRecord]:
    return sorted(records, key=lambda record: record.timestamp)


async def test_what_was_published_is_kept_as_it_was(tried: Tried) -> None:
    records = [tried.record(number) for number in range(50)]
    assert await tried.outlet.publish(records) == []
    assert by_number(await tried.kept()) == records


async def test_nothing_to_publish_is_no_trouble(tried: Tried) -> None:
    assert await tried.outlet.publish([]) == []


async def test_records_of_a_missing_topic_come_back_and_the_others_are_kept(tried: Tried) -> None:
    refused = await tried.outlet.publish([tried.record(1), tried.record(2, ARTICLES), tried.record(3)])
    assert [(refusal.record, refusal.kind) for refusal in refused] == [(tried.record(2, ARTICLES), FailureKind.TOPIC)]
    assert by_number(await tried.kept()) == [tried.record(1), tried.record(3)]


async def test_rounds_may_overlap(tried: Tried) -> None:
    rounds = [[tried.record(10 * one + number) for number in range(10)] for one in range(10)]
    assert await asyncio.gather(*[tried.outlet.publish(records) for records in rounds]) == [[]] * 10
    assert len(await tried.kept()) == 100


@pytest_asyncio.fixture
async def outlet(kafka: str, prefix: str) -> AsyncIterator[KafkaPublisher]:
    await make_topics(kafka, prefix, [CONTACTS])
    outlet = KafkaPublisher(KafkaSettings(bootstrap=kafka), [prefix + CONTACTS])
    outlet.start()
    await until(lambda: outlet.connected)
    yield outlet
    await outlet.close()


def record(prefix: str, number: int, size: int = 10) -> OutboundRecord:
    return OutboundRecord(f"{prefix}{CONTACTS}", f"ws1:c{number}".encode(), b"v" * size, [], 1)


async def test_every_record_lies_where_the_one_rule_for_partitions_says(outlet: KafkaPublisher, kafka: str, prefix: str) -> None:
    assert await outlet.publish([record(prefix, number) for number in range(40)]) == []
    found = await landed(kafka, prefix, [CONTACTS])
    assert {one.partition for one in found} == {0, 1}
    assert all(one.partition == partition_of(one.key, 2) for one in found)


async def test_more_than_a_batch_holds_goes_out_in_several(outlet: KafkaPublisher, kafka: str, prefix: str) -> None:
    assert await outlet.publish([record(prefix, number, size=200_000) for number in range(12)]) == []
    assert len(await landed(kafka, prefix, [CONTACTS])) == 12


async def test_a_record_that_kafka_will_never_take_is_told_from_those_around_it(
    outlet: KafkaPublisher, kafka: str, prefix: str
) -> None:
    huge = msgspec.structs.replace(record(prefix, 2), value=random.Random(0).randbytes(3 << 20))  # nothing compresses it
    refused = await outlet.publish([record(prefix, 1), huge])
    assert [(refusal.record.key, refusal.kind) for refusal in refused] == [(b"ws1:c2", FailureKind.RECORD)]
    assert outlet.connected
    assert [one.key for one in await landed(kafka, prefix, [CONTACTS])] == [b"ws1:c1"]


async def test_a_producer_that_broke_is_replaced_and_the_next_round_is_kept(outlet: KafkaPublisher, prefix: str) -> None:
    broken = outlet._producer
    broken._message_accumulator.fail_all(RuntimeError("what aiokafka does when its sender dies"))
    assert [refusal.kind for refusal in await outlet.publish([record(prefix, 1)])] == [FailureKind.KAFKA]
    await until(lambda: outlet.connected)
    assert outlet._producer is not broken
    assert await outlet.publish([record(prefix, 1)]) == []


async def test_a_topic_that_is_created_later_is_found(outlet: KafkaPublisher, kafka: str, prefix: str) -> None:
    late = KafkaPublisher(KafkaSettings(bootstrap=kafka), [prefix + ARTICLES])
    late.start()
    await until(lambda: late.connected)
    article = OutboundRecord(prefix + ARTICLES, b"ws1:a1", b"v", [], 1)
    assert [refusal.kind for refusal in await late.publish([article])] == [FailureKind.TOPIC]
    assert late.missing_topics == (prefix + ARTICLES,)
    await make_topics(kafka, prefix, [ARTICLES])
    async with asyncio.timeout(DEADLINE_S):
        while await late.publish([article]):  # noqa: ASYNC110  # there is nothing to be told by
            await asyncio.sleep(0.05)
    assert late.missing_topics == ()
    await late.close()


async def test_without_kafka_nothing_is_offered_and_closing_is_quick() -> None:
    outlet = KafkaPublisher(KafkaSettings(bootstrap=NOBODY), ["x"])
    outlet.start()
    await asyncio.sleep(0.05)
    with pytest.raises(Unavailable):
        await outlet.publish([record("", 1)])
    assert outlet.missing_topics == ()
    await outlet.close()
