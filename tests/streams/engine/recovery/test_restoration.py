"""A store is brought up to its changelog from any bookmark, and from the beginning where the log is not the one it was made from."""

import asyncio
from typing import Any

import msgspec
import pytest
from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from connectors.kafka.settings import KafkaSettings
from schemas.message import RecordValue
from streams.engine.limits import Limits
from streams.engine.recovery import changelog_reader as recovery
from streams.engine.recovery.restoration import Restoration
from streams.engine.tables import commit_state as positions
from streams.engine.tables.commit_state import CommitState
from streams.engine.tables.store import Bookmark, MemoryStore

KEYS = st.sampled_from(["a", "a|1", "b"])
TRANSACTIONS = st.lists(st.dictionaries(KEYS, st.none() | st.binary(min_size=1, max_size=1), max_size=3), min_size=1, max_size=12)
DAY = 86_400_000


def log_of(transactions: list[dict[str, bytes | None]], *, began: int = 0) -> list[RecordValue]:
    """Write transactions as the engine does: changes, the standing, a marker that is no record. One a second."""
    log: list[RecordValue] = []
    offset = 0
    for number, changes in enumerate(transactions, 1):
        standing = positions.encode(CommitState({"in": number}))
        for key, value in [*((key.encode(), value) for key, value in changes.items()), (positions.KEY, standing)]:
            log.append(RecordValue(key=key, value=value, offset=offset, timestamp=began + number * 1_000))
            offset += 1
        offset += 1
    return log


def compacted(log: list[RecordValue], up_to: int, *, tombstones: bool) -> list[RecordValue]:
    """Drop what is superseded in the log's first records, and tombstones too where their time has passed."""
    last = {record.key: record.offset for record in log[:up_to]}
    clean = [record for record in log[:up_to] if last[record.key] == record.offset and (tombstones or record.value is not None)]
    return clean + log[up_to:]


def table_of(transactions: list[dict[str, bytes | None]]) -> dict[str, bytes]:
    rows: dict[str, bytes | None] = {}
    for changes in transactions:
        rows |= changes
    return {key: value for key, value in rows.items() if value is not None}


def restore(store: MemoryStore, log: list[RecordValue], *, oldest: float = 0, at_once: int = 3) -> tuple[Restoration, int]:
    """Do what the reader does, over a list; return how many records were read, too."""
    one, read = Restoration(store, oldest=oldest), 0
    left = [record for record in log if record.offset >= (one.start_offset or 0)]
    while left or one.unverified:
        part, left = left[:at_once], left[at_once:]
        read += len(part)
        if not part or not one.take(part):
            one.start_over()
            left = list(log)
    return one, read


def stood(transactions: list[dict[str, bytes | None]]) -> MemoryStore:
    """Return the store of a worker that saw these transactions."""
    store = MemoryStore()
    restore(store, log_of(transactions))
    return store


@given(TRANSACTIONS, st.data())
def test_a_store_read_on_from_its_bookmark_equals_one_read_from_the_beginning(transactions: list, data: Any) -> None:
    seen = data.draw(st.integers(0, len(transactions)))
    log = log_of(transactions)
    clean = compacted(log, data.draw(st.integers(0, len(log))), tombstones=True)
    store = stood(transactions[:seen])
    one, _ = restore(store, clean, at_once=data.draw(st.integers(1, 9)))
    assert dict(store.items()) == table_of(transactions)
    assert one.commit_state == CommitState({"in": len(transactions)})
    assert store.bookmark is not None
    assert msgspec.structs.replace(store.bookmark, read=0) == Bookmark(log[-1].offset, log[-1].timestamp, log[-1].value or b"")


@given(TRANSACTIONS, st.data())
def test_a_restoration_broken_off_anywhere_goes_on_to_the_same_end(transactions: list, data: Any) -> None:
    log = log_of(transactions)
    store = stood(transactions[: data.draw(st.integers(0, len(transactions)))])
    restore(store, log[: data.draw(st.integers(0, len(log)))])
    restore(store, log)
    assert dict(store.items()) == table_of(transactions)


@given(TRANSACTIONS, TRANSACTIONS)
def test_a_store_of_another_log_is_read_from_the_beginning(theirs: list, ours: list) -> None:
    """Made anew, with the same positions at other times."""
    store = stood(theirs)
    restore(store, log_of(ours, began=DAY))
    assert dict(store.items()) == table_of(ours)


@given(TRANSACTIONS, st.data())
def test_a_bookmark_older_than_tombstones_are_kept_is_not_relied_on(transactions: list, data: Any) -> None:
    seen = data.draw(st.integers(1, len(transactions)))
    log = log_of(transactions)
    store = stood(transactions[:seen])
    clean = compacted(log, len(log), tombstones=False)
    restore(store, clean, oldest=len(transactions) * 1_000 + 1)
    assert dict(store.items()) == table_of(transactions)


def test_without_that_rule_a_deleted_row_would_come_back() -> None:
    """Shows that the test above can fail: the tombstone is gone, the bookmark's record is not yet."""
    transactions = [{"a": b"1"}, {"a": None}, {"b": b"2"}]
    store = stood(transactions[:1])
    clean = [record for record in log_of(transactions) if record.key != b"a"]
    restore(store, clean)
    assert dict(store.items()) == {"a": b"1", "b": b"2"}
    store = stood(transactions[:1])
    restore(store, clean, oldest=DAY)
    assert dict(store.items()) == {"b": b"2"}


@pytest.mark.parametrize("oldest", [0, DAY])
def test_a_bookmark_that_nothing_follows_is_right_however_old(oldest: int) -> None:
    transactions = [{"a": b"1"}] * 5
    assert restore(stood(transactions), log_of(transactions), oldest=oldest)[1] == 1


