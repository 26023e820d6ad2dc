"""A store is restored from any bookmark, and from the log's start where the log is not the one it was made from."""

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
from streams.engine.recovery import changelog_reader
from streams.engine.recovery.restoration import Restoration
from streams.engine.tables import commit_state as commit_states
from streams.engine.tables.commit_state import CommitState
from streams.engine.tables.store import Bookmark, MemoryStore
from tests.patience import DEADLINE_S

KEYS = st.sampled_from(["a", "a|1", "b"])
TRANSACTIONS = st.lists(st.dictionaries(KEYS, st.none() | st.binary(min_size=1, max_size=1), max_size=3), min_size=1, max_size=12)
DAY = 86_400_000


def log_of(transactions: list[dict[str, bytes | None]], *, start_ms: int = 0) -> list[RecordValue]:
    """Write transactions as the engine does, one a second: changes, the commit state, and the offset of a marker."""
    log: list[RecordValue] = []
    offset = 0
    for number, changes in enumerate(transactions, 1):
        commit_state = commit_states.encode(CommitState({"in": number}))
        for key, value in [*((key.encode(), value) for key, value in changes.items()), (commit_states.KEY, commit_state)]:
            log.append(RecordValue(key=key, value=value, offset=offset, timestamp=start_ms + number * 1_000))
            offset += 1
        offset += 1
    return log


def compacted(log: list[RecordValue], up_to: int, *, tombstones: bool) -> list[RecordValue]:
    """Drop superseded records from the first part of the log, and tombstones too once they have expired."""
    last = {record.key: record.offset for record in log[:up_to]}
    clean = [record for record in log[:up_to] if last[record.key] == record.offset and (tombstones or record.value is not None)]
    return clean + log[up_to:]


def table_of(transactions: list[dict[str, bytes | None]]) -> dict[str, bytes]:
    rows: dict[str, bytes | None] = {}
    for changes in transactions:
        rows |= changes
    return {key: value for key, value in rows.items() if value is not None}


def restore(store: MemoryStore, log: list[RecordValue], *, oldest: float = 0, poll_records: int = 3) -> tuple[Restoration, int]:
    """Do what the reader does, over a list; also return how many records were read."""
    restoration, read = Restoration(store, oldest=oldest), 0
    remaining = [record for record in log if record.offset >= (restoration.start_offset or 0)]
    while remaining or restoration.unverified:
        part, remaining = remaining[:poll_records], remaining[poll_records:]
        read += len(part)
        if not part or not restoration.apply(part):
            restoration.start_over()
            remaining = list(log)
    return restoration, read


def store_of(transactions: list[dict[str, bytes | None]]) -> MemoryStore:
    """Return the store of a worker that saw these transactions."""
    store = MemoryStore()
    restore(store, log_of(transactions))
    return store


@given(TRANSACTIONS, st.data())
def test_a_store_read_on_from_its_bookmark_equals_one_read_from_the_beginning(transactions: list, data: Any) -> None:
    seen = data.draw(st.integers(0, len(transactions)))
    log = log_of(transactions)
    clean = compacted(log, data.draw(st.integers(0, len(log))), tombstones=True)
    store = store_of(transactions[:seen])
    restoration, _ = restore(store, clean, poll_records=data.draw(st.integers(1, 9)))
    assert dict(store.items()) == table_of(transactions)
    assert restoration.commit_state == CommitState({"in": len(transactions)})
    assert store.bookmark is not None
    assert msgspec.structs.replace(store.bookmark, read=0) == Bookmark(log[-1].offset, log[-1].timestamp, log[-1].value or b"")


@given(TRANSACTIONS, st.data())
def test_a_restoration_broken_off_anywhere_goes_on_to_the_same_end(transactions: list, data: Any) -> None:
    log = log_of(transactions)
    store = store_of(transactions[: data.draw(st.integers(0, len(transactions)))])
    restore(store, log[: data.draw(st.integers(0, len(log)))])
    restore(store, log)
    assert dict(store.items()) == table_of(transactions)


