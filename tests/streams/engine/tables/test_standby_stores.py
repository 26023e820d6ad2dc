"""A standby store never obstructs the partition's owner, and takes its place when it is further ahead."""

from pathlib import Path

import pytest

from streams.engine.tables.rocksdb import RocksStore, RocksStores
from streams.engine.tables.store import Bookmark, MemoryStandbyStores, MemoryStore, Store

pytestmark = pytest.mark.asyncio


def write(standby: Store, offset: int) -> None:
    standby.apply({"k": str(offset).encode()}, Bookmark(offset, 1, b""))


async def test_a_spare_is_private_and_begins_with_what_the_host_has(tmp_path: Path) -> None:
    disk = RocksStores(tmp_path, frozenset({"count"}))
    own = await disk("count", 0)
    write(own, 7)
    assert disk.release(own) is None
    standby = await disk.open_standby("count", 0)
    assert (standby.get("k"), standby.bookmark) == (b"7", Bookmark(7, 1, b""))
    own = await disk("count", 0)
    assert isinstance(own, RocksStore), "the owner's directory is not locked"
    assert str(own) == "<RocksStore 0>"
    second = await disk.open_standby("count", 0)
    assert second.bookmark is None, "while the owner uses the directory nothing is copied"
    for store in (standby, second, own):
        store.close()
    assert [folder.name for folder in (tmp_path / "count").iterdir()] == ["0"]


async def test_a_spare_that_is_further_on_takes_the_place_of_what_the_host_had(tmp_path: Path) -> None:
    disk = RocksStores(tmp_path, frozenset({"count"}))
    own = await disk("count", 0)
    write(own, 7)
    own.close()
    standby = await disk.open_standby("count", 0)
    write(standby, 9)
    promoted = await disk.promote("count", 0, standby)
    write(promoted, 11)
    promoted.close()
    again = await disk("count", 0)
    assert (again.get("k"), again.bookmark) == (b"11", Bookmark(11, 1, b"")), "a restart finds it"
    again.close()


async def test_what_the_host_has_is_kept_where_it_is_further_on(tmp_path: Path) -> None:
    """Its owner was another worker of this host, which has died."""
    disk = RocksStores(tmp_path, frozenset({"count"}))
    standby = await disk.open_standby("count", 0)
    write(standby, 7)
    own = await disk("count", 0)
    write(own, 9)
    own.close()
    promoted = await disk.promote("count", 0, standby)
    assert promoted.get("k") == b"9"
    promoted.close()
    assert [folder.name for folder in (tmp_path / "count").iterdir()] == ["0"]


async def test_beside_an_owner_that_is_frozen_the_spare_itself_is_the_table(tmp_path: Path) -> None:
    disk = RocksStores(tmp_path, frozenset({"count"}))
    own = await disk("count", 0)
    standby = await disk.open_standby("count", 0)
    write(standby, 7)
    promoted = await disk.promote("count", 0, standby)
    assert promoted is standby
    assert promoted.get("k") == b"7"
    promoted.close()
    own.close()


async def test_tables_in_memory_change_their_part_without_moving(tmp_path: Path) -> None:
    store = MemoryStore()
    for stores in (MemoryStandbyStores(), RocksStores(tmp_path, frozenset())):
        assert isinstance(await stores.open_standby("count", 0), MemoryStore)
        assert await stores.promote("count", 0, store) is store
        assert stores.release(store) is store
