"""Copies of tables that other workers own: a table that moves to a worker is there already, and is never wrong."""

import asyncio
import contextlib
import json
from collections import Counter
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.errors import StoreFailed
from schemas.partition import partition_of
from streams.engine.naming import Naming
from streams.engine.recovery.progress import RestoreDone, RestoreProgress
from streams.engine.recovery.standby import Standby
from streams.engine.runner import running
from streams.engine.tables.store import Bookmark, MemoryStandbyStores, MemoryStore, Store, open_memory_store
from tests.faults.counting_worker import AGENT as COUNTING
from tests.patience import DEADLINE_S
from tests.streams.engine.recovery.standby_worker import Workers, followed, stores
from tests.support.changelogs import AGENT, QUICK, fill
from tests.support.counting_agent import OUT, PARTITIONS, SOURCE, create_topics, producing, read_all, write
from tests.support.engines import live, until

pytestmark = pytest.mark.asyncio

NEW = [f"n{number}" for number in range(40)]


@pytest.mark.parametrize("kind", ["memory", "disk"])
async def test_a_partition_that_moves_is_read_on_from_the_copy(settings: KafkaSettings, tmp_path: Path, kind: str) -> None:
    """The second worker takes over whole tables when it joins, the first one the changes since when the second leaves."""
    await create_topics(settings, AGENT)
    await fill(settings, dict.fromkeys(range(PARTITIONS), 50))
    reports: list[RestoreProgress | RestoreDone] = []
    (first_disk, first_standby), (second_disk, second_standby) = stores(kind, tmp_path / "1"), stores(kind, tmp_path / "2")
    async with contextlib.AsyncExitStack() as workers:
        first = await workers.enter_async_context(
            running(
                (AGENT,),
                kafka=settings,
                limits=QUICK,
                store_of=first_disk or open_memory_store,
                standby_stores=first_standby,
                on_progress=reports.append,
            )
        )
        await until(first.engine.ready.is_set, "ready")
        async with running(
            (AGENT,), kafka=settings, limits=QUICK, store_of=second_disk or open_memory_store, standby_stores=second_standby
        ) as second:
            await until(lambda: len(live(first)) == len(live(second)) == PARTITIONS // 2, "shared")
            await until(lambda: followed(first, 2) and followed(second, 2), "each follows the other")
            await send(settings, NEW)
            await until(
                lambda: (
                    sum(processor.positions[SOURCE] for work in (first, second) for processor in work.engine.all_processors())
                    == 40
                ),
                "read",
            )
            await until(lambda: followed(first, 2), "followed")
            reports.clear()
        await until(lambda: len(live(first)) == PARTITIONS and first.engine.ready.is_set(), "all moved to the first")
        views = {processor.partition: processor.view() for processor in first.engine.all_processors()}
        assert [views[partition_of(key.encode(), PARTITIONS)].get(key) for key in NEW] == [b"x"] * 40
        assert [view.get(f"r{number}") for view in views.values() for number in range(51)] == (
            [b"v" * 100] * 50 + [None]
        ) * PARTITIONS
        read = sum(report.records for report in reports if isinstance(report, RestoreDone))
        assert 0 < read < 50, "what came since the copy was last looked at, and no partition from its beginning"


async def send(settings: KafkaSettings, keys: list[str]) -> None:
    async with producing(settings) as producer:
        await asyncio.gather(*(write(producer, settings, SOURCE, key) for key in keys))


@pytest.mark.parametrize(("kind", "kills"), [("memory", ["a", "b"]), ("disk", ["a"])])
async def test_a_copy_takes_over_from_an_owner_that_is_killed_and_counts_every_event_once(
    settings: KafkaSettings, tmp_path: Path, kind: str, kills: list[str]
) -> None:
    """The killed one comes back as the copy. With tables of a thousand keys, few records are read."""
    await create_topics(settings, COUNTING)
    keys = [f"k{number % 1000}" for number in range(3_000)]
    async with Workers(settings, kind, tmp_path) as workers:
        await workers.start("a")
        await send(settings, keys)
        await workers.start("b")
        for victim in kills:
            other = "b" if victim == "a" else "a"
            await workers.following(victim)
            await workers.following(other)
            feeding = asyncio.create_task(send(settings, keys[:200]))
            await workers.kill(victim)
            taken_over = await workers.restored(other)
            await feeding
            assert taken_over < 500, f"{other} read {taken_over} changelog records"
            if victim != kills[-1]:
                await workers.start(victim)
        wanted = Counter(keys) + Counter(keys[:200] * len(kills))
        assert await counted(settings, sum(wanted.values())) == {key: list(range(1, times + 1)) for key, times in wanted.items()}


async def counted(settings: KafkaSettings, count: int) -> dict[str, list[int]]:
    """Return the counts sent for each key, once there are this many outputs."""
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while True:
        outputs = [json.loads(record.value) for record in await read_all(settings, OUT)]
        if len(outputs) >= count or asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.5)
    counts: dict[str, list[int]] = {}
    for value in outputs:
        counts.setdefault(value["key"], []).append(value["n"])
    return counts


async def test_a_copy_whose_disk_fails_is_given_up_and_made_anew(settings: KafkaSettings) -> None:
    await create_topics(settings, AGENT)
    await fill(settings, {0: 5, 1: 5})
    opened: Counter[tuple[str, int]] = Counter()

    class FailingStore(MemoryStore):
        def apply(self, changes: object, bookmark: Bookmark | None = None) -> None:
            raise StoreFailed("no room")

    class FirstFails(MemoryStandbyStores):
        async def open_standby(self, agent: str, partition: int) -> Store:
            opened[agent, partition] += 1
            return FailingStore() if opened[agent, partition] == 1 and partition == 1 else MemoryStore()

    names = Naming(prefix=settings.topic_prefix)
    standby = Standby((AGENT,), kafka=settings, names=names, limits=QUICK, standby_stores=FirstFails())
    standby.follow_all_except([(AGENT.name, 2), (AGENT.name, 3)])
    await until(lambda: dict(standby.lag()) == {(AGENT.name, 0): 0, (AGENT.name, 1): 0}, "both are followed")
    assert opened == {(AGENT.name, 0): 1, (AGENT.name, 1): 2}
    copy = await standby.promote(AGENT.name, 1)
    assert copy is not None
    assert len(copy) == 5
    assert await standby.promote(AGENT.name, 2) is None
    await standby.close()
