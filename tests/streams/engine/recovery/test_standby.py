"""Copies of others' tables: what moves to a worker is at hand there, and never wrong."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Self

import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.errors import StoreFailed
from schemas.partition import partition_of
from streams.engine.naming import Naming
from streams.engine.recovery.progress import RestoreDone, RestoreProgress
from streams.engine.recovery.standby import Standby
from streams.engine.runner import Running, running
from streams.engine.tables.rocksdb import RocksStore, RocksStores
from streams.engine.tables.store import Bookmark, MemoryStandbyStores, MemoryStore, StandbyStores, Store, open_memory_store
from tests.faults.counting_worker import AGENT as COUNTING
from tests.faults.counting_worker import LIMITS
from tests.support.changelogs import AGENT, QUICK, fill, live, until
from tests.support.counting_agent import OUT, PARTITIONS, SOURCE, create_topics, producing, read_all, write

ROOT = Path(__file__).parents[4]
TIMEOUT_S = 90
NEW = [f"n{number}" for number in range(40)]


@pytest.fixture
def settings(kafka: str, prefix: str) -> KafkaSettings:
    return KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS)


def kept(kind: str, folder: Path) -> tuple[RocksStores | None, StandbyStores]:
    disk = RocksStores(folder, frozenset({AGENT.name, COUNTING.name})) if kind == "disk" else None
    return disk, disk or MemoryStandbyStores()


def followed(work: Running, partitions: int) -> bool:
    lag = work.engine.standby_lag()
    return len(lag) == partitions and not any(lag.values())


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["memory", "disk"])
async def test_a_partition_that_moves_is_read_on_from_the_copy(settings: KafkaSettings, tmp_path: Path, kind: str) -> None:
    """To the second when it joins: all. Back to the first when the second leaves: what the second did. Hosts have disks of their own."""
    await create_topics(settings, AGENT)
    await fill(settings, dict.fromkeys(range(PARTITIONS), 50))
    heard: list[RestoreProgress | RestoreDone] = []
    (here, spares), (there, spares_there) = kept(kind, tmp_path / "1"), kept(kind, tmp_path / "2")
    async with contextlib.AsyncExitStack() as workers:
        first = await workers.enter_async_context(
            running(
                (AGENT,),
                kafka=settings,
                limits=QUICK,
                store_of=here or open_memory_store,
                spares=spares,
                on_progress=heard.append,
            )
        )
        await until(first.engine.ready.is_set, "ready")
        async with running(
            (AGENT,), kafka=settings, limits=QUICK, store_of=there or open_memory_store, spares=spares_there
        ) as second:
            await until(lambda: len(live(first)) == len(live(second)) == PARTITIONS // 2, "shared")
            await until(lambda: followed(first, 2) and followed(second, 2), "each follows the other")
            await send(settings, NEW)
            await until(
                lambda: sum(lane.positions[SOURCE] for each in (first, second) for lane in each.engine.all_processors()) == 40,
                "read",
            )
            await until(lambda: followed(first, 2), "followed")
            heard.clear()
        await until(lambda: len(live(first)) == PARTITIONS and first.engine.ready.is_set(), "all moved to the first")
        views = {lane.partition: lane.view() for lane in first.engine.all_processors()}
        assert [views[partition_of(key.encode(), PARTITIONS)].get(key) for key in NEW] == [b"x"] * 40
        assert [view.get(f"r{number}") for view in views.values() for number in range(51)] == (
            [b"v" * 100] * 50 + [None]
        ) * PARTITIONS
        assert 0 < sum(done.records for done in heard if isinstance(done, RestoreDone)) <= 3 * PARTITIONS, "positions, and no row"


async def send(settings: KafkaSettings, keys: list[str]) -> None:
    async with producing(settings) as producer:
        await asyncio.gather(*(write(producer, settings, SOURCE, key) for key in keys))


@pytest.mark.asyncio
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
    deadline = asyncio.get_running_loop().time() + TIMEOUT_S
    while True:
        found = [json.loads(record.value) for record in await read_all(settings, OUT)]
        if len(found) >= count or asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.5)
    counts: dict[str, list[int]] = {}
    for value in found:
        counts.setdefault(value["key"], []).append(value["n"])
    return counts


class Workers:
    """Processes of this module's `work`, each with a host's disk of its own; what they say is read line by line."""

    def __init__(self, settings: KafkaSettings, kind: str, folder: Path) -> None:
        self._settings = settings
        self._kind = kind
        self._folder = folder
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in list(self._running):
            await self.kill(name)

    async def start(self, name: str) -> None:
        """Start one and wait until its tables are there."""
        self._running[name] = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.streams.engine.recovery.test_standby",
            self._settings.bootstrap, self._settings.topic_prefix, self._kind, str(self._folder / name),
            stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        await self._heard(name, "ready")

    async def kill(self, name: str) -> None:
        process = self._running.pop(name)
        process.send_signal(signal.SIGKILL)
        await process.wait()

    async def following(self, name: str) -> None:
        """Wait until it has half of the partitions and copies of the others, read to the end."""
        await self._heard(name, "following 2")

    async def restored(self, name: str) -> int:
        """Wait until it has all partitions, and return how many changelog records that took."""
        return int((await self._heard(name, "owns 4 after reading")).split()[-1])

    async def _heard(self, name: str, words: str) -> str:
        out = self._running[name].stdout
        assert out is not None
        async with asyncio.timeout(TIMEOUT_S):
            while not (line := (await out.readline()).decode()).startswith(words):
                assert line, f"{name} ended before it said {words!r}"
        return line


async def work(bootstrap: str, prefix: str, kind: str, folder: str) -> None:
    """Count until killed, saying what the test asks for."""
    disk, spares = kept(kind, Path(folder))
    read = 0

    def tally(progress: RestoreProgress | RestoreDone) -> None:
        nonlocal read
        read += progress.records if isinstance(progress, RestoreDone) else 0

    settings = KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix)
    async with running(
        (COUNTING,), kafka=settings, limits=LIMITS, store_of=disk or open_memory_store, spares=spares, on_progress=tally
    ) as at_work:
        failed = asyncio.create_task(at_work.failed())
        before = ""
        while not failed.done():
            if not at_work.engine.ready.is_set():
                state = "handed out"
            elif len(at_work.engine.all_processors()) == PARTITIONS:
                state = f"owns {PARTITIONS} after reading {read}"
            else:
                state = "following 2" if followed(at_work, 2) else "following"
                read = 0
            if before in ("", "handed out") and state != "handed out":
                print("ready", flush=True)  # noqa: T201
            if state != before:
                print(state, flush=True)  # noqa: T201
            before = state
            await asyncio.sleep(0.05)
        raise failed.result()


class TestSparesOnDisk:
    """A spare is never in the owner's way, and takes its place when it is further on."""

    @staticmethod
    def store(spare: Store, offset: int) -> None:
        spare.apply({"k": str(offset).encode()}, Bookmark(offset, 1, b""))

    @pytest.mark.asyncio
    async def test_a_spare_is_private_and_begins_with_what_the_host_has(self, tmp_path: Path) -> None:
        disk = RocksStores(tmp_path, frozenset({"count"}))
        own = await disk("count", 0)
        self.store(own, 7)
        assert disk.release(own) is None
        spare = await disk.spare("count", 0)
        assert (spare.get("k"), spare.bookmark) == (b"7", Bookmark(7, 1, b""))
        own = await disk("count", 0)
        assert isinstance(own, RocksStore), "the directory of the owner is free"
        assert str(own) == "<RocksStore 0>"
        second = await disk.spare("count", 0)
        assert second.bookmark is None, "while the owner is at work nothing is copied"
        for store in (spare, second, own):
            store.close()
        assert [folder.name for folder in (tmp_path / "count").iterdir()] == ["0"]

    @pytest.mark.asyncio
    async def test_a_spare_that_is_further_on_takes_the_place_of_what_the_host_had(self, tmp_path: Path) -> None:
        disk = RocksStores(tmp_path, frozenset({"count"}))
        own = await disk("count", 0)
        self.store(own, 7)
        own.close()
        spare = await disk.spare("count", 0)
        self.store(spare, 9)
        promoted = await disk.promoted("count", 0, spare)
        self.store(promoted, 11)
        promoted.close()
        again = await disk("count", 0)
        assert (again.get("k"), again.bookmark) == (b"11", Bookmark(11, 1, b"")), "a restart finds it"
        again.close()

    @pytest.mark.asyncio
    async def test_what_the_host_has_is_kept_where_it_is_further_on(self, tmp_path: Path) -> None:
        """Its owner was another worker of this host, and has died."""
        disk = RocksStores(tmp_path, frozenset({"count"}))
        spare = await disk.spare("count", 0)
        self.store(spare, 7)
        own = await disk("count", 0)
        self.store(own, 9)
        own.close()
        promoted = await disk.promoted("count", 0, spare)
        assert promoted.get("k") == b"9"
        promoted.close()
        assert [folder.name for folder in (tmp_path / "count").iterdir()] == ["0"]

    @pytest.mark.asyncio
    async def test_beside_an_owner_that_is_frozen_the_spare_itself_is_the_table(self, tmp_path: Path) -> None:
        disk = RocksStores(tmp_path, frozenset({"count"}))
        own = await disk("count", 0)
        spare = await disk.spare("count", 0)
        self.store(spare, 7)
        promoted = await disk.promoted("count", 0, spare)
        assert promoted is spare
        assert promoted.get("k") == b"7"
        promoted.close()
        own.close()

    @pytest.mark.asyncio
    async def test_tables_in_memory_change_their_part_without_moving(self, tmp_path: Path) -> None:
        store = MemoryStore()
        for spares in (MemoryStandbyStores(), RocksStores(tmp_path, frozenset())):
            assert isinstance(await spares.spare("count", 0), MemoryStore)
            assert await spares.promoted("count", 0, store) is store
            assert spares.release(store) is store