@given(TRANSACTIONS, TRANSACTIONS)
def test_a_store_of_another_log_is_read_from_the_beginning(theirs: list, ours: list) -> None:
    """The topic was recreated, with the same positions at other times."""
    store = store_of(theirs)
    restore(store, log_of(ours, start_ms=DAY))
    assert dict(store.items()) == table_of(ours)


@given(TRANSACTIONS, st.data())
def test_a_bookmark_older_than_tombstones_are_kept_is_not_relied_on(transactions: list, data: Any) -> None:
    seen = data.draw(st.integers(1, len(transactions)))
    log = log_of(transactions)
    store = store_of(transactions[:seen])
    clean = compacted(log, len(log), tombstones=False)
    restore(store, clean, oldest=len(transactions) * 1_000 + 1)
    assert dict(store.items()) == table_of(transactions)


def test_without_that_rule_a_deleted_row_would_come_back() -> None:
    """Shows that the test above can fail: the tombstone is gone, the bookmark's record is not yet."""
    transactions = [{"a": b"1"}, {"a": None}, {"b": b"2"}]
    store = store_of(transactions[:1])
    clean = [record for record in log_of(transactions) if record.key != b"a"]
    restore(store, clean)
    assert dict(store.items()) == {"a": b"1", "b": b"2"}
    store = store_of(transactions[:1])
    restore(store, clean, oldest=DAY)
    assert dict(store.items()) == {"b": b"2"}


@pytest.mark.parametrize("oldest", [0, DAY])
def test_a_bookmark_that_nothing_follows_is_right_however_old(oldest: int) -> None:
    transactions = [{"a": b"1"}] * 5
    assert restore(store_of(transactions), log_of(transactions), oldest=oldest)[1] == 1


def test_a_log_cut_back_is_read_from_the_beginning() -> None:
    """A broker that lost the end of its log in a power failure."""
    transactions = [{"a": b"1"}, {"a": b"2"}]
    store = store_of(transactions)
    restoration, _ = restore(store, log_of(transactions[:1]))
    assert (dict(store.items()), restoration.records) == ({"a": b"1"}, 2)


def test_a_log_made_anew_and_empty_leaves_nothing_of_the_store() -> None:
    store = store_of([{"a": b"1"}])
    restoration, _ = restore(store, [])
    assert (dict(store.items()), restoration.records, restoration.commit_state) == ({}, 0, CommitState())


def log_of_rows(rows: int, *, start_ms: int = 0, value: bytes = b"v") -> list[RecordValue]:
    """Return a log as compaction leaves it: rows, and a commit state only at the end."""
    transactions = [{f"r{number}": value} for number in range(rows)]
    return compacted(log_of(transactions, start_ms=start_ms), rows * 3, tombstones=False)


def part_of(store: MemoryStore, log: list[RecordValue], *, now: int = 0, oldest: float = 0) -> Restoration:
    """Restore from these records only."""
    restoration = Restoration(store, oldest=oldest, now=now)
    assert restoration.apply(log)
    return restoration


@given(st.integers(1, 9))
def test_a_restoration_broken_off_before_it_saw_where_the_table_stood_goes_on_from_its_last_record(read: int) -> None:
    log, store = log_of_rows(9), MemoryStore()
    part_of(store, log[:read])
    restoration, reread = restore(store, log)
    assert dict(store.items()) == {f"r{number}": b"v" for number in range(9)}
    assert restoration.commit_state == CommitState({"in": 9})
    assert reread == len(log) - read + 1, "the last record is seen again, and what follows"


@pytest.mark.parametrize("log", [log_of_rows(9, value=b"w"), log_of_rows(9, start_ms=DAY), log_of_rows(2), []])
def test_a_restoration_broken_off_in_another_log_is_begun_again(log: list[RecordValue]) -> None:
    store = MemoryStore()
    part_of(store, log_of_rows(9)[:4])
    restore(store, log)
    assert dict(store.items()) == {record.key.decode(): record.value for record in log if record.key != commit_states.KEY}


