"""No client leaves a connection open, whatever it was doing when it was cancelled or stopped."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError

from connectors.kafka import clients
from connectors.kafka.admin import admin_client
from connectors.kafka.clients import Consumer, Producer, started
from connectors.kafka.settings import KafkaSettings
from tests.patience import DEADLINE_S
from tests.support.connections.recorded import left_open, made
from tests.support.connections.stub_broker import LIST_OFFSETS, METADATA, PRODUCE, TOPIC, VERSIONS, StubBroker

PARTITION = TopicPartition(TOPIC, 0)


@pytest_asyncio.fixture
async def broker() -> AsyncIterator[StubBroker]:
    async with StubBroker().listening() as stub:
        yield stub


async def consume(kafka: KafkaSettings) -> None:
    async with started(Consumer(kafka)):
        raise AssertionError("it has started without an answer")


async def produce(kafka: KafkaSettings) -> None:
    async with started(Producer(kafka)):
        raise AssertionError("it has started without an answer")


async def administrate(kafka: KafkaSettings) -> None:
    async with admin_client(kafka):
        raise AssertionError("it has started without an answer")


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", [VERSIONS, METADATA])
@pytest.mark.parametrize("start", [consume, produce, administrate])
async def test_a_start_that_is_cancelled_while_a_broker_is_asked_closes_its_connection(
    start: Callable[[KafkaSettings], Awaitable[None]], kind: int, broker: StubBroker
) -> None:
    broker.silent = {kind}
    task: asyncio.Task[None] = asyncio.ensure_future(start(KafkaSettings(bootstrap=broker.bootstrap)))  # type: ignore[arg-type]
    await asyncio.wait_for(broker.asked.wait(), DEADLINE_S)
    await cancelled(task)
    assert left_open() == []


@pytest.mark.asyncio
async def test_a_connection_that_is_made_while_its_client_is_closed_is_closed_with_it(broker: StubBroker) -> None:
    consumer = Consumer(KafkaSettings(bootstrap=broker.bootstrap))
    await consumer.start()
    broker.silent = {VERSIONS}
    connecting = asyncio.create_task(consumer._client._get_conn(1))
    await asyncio.wait_for(broker.asked.wait(), DEADLINE_S)
    broker.silent = set()
    await consumer.stop()
    for connection in left_open():
        for _, request, answer in connection._requests:
            answer.set_result(request.RESPONSE_TYPE(0, []))
    assert await connecting is None
    assert left_open() == []


@pytest.mark.asyncio
async def test_a_consumer_can_be_stopped_as_soon_as_it_has_started(broker: StubBroker) -> None:
    consumer = Consumer(KafkaSettings(bootstrap=broker.bootstrap))
    await consumer.start()
    await consumer.stop()


@pytest.mark.asyncio
async def test_a_closed_client_connects_no_more(broker: StubBroker) -> None:
    consumer = Consumer(KafkaSettings(bootstrap=broker.bootstrap))
    await consumer.start()
    await consumer.stop()
    before = len(made())
    assert await consumer._client.ready(1) is False
    assert len(made()) == before


@pytest.mark.asyncio
async def test_a_stop_that_is_cancelled_closes_the_connections(broker: StubBroker) -> None:
    broker.silent = {PRODUCE}
    producer = Producer(KafkaSettings(bootstrap=broker.bootstrap))
    await producer.start()
    await producer.send(TOPIC, b"x", partition=0)
    await asyncio.wait_for(broker.asked.wait(), DEADLINE_S)
    stopping = asyncio.create_task(producer.stop())
    await asyncio.sleep(0)
    assert left_open()
    await cancelled(stopping)
    assert left_open() == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("kind", "stops"), [(Consumer, AIOKafkaConsumer), (Producer, AIOKafkaProducer), (Consumer, AIOKafkaClient)]
)
async def test_ctrl_c_during_a_stop_ends_what_would_continue_behind_it(
    kind: type[Consumer | Producer], stops: type, broker: StubBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = kind(KafkaSettings(bootstrap=broker.bootstrap))
    await client.start()
    name = "close" if stops is AIOKafkaClient else "stop"
    own_stop, is_stopping = getattr(stops, name), asyncio.Event()

    async def takes_it_for_the_end_of_its_own_task(self: object) -> None:
        await own_stop(self)
        if not is_stopping.is_set():
            is_stopping.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    async def stop_and_continue() -> None:
        await client.stop()
        raise AssertionError("it continued")

    monkeypatch.setattr(stops, name, takes_it_for_the_end_of_its_own_task)
    stopping = asyncio.create_task(stop_and_continue())
    await asyncio.wait_for(is_stopping.wait(), DEADLINE_S)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert left_open() == []


@pytest.mark.asyncio
async def test_the_first_address_that_answers_is_enough(broker: StubBroker) -> None:
    unused = "127.0.0.1:1"
    consumer = Consumer(KafkaSettings(bootstrap=f"{unused},{broker.bootstrap}"))
    async with started(consumer):
        assert [each.nodeId for each in consumer._client.cluster.brokers()] == [1]
        broker.silent = {LIST_OFFSETS}
        asking = asyncio.create_task(consumer.end_offsets([PARTITION]))
        await asyncio.wait_for(broker.asked.wait(), DEADLINE_S)
        await cancelled(asking)
    assert left_open() == []


@pytest.mark.asyncio
async def test_a_broker_that_does_not_count_itself_in_yet_is_asked_again(broker: StubBroker) -> None:
    broker.fenced = 3
    async with started(Consumer(KafkaSettings(bootstrap=broker.bootstrap))) as consumer:
        assert [each.nodeId for each in consumer._client.cluster.brokers()] == [1]
    assert broker.fenced == 0
    assert left_open() == []


@pytest.mark.asyncio
async def test_a_broker_that_never_names_one_is_no_cluster(broker: StubBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "_WITHOUT_BROKERS_S", 0.2)
    broker.fenced = 1_000
    with pytest.raises(KafkaConnectionError):
        await consume(KafkaSettings(bootstrap=broker.bootstrap))
    assert left_open() == []


def test_the_product_makes_its_clients_here_alone() -> None:
    root = Path(__file__).parents[3]
    made = re.compile(r"\bAIOKafka(Consumer|Producer|AdminClient|Client)\(\*?")
    found = {
        str(file.relative_to(root))
        for folder in ("connectors", "streams")
        for file in (root / folder).rglob("*.py")
        if made.search(re.sub(r"class \w+\(AIOKafka\w+\)", "", file.read_text()))
    }
    assert found == {"connectors/kafka/admin.py"}
