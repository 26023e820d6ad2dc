"""The engine with tables on disk, on a real broker: the same tables as in memory, and a restart that reads only what is new."""

import asyncio
import secrets
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from faust.types.tuples import TP

from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from schemas.errors import StoreFailed
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.naming import Naming
from streams.engine.recovery import changelog_reader
from streams.engine.recovery.restoration import Restoration
from streams.engine.runner import Running, running
from streams.engine.tables.rocksdb import RocksStore, RocksStores
from streams.engine.tables.store import Bookmark, MemoryStore, OpenStore, Store, open_memory_store
from tests.support import engines
from tests.support.counting_agent import OUT, PARTITIONS, SOURCE, Numbers, create_topics, producing, read_all, write
from tests.support.engines import until

pytestmark = pytest.mark.asyncio

QUICK = msgspec.structs.replace(engines.QUICK, batch_records=7)


def shelf(batch: Batch, table: Table[int], out: Outbox) -> None:
    """Put, delete and walk as the records request: `group|item` with a number, 0 deletes; each record sends the group's rows."""
    for record in batch.records:
        group, _, item = (record.key or b"").decode().partition("|")
        number = int(record.value or b"0")
        table.put(group, item, number) if number else table.delete(group, item)
        rows = ",".join(f"{name}={value}" for name, value in table.walk(group))
        out.send(OUT, group, rows.encode())


AGENT = Agent(name="shelf", sources=(SOURCE,), step=shelf, codec=Numbers)
HISTORY = [(f"g{number % 5}|{number * 7 % 11}", number % 4) for number in range(200)]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many records each restoration read."""
    counts: list[int] = []
    apply = Restoration.apply

    def counting(self: Restoration, records: list[Any]) -> bool:
        counts.append(len(records))
        return apply(self, records)

    monkeypatch.setattr(Restoration, "apply", counting)
    return counts


async def send(settings: KafkaSettings, history: list[tuple[str, int]]) -> None:
    async with producing(settings) as producer:
        for key, number in history:
            await write(producer, settings, SOURCE, key, str(number).encode())


async def table_after_work(settings: KafkaSettings, store_of: OpenStore) -> dict[int, dict[str, bytes]]:
    """Run until caught up, and return the tables by partition."""
    async with running((AGENT,), kafka=settings, limits=QUICK, store_of=store_of) as work:
        await until(lambda: work.engine.ready.is_set() and caught_up(work), "caught up")
        return {processor.partition: rows(processor.store) for processor in work.engine.all_processors()}


def caught_up(work: Running) -> bool:
    processors = work.engine.all_processors()
    return len(processors) == PARTITIONS and all(processor.status == "live" and processor.caught_up for processor in processors)


def rows(store: Store) -> dict[str, bytes]:
    if isinstance(store, MemoryStore):
        return dict(sorted(store.items()))
    return {f"g{number}|{item}": value for number in range(5) for item, value in store.walk(f"g{number}", "")}


def on_disk(folder: Path) -> RocksStores:
    return RocksStores(folder, frozenset({AGENT.name}))


async def test_the_same_history_gives_the_same_bytes_in_memory_and_on_disk(settings: KafkaSettings, tmp_path: Path) -> None:
    await create_topics(settings, AGENT)
    await send(settings, HISTORY)
    disk = await table_after_work(settings, on_disk(tmp_path))
    assert disk == await table_after_work(settings, open_memory_store), "read from the changelog alone"
    model = dict(HISTORY)
    assert {key: Numbers.decode(value) for table in disk.values() for key, value in table.items()} == {
        key: number for key, number in model.items() if number
    }
    assert len(await read_all(settings, OUT)) == len(HISTORY)


async def test_a_restart_reads_only_what_others_wrote_since(settings: KafkaSettings, tmp_path: Path, read: list[int]) -> None:
    await create_topics(settings, AGENT)
    await send(settings, HISTORY)
    here, elsewhere = on_disk(tmp_path / "here"), on_disk(tmp_path / "elsewhere")
    before = await table_after_work(settings, here)
    read.clear()
    assert await table_after_work(settings, here) == before
    assert sum(read) == PARTITIONS, "of each partition the bookmark's own record"
    await send(settings, [("g0|new", 3), ("g0|0", 0)])
    read.clear()
    after = await table_after_work(settings, elsewhere)
    assert sum(read) > 150, "a host that has nothing reads everything"
    read.clear()
    assert await table_after_work(settings, here) == after
    assert PARTITIONS + 2 <= sum(read) <= PARTITIONS + 4, "two changes more, and one commit state or two"


def changelog() -> str:
    return Naming().changelog(AGENT.name)


async def test_a_bookmark_older_than_tombstones_are_kept_means_reading_everything(
    settings: KafkaSettings, tmp_path: Path, read: list[int]
) -> None:
    await create_topics(settings, AGENT)
    await send(settings, HISTORY)
    await table_after_work(settings, on_disk(tmp_path))
    topic = settings.topic(changelog())
    async with admin_client(settings) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"delete.retention.ms": "0"})])
    read.clear()
    await table_after_work(settings, on_disk(tmp_path))
    few = sum(read)
    await send(settings, [("g0|new", 3)])
    after = await table_after_work(settings, open_memory_store)
    read.clear()
    assert await table_after_work(settings, on_disk(tmp_path)) == after
    assert few < 10, "nothing follows the bookmarks: they are right however old"
    assert sum(read) > 40, "the partition with something new is read from its beginning"


async def test_a_table_whose_disk_fails_is_read_back_and_nothing_is_lost(settings: KafkaSettings, tmp_path: Path) -> None:
    """Writes, reads and openings fail alternately, as with a disk that fails and recovers."""
    await create_topics(settings, AGENT)
    await send(settings, HISTORY)
    failing = Failing(on_disk(tmp_path))
    async with running((AGENT,), kafka=settings, limits=QUICK, store_of=failing) as work:
        await until(lambda: work.engine.ready.is_set() and caught_up(work), "caught up")
        disk = {processor.partition: rows(processor.store) for processor in work.engine.all_processors()}
    assert set(failing.failed) == {"open", "get", "apply"}
    assert disk == await table_after_work(settings, open_memory_store)
    assert len(await read_all(settings, OUT)) == len(HISTORY)
    assert await read_all(settings, "dead.letters") == [], "a failing disk is no record's fault"


async def test_loads_that_overlap_never_put_an_old_value_over_a_new_one(
    settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Partitions are revoked and assigned again while their tables are still being restored."""
    await create_topics(settings, AGENT)
    await send(settings, HISTORY)
    wanted = await table_after_work(settings, open_memory_store)
    monkeypatch.setattr(changelog_reader, "_MAX_POLL_RECORDS", 5)
    apply = changelog_reader.ChangelogReader._apply

    async def slowly(*args: Any) -> None:
        await apply(*args)
        await asyncio.sleep(0.02)

    monkeypatch.setattr(changelog_reader.ChangelogReader, "_apply", slowly)
    rewinds: list[int] = []

    class Watched(MemoryStore):
        def apply(self, changes: Any, bookmark: Bookmark | None = None) -> None:
            if bookmark and self.bookmark and bookmark.offset < self.bookmark.offset:
                rewinds.append(bookmark.offset)
            super().apply(changes, bookmark)

    async def watched(agent: str, partition: int) -> Store:
        return Watched()

    async with running((AGENT,), kafka=settings, limits=QUICK, store_of=watched) as work:
        await until(lambda: work.engine.ready.is_set() and caught_up(work), "caught up")
        tps = {TP(settings.topic(SOURCE), partition) for partition in range(PARTITIONS)}
        for processor in work.engine.all_processors():
            processor.close_store()
        loads = []
        for pause in (0.05, 0.1, 0.15, 0.2):
            await work.engine.assignment.revoked()
            loads.append(asyncio.create_task(work.engine.assignment.assigned(tps)))
            await asyncio.sleep(pause)
        await asyncio.gather(*loads)
        await until(lambda: caught_up(work), "caught up")
        assert {processor.partition: rows(processor.store) for processor in work.engine.all_processors()} == wanted
    assert rewinds == []