def test_a_log_cut_back_is_read_from_the_beginning() -> None:
    """A broker that lost the end of its log in a power failure."""
    transactions = [{"a": b"1"}, {"a": b"2"}]
    store = stood(transactions)
    one, _ = restore(store, log_of(transactions[:1]))
    assert (dict(store.items()), one.records) == ({"a": b"1"}, 2)


def test_a_log_made_anew_and_empty_leaves_nothing_of_the_store() -> None:
    store = stood([{"a": b"1"}])
    one, _ = restore(store, [])
    assert (dict(store.items()), one.records, one.commit_state) == ({}, 0, CommitState())


def one_standing(rows: int, *, began: int = 0, value: bytes = b"v") -> list[RecordValue]:
    """A log as compaction leaves it: rows, and where the table stood only at its very end."""
    transactions = [{f"r{number}": value} for number in range(rows)]
    return compacted(log_of(transactions, began=began), rows * 3, tombstones=False)


def part_of(store: MemoryStore, log: list[RecordValue], *, now: int = 0, oldest: float = 0) -> Restoration:
    """Read so many records and go away."""
    one = Restoration(store, oldest=oldest, now=now)
    assert one.take(log)
    return one


@given(st.integers(1, 9))
def test_a_restoration_broken_off_before_it_saw_where_the_table_stood_goes_on_from_its_last_record(read: int) -> None:
    log, store = one_standing(9), MemoryStore()
    part_of(store, log[:read])
    one, again = restore(store, log)
    assert dict(store.items()) == {f"r{number}": b"v" for number in range(9)}
    assert one.commit_state == CommitState({"in": 9})
    assert again == len(log) - read + 1, "the last record is seen again, and what follows"


@pytest.mark.parametrize("log", [one_standing(9, value=b"w"), one_standing(9, began=DAY), one_standing(2), []])
def test_a_restoration_broken_off_in_another_log_is_begun_again(log: list[RecordValue]) -> None:
    store = MemoryStore()
    part_of(store, one_standing(9)[:4])
    restore(store, log)
    assert dict(store.items()) == {record.key.decode(): record.value for record in log if record.key != positions.KEY}


@pytest.mark.parametrize(("away", "begun_again"), [(DAY // 2, False), (2 * DAY, True)])
def test_what_was_read_counts_from_when_it_was_read_however_old_the_records_are(away: int, begun_again: bool) -> None:
    """A tombstone written since then is kept for a day since then, not since the record that was read last."""
    log, store, now = one_standing(9), MemoryStore(), 30 * DAY
    part_of(store, log[:4], now=now, oldest=now - DAY)
    one = Restoration(store, oldest=now + away - DAY, now=now + away)
    assert one.take(log[3:]) is not begun_again


def test_being_broken_off_again_and_again_does_not_make_what_was_read_first_any_younger() -> None:
    log, store, now = one_standing(9), MemoryStore(), 30 * DAY
    part_of(store, log[:4], now=now, oldest=now - DAY)
    part_of(store, log[3:6], now=now + DAY // 2, oldest=now - DAY // 2)
    assert not Restoration(store, oldest=now + DAY // 2, now=now + DAY * 3 // 2).take(log[5:])


def test_a_copy_that_stood_still_for_longer_than_tombstones_are_kept_is_begun_again() -> None:
    log, store, now = one_standing(9), MemoryStore(), 30 * DAY
    one = part_of(store, log[:4], now=now)
    one.as_of = now + DAY
    one.mark_stale(now + DAY - 1)
    assert one.take(log[4:6]), "a copy that was at the end a moment ago has missed nothing"
    one.mark_stale(now + DAY + 1)
    assert not one.take(log[6:])
    one.start_over()
    assert one.take(log)


def test_a_copy_handed_over_says_since_when_it_missed_nothing() -> None:
    store = stood([{"a": b"1"}])
    one = Restoration(store, oldest=0, now=5 * DAY)
    one.as_of = 7 * DAY
    one.settle()
    assert store.bookmark is not None
    assert store.bookmark.as_of < DAY, "the log has not shown the bookmark's record: nothing is known"
    assert one.take(log_of([{"a": b"1"}])[1:])
    one.settle()
    assert store.bookmark.as_of == 7 * DAY


def test_the_bookmark_of_a_large_row_is_small() -> None:
    store = MemoryStore()
    part_of(store, one_standing(1, value=b"x" * 900_000)[:1])
    assert store.bookmark is not None
    assert len(store.bookmark.content) == 16


class Lost:
    """A consumer that has lost its way: it has a position, or not even that, and nothing ever comes."""

    def __init__(self, position: int | None) -> None:
        self._position = position

    async def position(self, place: TopicPartition) -> int:
        return await asyncio.Future() if self._position is None else self._position

    async def getmany(self, *places: TopicPartition, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(0.01)
        return {}


@pytest.mark.asyncio
@pytest.mark.parametrize("position", [None, 3])
async def test_a_restoration_to_which_nothing_comes_any_more_gives_up_its_consumer(
    monkeypatch: pytest.MonkeyPatch, position: int | None
) -> None:
    monkeypatch.setattr(recovery, "_STALLED_SECONDS", 0.1)
    monkeypatch.setattr(recovery, "AIOKafkaConsumer", lambda **_: Lost(position))
    reader = recovery.ChangelogReader(KafkaSettings(), Limits(), partitions=1)
    unread = {TopicPartition("changelog", 0): Restoration(MemoryStore(), oldest=0, now=0, log_ends=9)}
    async with asyncio.timeout(20):
        with pytest.raises(TimeoutError):
            _ = [place async for place in reader.restore(unread, lambda: True, lambda: None)]
