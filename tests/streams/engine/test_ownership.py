"""Owners of partitions come and go, fail and return, on a real broker: no record is lost or processed twice."""

import asyncio

import pytest
from faust.types.tuples import TP

from connectors.kafka.settings import KafkaSettings
from streams.engine.engine import Engine
from streams.engine.naming import Naming
from streams.engine.partition.fetch_buffer import FetchedBatch, size_of
from streams.engine.partition.processor import PartitionStatus
from streams.engine.recovery.fencing import fenced_producer
from tests.support.counting_agent import PARTITIONS, SOURCE, counting, create_topics, read_all
from tests.support.engines import KEYS, QUICK, RunEngine, caught_up, count_of, counts, exactly, processed, send, until

pytestmark = pytest.mark.asyncio


async def test_a_lane_whose_producer_was_fenced_loads_again_and_loses_nothing(
    settings: KafkaSettings, running: RunEngine
) -> None:
    agent = counting()
    await create_topics(settings, agent)
    names = Naming(prefix=settings.topic_prefix)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await send(settings, KEYS)
        await until(lambda: processed(work) == len(KEYS), "first round")
        for partition in range(PARTITIONS):
            rival = await fenced_producer(settings, names.transactional_id(agent.name, partition), QUICK)
            await rival.stop()
        await send(settings, KEYS)
        await until(
            lambda: (
                processed(work) > 2 * len(KEYS) - 1
                and all(processor.status is PartitionStatus.LIVE for processor in work.engine.all_processors())
            ),
            "second round",
        )
    assert await counts(settings) == exactly(KEYS * 2)


async def test_two_workers_share_the_partitions_and_a_leaver_hands_over(settings: KafkaSettings, running: RunEngine) -> None:
    agent = counting()
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as first:
        await send(settings, KEYS * 5)
        async with running((agent,), kafka=settings, limits=QUICK) as second:
            await until(
                lambda: len(first.engine.all_processors()) == len(second.engine.all_processors()) == PARTITIONS // 2, "shared"
            )
            await send(settings, KEYS * 5)
            await until(lambda: caught_up(first) and caught_up(second), "caught up")
        await until(lambda: len(first.engine.all_processors()) == PARTITIONS and first.engine.ready.is_set(), "taken over")
        await send(settings, KEYS * 5)
        await until(lambda: caught_up(first), "caught up")
        await until(lambda: sum(count_of(first, key) for key in KEYS) == 15 * len(KEYS), "all counted")
    assert await counts(settings) == exactly(KEYS * 15)


async def test_a_partition_revoked_while_it_loads_is_not_opened_and_loads_afresh_when_won_again(
    settings: KafkaSettings, running: RunEngine
) -> None:
    """Won, lost and won again before the first load ended: the first load must not go live with a fenced producer."""
    agent = counting()
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await send(settings, KEYS)
        await until(lambda: processed(work) == len(KEYS), "first round")
        engine, assignment = work.engine, work.engine.assignment
        tps = list(assignment.positions())
        first = asyncio.create_task(assignment.assigned(tps))
        await asyncio.sleep(0)
        await assignment.revoked()
        await first
        assert not engine.ready.is_set()
        assert {processor.status for processor in engine.all_processors()} == {PartitionStatus.LOADING}
        assert all(processor.producer is None for processor in engine.all_processors())
        await assignment.assigned(tps)
        await work.app.consumer.perform_seek()
        await send(settings, KEYS)
        await until(lambda: processed(work) == 2 * len(KEYS), "second round")
    assert await counts(settings) == exactly(KEYS * 2)


async def test_a_zombie_that_wakes_up_after_its_successor_worked_is_refused(settings: KafkaSettings, running: RunEngine) -> None:
    """Hold the first owner inside its lock, let a second one take over and process, then let the first continue."""
    agent = counting()
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as zombie:
        await send(settings, KEYS)
        await until(lambda: processed(zombie) == len(KEYS), "first round")
        processors = zombie.engine.all_processors()
        for processor in processors:
            await processor.lock.acquire()
        before = {processor.partition: processor.positions[SOURCE] for processor in processors}
        await send(settings, KEYS)
        successor = Engine((agent,), kafka=settings, names=Naming(prefix=settings.topic_prefix), limits=QUICK)
        await successor.assignment.assigned(list(zombie.engine.assignment.positions()))
        for tp, fetched in await unread(settings, before):
            successor.assignment.offer(tp, fetched)
        await until(
            lambda: sum(processor.positions[SOURCE] for processor in successor.all_processors()) == 2 * len(KEYS),
            "the successor worked",
        )
        for processor in processors:
            processor.lock.release()
        await until(lambda: processed(zombie) == 2 * len(KEYS), "the zombie has learnt where it stands")
        await successor.close()
    assert await counts(settings) == exactly(KEYS * 2)


async def unread(settings: KafkaSettings, before: dict[int, int]) -> list[tuple[TP, FetchedBatch]]:
    """Return the batches that a second owner of the partitions would fetch."""
    records = await read_all(settings, SOURCE)
    batches = []
    for partition, position in before.items():
        new = [record for record in records if record.partition == partition and record.offset >= position]
        if new:
            after = new[-1].offset + 1
            batches.append(
                (TP(settings.topic(SOURCE), partition), FetchedBatch(SOURCE, position, after, new, after, size_of(new)))
            )
    return batches


async def test_a_lane_lost_while_it_is_revoked_is_left_alone_once_it_is_assigned_again(
    settings: KafkaSettings, running: RunEngine
) -> None:
    """Its reload begins late and must not take the producer of a processor that is live again."""
    agent = counting()
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=QUICK) as work:
        await send(settings, KEYS)
        await until(lambda: processed(work) == len(KEYS), "first round")
        assignment, processors = work.engine.assignment, work.engine.all_processors()
        tps = list(assignment.positions())
        for processor in processors:
            await processor.lock.acquire()
        revoking = asyncio.create_task(assignment.revoked())
        await asyncio.sleep(0)
        for processor in processors:
            processor.fail(ConnectionError("in the middle of a revocation"))
        await asyncio.sleep(0)
        for processor in processors:
            processor.lock.release()
        await revoking
        await assignment.assigned(tps)
        await work.app.consumer.perform_seek()
        producers = [processor.producer for processor in processors]
        await asyncio.sleep(QUICK.reload_seconds * 6)
        assert [processor.producer for processor in processors] == producers
        await send(settings, KEYS)
        await until(lambda: processed(work) == 2 * len(KEYS), "second round")
    assert await counts(settings) == exactly(KEYS * 2)
