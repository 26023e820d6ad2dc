"""The contract of a store, in memory and on disk alike, and the failures that only a disk has."""

import asyncio
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import StoreFailed
from streams.engine.tables.rocksdb import RocksStores
from streams.engine.tables.store import Bookmark, MemoryStore, Store
from tests.patience import DEADLINE_S

GROUPS = ["a", "ab", "b", "ä", "~", "}"]
ITEMS = st.sampled_from(["", "1", "10", "2", "|", "x|y", "é", "\U0001f600", "\uffff", "~"])
ROWS = st.dictionaries(
    st.tuples(st.sampled_from(GROUPS), ITEMS).map(lambda row: f"{row[0]}|{row[1]}" if row[1] else row[0]),
    st.none() | st.binary(max_size=3),
    max_size=6,
)
BOOKMARKS = st.none() | st.builds(Bookmark, st.integers(0, 9), st.integers(0, 9), st.binary(max_size=3))
HISTORY = st.lists(st.tuples(st.sampled_from(["apply"] * 6 + ["clear", "open again"]), ROWS, BOOKMARKS), max_size=20)


def opened(folder: Path, partition: int = 3) -> Store:
    return asyncio.run(RocksStores(folder, frozenset({"people"}))("people", partition))


def memory(stack: ExitStack) -> tuple[Store, Callable[[Store], Store]]:
    """Return a new store, and a function that closes and reopens it where it outlives that."""
    return MemoryStore(), lambda store: store


def disk(stack: ExitStack) -> tuple[Store, Callable[[Store], Store]]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))

    def again(store: Store) -> Store:
        store.close()
        return opened(folder)

    return opened(folder), again


def walked(model: dict[str, bytes], group: str, after: str) -> list[tuple[str, bytes]]:
    rows = [(key.partition("|")[2], value) for key, value in model.items() if key.partition("|")[:2] == (group, "|")]
    return sorted(row for row in rows if row[0] > after)


@pytest.mark.parametrize("open_store", [memory, disk])
@given(history=HISTORY)
@settings(max_examples=60, deadline=None)
def test_a_store_is_a_dictionary_with_a_bookmark(open_store: Callable, history: list) -> None:
    with ExitStack() as stack:
        store, again = open_store(stack)
        model: dict[str, bytes] = {}
        bookmark: Bookmark | None = None
        for what, changes, mark in history:
            if what == "clear":
                store.clear()
                model, bookmark = {}, None
            elif what == "open again":
                store = again(store)
            else:
                store.apply(changes, mark)
                model = {key: value for key, value in {**model, **changes}.items() if value is not None}
                bookmark = mark or bookmark
            assert store.bookmark == bookmark
            for after in ("", "a", "ab"):
                assert list(store.groups(after)) == sorted(key for key in model if "|" not in key and key > after)
            for group in GROUPS:
                assert store.get(group) == model.get(group)
                assert store.get(f"{group}|1") == model.get(f"{group}|1")
                for after in ("", "1", "\uffff"):
                    assert list(store.walk(group, after)) == walked(model, group, after)
        store.close()


@pytest.mark.parametrize("open_store", [memory, disk])
def test_a_walk_over_all_groups_goes_on_where_it_stopped_while_rows_change(open_store: Callable) -> None:
    with ExitStack() as stack:
        store, _ = open_store(stack)
        store.apply({f"g{number}": b"x" for number in range(9)} | {"g5|item": b"x"})
        assert list(islice(store.groups(""), 3)) == ["g0", "g1", "g2"]
        store.apply({"g4": None, "g1": b"y"})
        assert list(islice(store.groups("g2"), 3)) == ["g3", "g5", "g6"]
        store.apply({"g55": b"new"})
        assert list(store.groups("g6")) == ["g7", "g8"]
        assert "g55" in list(store.groups(""))
        store.close()


