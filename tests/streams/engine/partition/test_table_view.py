"""A step's view behaves as a dictionary would, whatever was committed before."""

from collections.abc import Iterator

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.engine.in_memory import MemoryTable
from streams.engine.partition.table_view import TableView
from streams.engine.tables.store import MemoryStore
from tests.support.counting_agent import Numbers

GROUPS = st.sampled_from(["a", "b", "ab"])
ITEMS = st.sampled_from(["", "1", "2", "10", "é"])
CHANGES = st.lists(
    st.tuples(st.sampled_from(["put", "delete", "commit", "rollback"]), GROUPS, ITEMS, st.integers(0, 9)), max_size=30
)


def rows_of(model: dict[tuple[str, str], int], group: str) -> list[tuple[str, int]]:
    return sorted((item, value) for (owner, item), value in model.items() if owner == group and item)


@given(CHANGES)
@settings(max_examples=300)
def test_a_view_is_a_dictionary_whose_changes_can_be_committed_or_rolled_back(changes: list[tuple[str, str, str, int]]) -> None:
    table: MemoryTable[int] = MemoryTable(Numbers)
    committed: dict[tuple[str, str], int] = {}
    model: dict[tuple[str, str], int] = {}
    for what, group, item, value in changes:
        if what == "put":
            table.put(group, item, value)
            model[group, item] = value
        elif what == "delete":
            table.delete(group, item)
            model.pop((group, item), None)
        elif what == "commit":
            table.commit()
            committed = dict(model)
        else:
            table.rollback(None)
            model = dict(committed)
        own = sorted(group for group, item in model if not item)
        assert list(table.groups()) == own
        assert list(table.groups("a")) == [group for group in own if group > "a"]
        for name in ("a", "b", "ab"):
            assert list(table.walk(name)) == rows_of(model, name)
            assert list(table.items(name)) == [item for item, _ in rows_of(model, name)]
            assert list(table.walk(name, after="10")) == [row for row in rows_of(model, name) if row[0] > "10"]
            assert [table.get(name, item) for item in ("", "1")] == [model.get((name, "")), model.get((name, "1"))]


@given(CHANGES)
def test_a_rollback_returns_to_its_mark(changes: list[tuple[str, str, str, int]]) -> None:
    table: MemoryTable[int] = MemoryTable(Numbers)
    table.put("a", "2", 2)
    table.commit()
    table.put("a", "1", 1)
    savepoint = table.savepoint()
    for what, group, item, value in changes:
        table.put(group, item, value) if what == "put" else table.delete(group, item)
        assert {name for name, _ in table.walk(group)} <= {"1", "2", "10", "é"}
    table.rollback(savepoint)
    assert list(table.walk("a")) == [("1", 1), ("2", 2)]
    assert table.changes() == {"a|1": msgspec.msgpack.encode(1)}


class Unreadable(Numbers):
    @staticmethod
    def decode(data: bytes) -> int:
        raise AssertionError(data)


def test_what_is_only_named_or_deleted_is_not_decoded() -> None:
    store = MemoryStore()
    store.apply({"a|1": b"x", "a|2": b"x"})
    view: TableView[int] = TableView(store, Unreadable)
    view.put("a", "3", 3)
    view.delete("a", "1")
    assert list(view.items("a")) == ["2", "3"]
    assert view.changes()["a|1"] is None


class CountingStore(MemoryStore):
    """Counts the rows that walks pass over."""

    passed = 0

    def walk(self, group: str, after: str) -> Iterator[tuple[str, bytes]]:
        for row in super().walk(group, after):
            self.passed += 1
            yield row


def test_a_queue_that_a_transaction_empties_from_its_front_is_passed_over_once() -> None:
    """Those due are deleted and others put behind: a walk of each must not pass over all that the transaction has deleted before."""
    store = CountingStore()
    store.apply({f"due|{each:05}": msgspec.msgpack.encode(each) for each in range(2_000)})
    view: TableView[int] = TableView(store, Numbers)
    for each in range(4_000):
        item, value = next(view.walk("due"))
        assert value == each
        view.delete("due", item)
        view.put("due", f"{each + 2_000:05}", each + 2_000)
    assert store.passed < 3 * 2_000
    assert [value for _, value in view.walk("due")] == list(range(4_000, 6_000))


def test_a_value_is_encoded_once_however_often_it_was_put() -> None:
    encoded: list[int] = []

    class Counting(Numbers):
        @staticmethod
        def encode(value: int) -> bytes:
            encoded.append(value)
            return msgspec.msgpack.encode(value)

    view: TableView[int] = TableView(MemoryStore(), Counting)
    for value in range(5):
        view.put("a", "", value)
    assert view.changes() == {"a": msgspec.msgpack.encode(4)}
    assert encoded == [4]


def test_the_store_does_not_change_before_the_commit() -> None:
    table: MemoryTable[int] = MemoryTable(Numbers)
    table.put("a", "x", 1)
    assert table.rows() == {}
    table.commit()
    assert table.rows() == {"a|x": msgspec.msgpack.encode(1)}
