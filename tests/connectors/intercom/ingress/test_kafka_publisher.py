"""One contract for every publisher, checked with the one in memory and with a real Kafka; and failures that only Kafka has."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest
import pytest_asyncio
from aiokafka.errors import RequestTimedOutError

from connectors.intercom.ingress import kafka_publisher
from connectors.intercom.ingress.kafka_publisher import KafkaPublisher
from connectors.kafka.publisher import FailureKind, MemoryPublisher, OutboundRecord, Publisher
from connectors.kafka.settings import KafkaSettings
from schemas.errors import Unavailable
from schemas.partition import partition_of
from tests.patience import DEADLINE_S
from tests.support.ingress import NOBODY, landed, make_topics

pytestmark = pytest.mark.asyncio
CONTACTS = "intercom.contacts"
ARTICLES = "intercom.articles"


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110  # the publisher sets no event
            await asyncio.sleep(0.01)


class Candidate:
    """A publisher under test, and a way to read the records it published."""

    def __init__(self, publisher: Publisher, prefix: str, read: Callable[[], Awaitable[list[OutboundRecord]]]) -> None:
        self.publisher = publisher
        self.prefix = prefix
        self.read = read

    def record(self, number: int, topic: str = CONTACTS, size: int = 10) -> OutboundRecord:
        headers = [("ce_id", str(number).encode()), ("content-type", b"application/json")]
        return OutboundRecord(self.prefix + topic, f"ws1:c{number}".encode(), b"v" * size, headers, 1_772_090_550_000 + number)


@pytest_asyncio.fixture(params=["memory", "kafka"])
async def candidate(request: pytest.FixtureRequest, prefix: str) -> AsyncIterator[Candidate]:
    if request.param == "memory":
        memory = MemoryPublisher()
        memory.missing_topics = {prefix + ARTICLES}

        async def read_memory() -> list[OutboundRecord]:
            return memory.records

        yield Candidate(memory, prefix, read_memory)
        return
    bootstrap: str = request.getfixturevalue("kafka")
    await make_topics(bootstrap, prefix, [CONTACTS])
    publisher = KafkaPublisher(KafkaSettings(bootstrap=bootstrap), [prefix + CONTACTS, prefix + ARTICLES])
    publisher.start()
    await wait_until(lambda: publisher.connected)

    async def read_kafka() -> list[OutboundRecord]:
        consumed = await landed(bootstrap, prefix, [CONTACTS])
        return [OutboundRecord(each.topic, each.key, each.value, list(each.headers), each.timestamp) for each in consumed]

    yield Candidate(publisher, prefix, read_kafka)
    await publisher.close()


def by_number(records: list[OutboundRecord]) -> list[OutboundRecord]:
    return sorted(records, key=lambda record: record.timestamp)


async def test_what_was_published_is_kept_as_it_was(candidate: Candidate) -> None:
    records = [candidate.record(number) for number in range(50)]
    assert await candidate.publisher.publish(records) == []
    assert by_number(await candidate.read()) == records


async def test_nothing_to_publish_is_no_trouble(candidate: Candidate) -> None:
    assert await candidate.publisher.publish([]) == []


async def test_records_of_a_missing_topic_come_back_and_the_others_are_kept(candidate: Candidate) -> None:
    errors = await candidate.publisher.publish([candidate.record(1), candidate.record(2, ARTICLES), candidate.record(3)])
    assert [(error.record, error.kind) for error in errors] == [(candidate.record(2, ARTICLES), FailureKind.TOPIC)]
    assert by_number(await candidate.read()) == [candidate.record(1), candidate.record(3)]


async def test_rounds_may_overlap(candidate: Candidate) -> None:
    rounds = [[candidate.record(10 * index + number) for number in range(10)] for index in range(10)]
    assert await asyncio.gather(*[candidate.publisher.publish(records) for records in rounds]) == [[]] * 10
    assert len(await candidate.read()) == 100


@pytest_asyncio.fixture
async def publisher(kafka: str, prefix: str) -> AsyncIterator[KafkaPublisher]:
    await make_topics(kafka, prefix, [CONTACTS])
    publisher = KafkaPublisher(KafkaSettings(bootstrap=kafka), [prefix + CONTACTS])
    publisher.start()
    await wait_until(lambda: publisher.connected)
    yield publisher
    await publisher.close()


def record(prefix: str, number: int, size: int = 10) -> OutboundRecord:
    return OutboundRecord(f"{prefix}{CONTACTS}", f"ws1:c{number}".encode(), b"v" * size, [], 1)


async def test_every_record_lies_where_the_one_rule_for_partitions_says(
    publisher: KafkaPublisher, kafka: str, prefix: str
) -> None:
    assert await publisher.publish([record(prefix, number) for number in range(40)]) == []
    consumed = await landed(kafka, prefix, [CONTACTS])
    assert {each.partition for each in consumed} == {0, 1}
    assert all(each.partition == partition_of(each.key, 2) for each in consumed)


async def test_more_than_a_batch_holds_goes_out_in_several(publisher: KafkaPublisher, kafka: str, prefix: str) -> None:
    assert await publisher.publish([record(prefix, number, size=200_000) for number in range(12)]) == []
    assert len(await landed(kafka, prefix, [CONTACTS])) == 12


async def test_a_record_that_kafka_will_never_take_is_told_from_those_around_it(
    publisher: KafkaPublisher, kafka: str, prefix: str
) -> None:
    huge = msgspec.structs.replace(record(prefix, 2), value=random.Random(0).randbytes(3 << 20))  # cannot be compressed
    errors = await publisher.publish([record(prefix, 1), huge])
    assert [(error.record.key, error.kind) for error in errors] == [(b"ws1:c2", FailureKind.RECORD)]
    assert publisher.connected
    assert [each.key for each in await landed(kafka, prefix, [CONTACTS])] == [b"ws1:c1"]


async def test_a_producer_that_broke_is_replaced_and_the_next_round_is_kept(publisher: KafkaPublisher, prefix: str) -> None:
    broken = publisher._producer
    broken._message_accumulator.fail_all(RuntimeError("what aiokafka does when its sender dies"))
    assert [error.kind for error in await publisher.publish([record(prefix, 1)])] == [FailureKind.KAFKA]
    await wait_until(lambda: publisher.connected)
    assert publisher._producer is not broken
    assert await publisher.publish([record(prefix, 1)]) == []


async def test_a_producer_that_fails_round_after_round_is_replaced(
    publisher: KafkaPublisher, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each failure can be retried; that they continue is the sign that the producer itself is at fault."""

    async def failing(*_: object) -> asyncio.Future[None]:
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        failed.set_exception(RequestTimedOutError())
        return failed

    before = publisher._producer
    monkeypatch.setattr(kafka_publisher, "_send_batch", failing)
    for number in range(kafka_publisher._FAILURES_TO_REPLACE):
        assert publisher._producer is before
        assert [error.kind for error in await publisher.publish([record(prefix, number)])] == [FailureKind.KAFKA]
    assert publisher._producer is not before
    monkeypatch.undo()
    await wait_until(lambda: publisher.connected)


async def test_a_topic_that_is_created_later_is_found(publisher: KafkaPublisher, kafka: str, prefix: str) -> None:
    late = KafkaPublisher(KafkaSettings(bootstrap=kafka), [prefix + ARTICLES])
    late.start()
    await wait_until(lambda: late.connected)
    article = OutboundRecord(prefix + ARTICLES, b"ws1:a1", b"v", [], 1)
    assert [error.kind for error in await late.publish([article])] == [FailureKind.TOPIC]
    assert late.missing_topics == (prefix + ARTICLES,)
    await make_topics(kafka, prefix, [ARTICLES])
    async with asyncio.timeout(DEADLINE_S):
        while await late.publish([article]):  # noqa: ASYNC110  # the publisher sets no event
            await asyncio.sleep(0.05)
    assert late.missing_topics == ()
    await late.close()


async def test_without_kafka_nothing_is_offered_and_closing_is_quick() -> None:
    publisher = KafkaPublisher(KafkaSettings(bootstrap=NOBODY), ["x"])
    publisher.start()
    await asyncio.sleep(0.05)
    with pytest.raises(Unavailable):
        await publisher.publish([record("", 1)])
    assert publisher.missing_topics == ()
    await publisher.close()