def test_rows_are_counted_about(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.apply({f"k{number}": b"x" for number in range(1_000)})
    assert 900 <= len(store) <= 1_100
    store.close()


def test_an_agent_not_named_keeps_its_table_in_memory(tmp_path: Path) -> None:
    store = asyncio.run(RocksStores(tmp_path, frozenset({"people"}))("orgs", 0))
    assert isinstance(store, MemoryStore)
    assert list(tmp_path.iterdir()) == []


def test_partitions_do_not_share_rows(tmp_path: Path) -> None:
    first, second = opened(tmp_path, 1), opened(tmp_path, 2)
    first.apply({"k": b"1"})
    assert second.get("k") is None
    first.close()
    second.close()


@pytest.fixture
def locked_store(tmp_path: Path) -> Iterator[Store]:
    store = opened(tmp_path)
    store.apply({"k": b"mine"}, Bookmark(1, 1, b""))
    yield store
    store.close()


def test_a_table_held_by_another_process_is_copied_into_a_directory_that_goes_away(tmp_path: Path, locked_store: Store) -> None:
    result = in_process(
        f"""
        store = asyncio.run(RocksStores(Path({str(tmp_path)!r}), frozenset({{"people"}}))("people", 3))
        print(store.bookmark, store.get("k"), len(list(Path({str(tmp_path / "people")!r}).iterdir())))
        store.close()
        """
    )
    assert result.stdout.splitlines()[-1] == "None None 2"
    assert [folder.name for folder in (tmp_path / "people").iterdir()] == ["3"]
    assert locked_store.get("k") == b"mine"


def test_a_private_directory_left_by_a_killed_process_is_removed_at_the_next_start(tmp_path: Path, locked_store: Store) -> None:
    in_process(
        f"""
        store = asyncio.run(RocksStores(Path({str(tmp_path)!r}), frozenset({{"people"}}))("people", 3))
        store.apply({{"k": b"x"}})
        os._exit(0)
        """
    )
    assert len(list((tmp_path / "people").iterdir())) == 2
    locked_store.close()
    opened(tmp_path).close()
    assert [folder.name for folder in (tmp_path / "people").iterdir()] == ["3"]


def test_a_kill_leaves_what_was_applied(tmp_path: Path) -> None:
    in_process(
        f"""
        store = asyncio.run(RocksStores(Path({str(tmp_path)!r}), frozenset({{"people"}}))("people", 3))
        store.apply({{"k": b"x"}}, Bookmark(7, 8, b"9"))
        os.kill(os.getpid(), 9)
        """
    )
    store = opened(tmp_path)
    assert (store.get("k"), store.bookmark) == (b"x", Bookmark(7, 8, b"9"))
    store.close()


@pytest.mark.parametrize("damage", ["CURRENT", "MANIFEST"])
def test_a_corrupt_table_is_thrown_away(tmp_path: Path, damage: str) -> None:
    store = opened(tmp_path)
    store.apply({"k": b"x"}, Bookmark(1, 1, b""))
    store.close()
    for file in (tmp_path / "people" / "3").glob(f"{damage}*"):
        file.write_bytes(b"nonsense" * 50)
    store = opened(tmp_path)
    assert (store.get("k"), store.bookmark) == (None, None)
    store.apply({"k": b"y"})
    assert store.get("k") == b"y"
    store.close()


def test_rows_that_turn_out_corrupt_are_an_error_and_gone_after_the_close(tmp_path: Path) -> None:
    store = opened(tmp_path)
    rows = {f"{name}{number}": os.urandom(500) for name in ("g|", "k") for number in range(2_000)}
    store.apply(rows, Bookmark(1, 1, b""))
    store.close()
    for file in (tmp_path / "people" / "3").glob("*.sst"):
        data = bytearray(file.read_bytes())
        data[1_000:-100_000] = bytes(len(data) - 101_000)
        file.write_bytes(data)
    store = opened(tmp_path)
    with pytest.raises(StoreFailed, match="can be neither read nor written"):
        [store.get(f"k{number}") for number in range(2_000)]
    with pytest.raises(StoreFailed):
        list(store.walk("g", ""))
    store.close()
    store = opened(tmp_path)
    assert (store.get("k1"), store.bookmark) == (None, None)
    store.close()


def test_a_full_disk_is_an_error_and_leaves_whole_transactions(tmp_path: Path) -> None:
    """A limit on the size of files simulates the full disk: the same call fails at the same place."""
    result = in_process(
        f"""
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = asyncio.run(RocksStores(Path({str(tmp_path)!r}), frozenset({{"people"}}))("people", 3))
        for number in range(1_000):
            try:
                store.apply({{"a": os.urandom(10_000), "b": str(number).encode(), "c": str(number).encode()}}, Bookmark(number, 1, b""))
            except StoreFailed as error:
                print(error)
                break
        store.close()
        """
    )
    assert "Its disk is full or failing" in result.stdout
    store = opened(tmp_path)
    assert store.bookmark is not None
    assert store.get("b") == store.get("c") == str(store.bookmark.offset).encode()
    store.close()


def in_process(body: str) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own: RocksDB's locks are between processes, and a kill is real there."""
    head = """
        import asyncio, os, resource, signal
        from pathlib import Path
        from schemas.errors import StoreFailed
        from streams.engine.tables import rocksdb as rocks
        from streams.engine.tables.rocksdb import RocksStores
        from streams.engine.tables.store import Bookmark
        rocks._LOCK_TRIES = 2
        """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(head) + textwrap.dedent(body)],
        check=False,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
    )