@pytest.mark.parametrize(("away", "begun_again"), [(DAY // 2, False), (2 * DAY, True)])
def test_what_was_read_counts_from_when_it_was_read_however_old_the_records_are(away: int, begun_again: bool) -> None:
    """A tombstone written since then is kept for a day from then on, not from the time of the record that was read last."""
    log, store, now = log_of_rows(9), MemoryStore(), 30 * DAY
    part_of(store, log[:4], now=now, oldest=now - DAY)
    restoration = Restoration(store, oldest=now + away - DAY, now=now + away)
    assert restoration.apply(log[3:]) is not begun_again


def test_being_broken_off_again_and_again_does_not_make_what_was_read_first_any_younger() -> None:
    log, store, now = log_of_rows(9), MemoryStore(), 30 * DAY
    part_of(store, log[:4], now=now, oldest=now - DAY)
    part_of(store, log[3:6], now=now + DAY // 2, oldest=now - DAY // 2)
    assert not Restoration(store, oldest=now + DAY // 2, now=now + DAY * 3 // 2).apply(log[5:])


def test_a_copy_that_stood_still_for_longer_than_tombstones_are_kept_is_begun_again() -> None:
    log, store, now = log_of_rows(9), MemoryStore(), 30 * DAY
    restoration = part_of(store, log[:4], now=now)
    restoration.as_of = now + DAY
    restoration.mark_stale(now + DAY - 1)
    assert restoration.apply(log[4:6]), "a copy that was at the end a moment ago has missed nothing"
    restoration.mark_stale(now + DAY + 1)
    assert not restoration.apply(log[6:])
    restoration.start_over()
    assert restoration.apply(log)


def test_a_copy_handed_over_says_since_when_it_missed_nothing() -> None:
    store = store_of([{"a": b"1"}])
    restoration = Restoration(store, oldest=0, now=5 * DAY)
    restoration.as_of = 7 * DAY
    restoration.save_as_of()
    assert store.bookmark is not None
    assert store.bookmark.as_of < DAY, "the log has not shown the bookmark's record: nothing is known"
    assert restoration.apply(log_of([{"a": b"1"}])[1:])
    restoration.save_as_of()
    assert store.bookmark.as_of == 7 * DAY


def test_the_bookmark_of_a_large_row_is_small() -> None:
    store = MemoryStore()
    part_of(store, log_of_rows(1, value=b"x" * 900_000)[:1])
    assert store.bookmark is not None
    assert len(store.bookmark.content) == 16


class StalledConsumer:
    """A consumer that has lost track of the cluster: it has a position, or not even that, and never returns a record."""

    def __init__(self, position: int | None) -> None:
        self._position = position

    async def position(self, tp: TopicPartition) -> int:
        return await asyncio.Future() if self._position is None else self._position

    async def getmany(self, *tps: TopicPartition, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[Any]]:
        await asyncio.sleep(0.01)
        return {}


@pytest.mark.asyncio
@pytest.mark.parametrize("position", [None, 3])
async def test_a_restoration_to_which_nothing_comes_any_more_gives_up_its_consumer(
    monkeypatch: pytest.MonkeyPatch, position: int | None
) -> None:
    monkeypatch.setattr(changelog_reader, "_STALLED_SECONDS", 0.1)
    monkeypatch.setattr(changelog_reader, "Consumer", lambda _kafka, **_: StalledConsumer(position))
    reader = changelog_reader.ChangelogReader(KafkaSettings(), Limits(), partitions=1)
    unread = {TopicPartition("changelog", 0): Restoration(MemoryStore(), oldest=0, now=0, log_end=9)}
    async with asyncio.timeout(DEADLINE_S):
        with pytest.raises(TimeoutError):
            _ = [tp async for tp in reader.restore(unread, lambda: True, lambda: None)]
