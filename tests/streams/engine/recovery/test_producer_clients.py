"""Producers that share connections: each is fenced alone, none waits for a broker that does not answer, and a client can be replaced."""

import asyncio
from typing import Any

import msgspec
import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import ProducerFenced

from connectors.kafka.settings import KafkaSettings
from streams.engine.limits import Limits
from streams.engine.partition.processor import PartitionStatus
from streams.engine.recovery import fencing
from streams.engine.recovery.fencing import fenced_producer
from streams.engine.recovery.producer_clients import FencedProducer, ProducerClients
from streams.engine.runner import _ignore_unretrieved, running
from tests.patience import DEADLINE_S
from tests.support.counting_agent import OUT, PARTITIONS, SOURCE, counting, create_topics, read_all
from tests.support.engines import KEYS, QUICK, caught_up, counts, exactly, processed, send, until

pytestmark = pytest.mark.asyncio


async def started(settings: KafkaSettings, clients: ProducerClients, partition: int) -> FencedProducer:
    producer = clients.producer(partition, f"{settings.topic_prefix}{partition}")
    await producer.start()
    return producer


async def write_one(producer: FencedProducer, topic: str) -> None:
    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"x", partition=0)
    await producer.commit_transaction()


async def written(settings: KafkaSettings, records: int) -> None:
    """Wait until so many records, and no more, are committed: the markers may come after the answer to a commit."""
    async with asyncio.timeout(DEADLINE_S):
        while len(read := await read_all(settings, OUT)) < records:
            pass
    assert len(read) == records


async def test_producers_of_many_partitions_share_a_few_clients_which_end_with_the_last_of_them(settings: KafkaSettings) -> None:
    await create_topics(settings)
    clients = ProducerClients(settings, Limits(producer_clients=2))
    producers = [await started(settings, clients, partition) for partition in range(6)]
    shared = {producer.client for producer in producers}
    assert len(shared) == 2
    await asyncio.gather(*(write_one(producer, settings.topic(OUT)) for producer in producers))
    await written(settings, len(producers))
    for producer in producers[:-1]:
        await producer.stop()
    assert [client.closed for client in (producers[0].client, producers[-1].client)] == [True, False]
    await write_one(producers[-1], settings.topic(OUT))
    await producers[-1].stop()
    assert all(client.closed for client in shared)
    again = await started(settings, clients, 0)
    assert again.client not in shared
    await again.stop()


async def test_of_producers_with_one_client_only_the_one_with_the_rivals_id_is_fenced(settings: KafkaSettings) -> None:
    asyncio.get_running_loop().set_exception_handler(_ignore_unretrieved)
    await create_topics(settings)
    clients = ProducerClients(settings, Limits(producer_clients=1))
    fenced, other = [await started(settings, clients, partition) for partition in range(2)]
    rival = await fenced_producer(settings, f"{settings.topic_prefix}0", Limits())
    with pytest.raises(ProducerFenced):
        await write_one(fenced, settings.topic(OUT))
    await write_one(other, settings.topic(OUT))
    for producer in (fenced, other, rival):
        await producer.stop()
    await written(settings, 1)


async def test_a_retired_client_goes_on_for_those_who_use_it_and_nobody_else_gets_it(settings: KafkaSettings) -> None:
    await create_topics(settings)
    clients = ProducerClients(settings, Limits(producer_clients=1))
    before = await started(settings, clients, 0)
    clients.retire(before.client)
    after = await started(settings, clients, 1)
    clients.retire(before.client)
    last = await started(settings, clients, 2)
    assert last.client is after.client is not before.client
    await write_one(before, settings.topic(OUT))
    for producer in (before, after, last):
        await producer.stop()


async def test_a_producer_stops_although_no_broker_answers_it(settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    await create_topics(settings)
    clients = ProducerClients(settings, Limits())
    producer = await started(settings, clients, 0)
    silence(monkeypatch, lambda _: True)
    await producer.begin_transaction()
    await producer.send(settings.topic(OUT), b"x", partition=0)
    commit = asyncio.create_task(producer.commit_transaction())
    await asyncio.sleep(0.1)
    await asyncio.wait_for(producer.stop(), DEADLINE_S)
    commit.cancel()
    assert producer.client.closed


def silence(monkeypatch: pytest.MonkeyPatch, silent: Any) -> None:
    """Leave requests of the clients for which `silent` is true without an answer, as a broker that hangs does."""
    send = AIOKafkaClient.send

    async def unanswered(client: AIOKafkaClient, *args: Any, **kwargs: Any) -> Any:
        if silent(client):
            await asyncio.Event().wait()
        return await send(client, *args, **kwargs)

    monkeypatch.setattr(AIOKafkaClient, "send", unanswered)


async def test_partitions_whose_brokers_hang_in_a_transaction_are_loaded_again_with_a_new_client_and_lose_nothing(
    settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client whose requests are never answered again: the transaction times out, is reported, and another client continues."""
    agent = counting()
    await create_topics(settings, agent)
    failures: list[tuple[str, str]] = []
    limits = msgspec.structs.replace(QUICK, transaction_timeout_ms=2_000)
    async with running((agent,), kafka=settings, limits=limits, on_failure=lambda *each: failures.append(each)) as work:
        await send(settings, KEYS)
        await until(lambda: processed(work) == len(KEYS), "first round")
        hanging = {processor.producer.client for processor in work.engine.all_processors() if processor.producer}
        silence(monkeypatch, lambda client: client in hanging)
        await send(settings, KEYS)
        await until(lambda: processed(work) > 2 * len(KEYS) - 1 and caught_up(work), "second round")
        busy = [processor for processor in work.engine.all_processors() if processor.positions[SOURCE] > 0]
        assert all(processor.status is PartitionStatus.LIVE for processor in busy)
        assert not hanging & {processor.producer.client for processor in busy if processor.producer}
    assert {cause for _, cause in failures} == {"transaction timed out"}
    assert await counts(settings) == exactly(KEYS * 2)


async def test_a_load_whose_coordinator_does_not_answer_is_tried_again_with_a_new_client(
    settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fencing, "_FENCE_SECONDS", 1.0)
    agent = counting()
    await create_topics(settings, agent)
    first: set[AIOKafkaClient] = set()

    def of_the_first_load(client: AIOKafkaClient) -> bool:
        if type(client).__name__ != "SharedClient":
            return False
        if len(first) < PARTITIONS:
            first.add(client)
        return client in first

    silence(monkeypatch, of_the_first_load)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await send(settings, KEYS)
        await until(lambda: processed(work) == len(KEYS), "all read")
    assert await counts(settings) == exactly(KEYS)