@pytest.mark.asyncio
async def test_a_copy_whose_disk_fails_is_given_up_and_made_anew(settings: KafkaSettings) -> None:
    await create_topics(settings, AGENT)
    await fill(settings, {0: 5, 1: 5})
    opened: Counter[tuple[str, int]] = Counter()

    class Failing(MemoryStore):
        def apply(self, changes: object, bookmark: Bookmark | None = None) -> None:
            raise StoreFailed("no room")

    class Spoilt(MemoryStandbyStores):
        async def spare(self, agent: str, partition: int) -> Store:
            opened[agent, partition] += 1
            return Failing() if opened[agent, partition] == 1 and partition == 1 else MemoryStore()

    standby = Standby((AGENT,), kafka=settings, names=Naming(prefix=settings.topic_prefix), limits=QUICK, spares=Spoilt())
    standby.follow_all_but([(AGENT.name, 2), (AGENT.name, 3)])
    await until(lambda: dict(standby.lag()) == {(AGENT.name, 0): 0, (AGENT.name, 1): 0}, "both are followed")
    assert opened == {(AGENT.name, 0): 1, (AGENT.name, 1): 2}
    copy = await standby.taken(AGENT.name, 1)
    assert copy is not None
    assert len(copy) == 5
    assert await standby.taken(AGENT.name, 2) is None
    await standby.close()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
