"""A rebuild that is paused while its agents stand still, on a real Kafka: they work again at once."""

from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from streams.ops.generations.state import read_generations
from streams.ops.rebuild.run import RebuildWatcher
from tests.streams.ops.rebuild.installed import installed, job_of, rebuilt, worker
from tests.support.engines import until


@pytest.mark.asyncio
async def test_a_comparison_that_is_paused_swaps_nothing_and_lets_its_agents_work(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    settings, steps = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1), list[str]()
    watcher = RebuildWatcher(lambda _: None, steps.append, lambda: any("comparing" in step for step in steps))
    async with worker(installed(settings, tmp_path)) as working:
        await until(lambda: working.caught_up, "the worker is ready")
        paused = await rebuilt(job_of(settings), "contacts", swap=True, watcher=watcher)
    assert (paused.tables, paused.entry.result) == ((), None)
    assert (await read_generations(settings)).hold is None
