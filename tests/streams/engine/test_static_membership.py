"""Workers with names: one that is restarted within its session gets its partitions back, and nobody else's move meanwhile."""

import msgspec
import pytest

from connectors.kafka.settings import KafkaSettings
from streams.engine.runner import Running
from tests.support.counting_agent import PARTITIONS, counting, create_topics
from tests.support.engines import KEYS, QUICK, RunEngine, caught_up, counts, exactly, send, until

pytestmark = pytest.mark.asyncio


def named(name: str) -> object:
    return msgspec.structs.replace(QUICK, group_instance=name, session_timeout_ms=30_000)


def partitions_of(work: Running) -> set[int]:
    return {processor.partition for processor in work.engine.all_processors()}


async def test_a_restart_moves_no_partition(settings: KafkaSettings, running: RunEngine) -> None:
    agent = counting()
    await create_topics(settings, agent)
    async with running((agent,), kafka=settings, limits=named("one")) as one:
        async with running((agent,), kafka=settings, limits=named("two")) as two:
            await until(lambda: len(partitions_of(one)) == len(partitions_of(two)) == PARTITIONS // 2, "shared")
            await until(lambda: one.engine.ready.is_set() and two.engine.ready.is_set(), "both are ready")
            await send(settings, KEYS)
            await until(lambda: caught_up(one) and caught_up(two), "caught up")
            before, generation = partitions_of(two), one.app.consumer._thread._consumer._coordinator.generation
            own = one.engine.all_processors()
        await send(settings, KEYS)
        async with running((agent,), kafka=settings, limits=named("two")) as again:
            await until(lambda: again.engine.ready.is_set() and partitions_of(again) == before, "it has its own again")
            await until(lambda: caught_up(one) and caught_up(again), "caught up")
            assert one.engine.all_processors() == own
            assert one.app.consumer._thread._consumer._coordinator.generation == generation
    assert await counts(settings) == exactly(KEYS * 2)