class Failing:
    """Open stores on disk whose calls fail sometimes: opening, writing before anything is written, reading."""

    def __init__(self, stores: RocksStores) -> None:
        self._stores = stores
        self._calls: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    async def __call__(self, agent: str, partition: int) -> Store:
        self.call("open", 3)
        store = await self._stores(agent, partition)
        assert isinstance(store, RocksStore)
        get, apply = store.get, store.apply

        def failing_get(key: str) -> bytes | None:
            self.call("get", 7)
            return get(key)

        def failing_apply(*args: Any) -> None:
            self.call("apply", 7)
            apply(*args)

        store.get, store.apply = failing_get, failing_apply  # type: ignore[method-assign]
        return store

    def call(self, what: str, every: int) -> None:
        self._calls[what] += 1
        if self._calls[what] % every == 0 and self.failed[what] < 3:
            self.failed[what] += 1
            raise StoreFailed("the disk failed")


def found(folder: Path, text: bytes) -> list[str]:
    """Return the files that hold a text, among those of RocksDB that are not compressed to nothing."""
    return [path.name for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]


async def test_deleted_and_replaced_rows_leave_the_files_when_these_are_rewritten(tmp_path: Path) -> None:
    stores = RocksStores(tmp_path, frozenset({AGENT.name}))
    store = await stores(AGENT.name, 0)
    text = secrets.token_hex(40).encode()  # which no compression shortens
    store.apply({"a": text, "b": text, "c|1": b"stays"}, Bookmark(1, 0, b""))
    assert isinstance(store, RocksStore)
    store._rows.flush()  # as RocksDB does by itself, once 16 MB are together
    store.apply({"a": b"erased", "b": None}, Bookmark(2, 0, b""))
    assert found(tmp_path, text)
    keeping = asyncio.create_task(stores.keep_wiped(after_s=-60, every_s=60))
    await until(lambda: not found(tmp_path, text), "the files are rewritten")
    keeping.cancel()
    assert (store.get("a"), store.get("b"), list(store.walk("c", ""))) == (b"erased", None, [("1", b"stays")])
    store.close()
    assert not found(tmp_path, text)
    again = await stores(AGENT.name, 0)
    assert again.bookmark == Bookmark(2, 0, b"")
    again.close()


async def test_a_store_that_is_closed_while_its_files_are_rewritten_closes_at_once(tmp_path: Path) -> None:
    stores = RocksStores(tmp_path, frozenset({AGENT.name}))
    store = await stores(AGENT.name, 0)
    for number in range(20):
        store.apply({f"k{key}": secrets.token_bytes(300) for key in range(number * 5000, (number + 1) * 5000)})
    keeping = asyncio.create_task(stores.keep_wiped(after_s=-60))
    await asyncio.sleep(0.05)
    store.close()
    keeping.cancel()
    again = await stores(AGENT.name, 0)
    assert len(again.get("k99999") or b"") == 300
    again.close()
