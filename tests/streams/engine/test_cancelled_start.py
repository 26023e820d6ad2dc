"""A worker that is cancelled while it starts, restores or stops leaves no connection to a broker open."""

import asyncio
import random
import time

import pytest

from connectors.kafka.settings import KafkaSettings
from streams.engine.runner import running
from tests.support.connections.recorded import left_open
from tests.support.counting_agent import counting, create_topics
from tests.support.engines import KEYS, QUICK, caught_up, send, until

pytestmark = pytest.mark.asyncio

TIMES = 8


async def work(settings: KafkaSettings) -> None:
    async with running((counting(),), kafka=settings, limits=QUICK) as engines:
        await until(lambda: engines.engine.ready.is_set() and caught_up(engines), "ready")


async def test_a_worker_that_is_cancelled_at_any_moment_closes_its_connections(settings: KafkaSettings) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # shown by pytest when the test fails
    chance = random.Random(seed)
    await create_topics(settings, counting())
    await send(settings, KEYS)
    began = time.monotonic()
    await work(settings)
    whole = time.monotonic() - began
    assert left_open() == []
    for _ in range(TIMES):
        after = chance.uniform(0, whole)
        task = asyncio.create_task(work(settings))
        await asyncio.wait({task}, timeout=after)
        task.cancel()
        await asyncio.wait({task})
        assert left_open() == [], f"cancelled after {after:.3f} s"
