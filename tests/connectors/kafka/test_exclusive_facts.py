"""One writer of facts at a time, and a reader that knows when it has read up to now, on a real broker."""

import asyncio
import contextlib
import time

import pytest
from aiokafka import AIOKafkaProducer

from connectors.kafka.exclusive_writer import ExclusiveWriter, LeadLost
from connectors.kafka.fact_follower import FactFollower
from connectors.kafka.fact_log import FactRecord
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import apply
from schemas.access.facts import TOPIC
from schemas.errors import Unavailable
from schemas.partition import partition_of
from tests.patience import DEADLINE_S

pytestmark = pytest.mark.asyncio


@pytest.fixture
def settings(kafka, prefix):
    return KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2)


def records(*values, tenant="acme"):
    return [FactRecord(tenant.encode(), value.encode(), []) for value in values]


@contextlib.asynccontextmanager
async def following(settings, *tenants):
    """Yield a follower and the values that it has handed over."""
    found: list[str] = []
    follower = FactFollower(settings, tenants, lambda record: found.append(record.value.decode()))
    task = asyncio.create_task(follower.run())
    deadline = time.monotonic() + DEADLINE_S
    while True:
        with contextlib.suppress(Unavailable):
            await follower.catch_up(tenants[0])
            break
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    try:
        yield follower, found
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@contextlib.asynccontextmanager
async def writers(settings, count):
    made = [ExclusiveWriter(settings, "matter") for _ in range(count)]
    try:
        yield made
    finally:
        for writer in made:
            await writer.close()


async def test_who_leads_later_fences_who_led_before_and_nothing_of_that_one_is_read(settings):
    await apply(settings, only=(TOPIC,))
    async with following(settings, "acme") as (follower, found), writers(settings, 2) as (one, two):
        await one.lead()
        await one.commit(records("a"))
        await two.lead()
        with pytest.raises(LeadLost):
            await one.commit(records("b", "c"))
        await two.commit(records("d"))
        await one.lead()
        await one.commit(records("e"))
        await follower.catch_up("acme", decided=True)
        assert found == ["a", "d", "e"]


async def test_a_lead_is_kept_over_writes_and_given_up_on_demand(settings):
    await apply(settings, only=(TOPIC,))
    async with following(settings, "acme") as (follower, found), writers(settings, 1) as (writer,):
        for value in "abc":
            await writer.lead()
            await writer.commit(records(value, value))
        writer.resign()
        await writer.lead()
        await writer.commit(records("d"))
        await follower.catch_up("acme", decided=True)  # a commit is answered before its markers are written
        assert found == ["a", "a", "b", "b", "c", "c", "d"]


async def test_what_is_too_large_for_a_record_leaves_nothing_of_its_write(settings):
    await apply(settings, only=(TOPIC,))
    async with following(settings, "acme") as (follower, found), writers(settings, 1) as (writer,):
        await writer.lead()
        with pytest.raises(Unavailable):
            await writer.commit(records("a", "x" * (3 << 20)))
        await writer.lead()
        await writer.commit(records("b"))
        await follower.catch_up("acme", decided=True)
        assert found == ["b"]


async def test_a_follower_reads_the_partitions_of_its_tenants_alone(settings):
    other = next(f"t{number}" for number in range(100) if partition_of(f"t{number}".encode(), 2) != partition_of(b"acme", 2))
    await apply(settings, only=(TOPIC,))
    async with following(settings, "acme") as (follower, found), writers(settings, 1) as (writer,):
        await writer.lead()
        await writer.commit([*records("mine"), *records("theirs", tenant=other)])
        await follower.catch_up("acme", decided=True)  # a commit is answered before its markers are written
        assert found == ["mine"]


async def test_what_is_decided_and_not_committed_is_waited_for_and_a_plain_read_is_not_held_up_by_it(settings):
    await apply(settings, only=(TOPIC,))
    partition = partition_of(b"acme", 2)
    other = AIOKafkaProducer(bootstrap_servers=settings.bootstrap, transactional_id=f"{settings.topic_prefix}other")
    async with following(settings, "acme") as (follower, found), other:
        async with other.transaction():
            await other.send_and_wait(settings.topic(TOPIC), b"later", key=b"acme", partition=partition)
            await asyncio.wait_for(follower.catch_up("acme"), 2)
            assert found == []
            waiting = asyncio.create_task(follower.catch_up("acme", decided=True))
            await asyncio.sleep(0.5)
            assert not waiting.done()
        await waiting
        assert found == ["later"]


async def test_without_its_topic_a_follower_says_what_to_do_and_begins_once_it_is_there(settings):
    follower = FactFollower(settings, ["acme"], lambda _: None)
    task = asyncio.create_task(follower.run())
    with pytest.raises(Unavailable, match="has not answered"):
        await follower.catch_up("acme")
    await apply(settings, only=(TOPIC,))
    deadline = time.monotonic() + DEADLINE_S
    while True:
        with contextlib.suppress(Unavailable):
            await follower.catch_up("acme")
            break
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_writer_whose_kafka_is_away_says_so_within_its_time():
    writer = ExclusiveWriter(KafkaSettings(bootstrap="127.0.0.1:1"), "matter")
    with pytest.raises(Unavailable, match="topics apply"):
        await writer.lead()
    await writer.close()
