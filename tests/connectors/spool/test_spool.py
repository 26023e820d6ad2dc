"""The spool on a real disk: every append that was confirmed can be read, whatever happened in between."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connectors.kafka.publisher import OutboundRecord
from connectors.spool import spool as spool_module
from connectors.spool.file import SpoolFile
from connectors.spool.spool import Spool, SpoolDamaged, SpoolFailed, SpoolFull

pytestmark = pytest.mark.asyncio
ROOM = 1 << 20


def record(number: int, size: int = 10) -> OutboundRecord:
    return OutboundRecord("topic", f"k{number}".encode(), b"v" * size, [("ce_id", str(number).encode())], number)


@asynccontextmanager
async def opened(path: Path, max_bytes: int = ROOM) -> AsyncIterator[Spool]:
    spool = Spool(path, max_bytes=max_bytes)
    await spool.open()
    try:
        yield spool
    finally:
        await spool.close()


async def append(spool: Spool, *records: OutboundRecord) -> None:
    """Append, and return when the records are on the disk."""
    done: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
    spool.append(records, done.set_result)
    if (error := await done) is not None:
        raise error


def modes(folder: Path) -> list[int]:
    return [path.stat().st_mode for path in folder.iterdir()]


async def waiting(spool: Spool) -> list[OutboundRecord]:
    return [each for group in await spool.read(0, 1 << 30) for each in group.records]


async def test_what_was_appended_is_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.spool") as spool:
        await append(spool, record(1), record(2))
        await append(spool, record(3))
    async with opened(tmp_path / "a.spool") as spool:
        assert await waiting(spool) == [record(1), record(2), record(3)]
        assert spool.bytes == sum(record(n).size for n in (1, 2, 3))


async def test_what_is_appended_in_the_last_iteration_before_a_stop_is_committed_and_answered(tmp_path: Path) -> None:
    answers: list[Exception | None] = []
    async with opened(tmp_path / "a.spool") as spool:
        for number in range(3):
            spool.append([record(number)], answers.append)
    await asyncio.sleep(0)
    assert answers == [None] * 3
    async with opened(tmp_path / "a.spool") as spool:
        assert await waiting(spool) == [record(0), record(1), record(2)]


async def test_appends_that_wait_together_are_committed_together_and_all_answered(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.spool") as spool:
        await asyncio.gather(*[append(spool, record(n)) for n in range(500)])
        groups = await spool.read(0, 1 << 30)
        assert sorted(each.timestamp for group in groups for each in group.records) == list(range(500))
        assert len(groups) < 500


async def test_what_is_forgotten_is_gone_and_its_bytes_are_free(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.spool") as spool:
        await append(spool, record(1))
        (group,) = await spool.read(0, 1)
        await append(spool, record(2))
        spool.acknowledge(group)
        assert spool.bytes == record(2).size
    async with opened(tmp_path / "a.spool") as spool:
        assert await waiting(spool) == [record(2)]


async def test_of_a_group_only_what_was_not_sent_is_left(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.spool") as spool:
        await append(spool, record(1), record(2), record(3))
        (group,) = await spool.read(0, 1)
        await spool.replace(group, [record(2)], [])
        assert await waiting(spool) == [record(2)]
        assert spool.bytes == record(2).size


async def test_what_kafka_refuses_is_set_aside_and_tried_again_when_the_file_is_next_opened(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.spool") as spool:
        await append(spool, record(1), record(2))
        (group,) = await spool.read(0, 1)
        await spool.replace(group, [], [record(2)])
        assert await waiting(spool) == []
        assert (spool.aside, spool.bytes) == (1, 0)
    async with opened(tmp_path / "a.spool") as spool:
        assert await waiting(spool) == [record(2)]


async def test_groups_are_taken_in_order_and_in_bounded_portions(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.spool") as spool:
        for number in range(4):
            await append(spool, record(number))
        first = await spool.read(0, 2 * record(0).size)
        rest = await spool.read(first[-1].id, 1 << 20)
        assert [group.records[0].timestamp for group in (*first, *rest)] == [0, 1, 2, 3]
        assert len(first) == 2


async def test_what_was_there_before_and_what_came_since_are_taken_in_one_order(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.spool") as spool:
        await append(spool, record(1))
        await append(spool, record(2))
    async with opened(tmp_path / "a.spool") as spool:
        await append(spool, record(3))
        await append(spool, record(4))
        numbers, after = list[int](), 0
        while groups := await spool.read(after, 1):
            after = groups[-1].id
            numbers += [each.timestamp for group in groups for each in group.records]
        assert numbers == [1, 2, 3, 4]


async def test_what_is_more_than_memory_may_hold_is_read_from_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "_MAX_CACHED_BYTES", 2 * record(0).size)
    async with opened(tmp_path / "a.spool") as spool:
        for number in range(5):
            await append(spool, record(number))
        assert len(spool._cached) == 2
        assert [each.timestamp for each in await waiting(spool)] == [0, 1, 2, 3, 4]


async def test_a_group_in_the_middle_that_was_sent_in_part_is_taken_as_it_is_now(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.spool") as spool:
        for number in (1, 3, 5):
            await append(spool, record(number), record(number + 1))
        _, second, _ = await spool.read(0, 1 << 20)
        await spool.replace(second, [record(4)], [])
        assert [each.timestamp for each in await waiting(spool)] == [1, 2, 4, 5, 6]


async def test_a_full_spool_says_so_and_takes_again_when_there_is_room(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.spool", max_bytes=record(1).size) as spool:
        await append(spool, record(1))
        with pytest.raises(SpoolFull):
            await append(spool, record(2))
        (group,) = await spool.read(0, 1)
        spool.acknowledge(group)
        await append(spool, record(3))
        assert await waiting(spool) == [record(3)]


async def test_a_disk_that_is_full_refuses_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.spool", max_bytes=1 << 30) as spool:
        await append(spool, record(1))
        spool._file._run("pragma max_page_count = 20")  # SQLite answers as it does for ENOSPC
        with pytest.raises(SpoolFailed, match="disk"):
            await append(spool, record(2, size=300_000))
        assert spool.failing
        assert spool.bytes == record(1).size
        await append(spool, record(3))
        assert not spool.failing
    async with opened(tmp_path / "a.spool") as spool:
        assert await waiting(spool) == [record(1), record(3)]


async def test_a_group_that_does_not_read_back_as_written_is_put_aside_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    async with opened(path) as spool:
        for number in range(3):
            await append(spool, record(number))
    with sqlite3.connect(path) as database:
        database.execute("update waiting set data = zeroblob(length(data)) where id = 2")
    database.close()
    async with opened(path) as spool:
        assert [each.timestamp for each in await waiting(spool)] == [0, 2]
        assert spool.aside == 1
        assert spool.bytes == 2 * record(0).size
    async with opened(path) as spool:
        assert spool.aside == 1, "it waits for a person, also after a restart"


@pytest.mark.parametrize(
    "torn", [b"SQLite format 3\x00" + b"\xa5" * 5000, b"not a database at all, but long enough to be one" * 100]
)
async def test_a_file_that_is_no_spool_any_more_is_damaged_and_not_overwritten(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "a.spool"
    path.write_bytes(torn)
    with pytest.raises(SpoolDamaged):
        await Spool(path, max_bytes=ROOM).open()
    assert path.read_bytes() == torn


async def test_an_emptied_file_gives_its_space_back(tmp_path: Path) -> None:
    path = tmp_path / "a.spool"
    async with opened(path, max_bytes=1 << 30) as spool:
        for number in range(40):
            await append(spool, record(number, size=1 << 20))
        for group in await spool.read(0, 1 << 30):
            spool.acknowledge(group)
        await spool.delete_acknowledged()
        await spool.delete_acknowledged()
    assert path.stat().st_size < 1 << 20


async def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    async with opened(tmp_path / "a.spool") as spool:
        await append(spool, record(1))
        assert {mode & 0o077 for mode in modes(tmp_path)} == {0}


async def test_a_transaction_that_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    file = SpoolFile(tmp_path / "a.spool")

    def torn() -> Sequence[OutboundRecord]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        file.append(batch() if callable(batch) else batch for batch in ([record(1)], torn))
    file.append([[record(2)]])
    assert [group.records for group in file.read(0, 1 << 20).groups] == [[record(2)]]
    file.close()


def found(folder: Path, text: bytes) -> list[str]:
    """Return the files that hold a text."""
    return [path.name for path in folder.iterdir() if text in path.read_bytes()]


async def test_after_a_wipe_no_file_holds_what_was_drained_and_what_waits_is_still_there(tmp_path: Path) -> None:
    drained = OutboundRecord("topic", b"k", b"Ada Lovelace " * 2000, [], 1)
    async with opened(tmp_path / "a.spool") as spool:
        await append(spool, drained)
        await append(spool, record(2))
        group, *_ = await spool.read(0, 1)
        spool.acknowledge(group)
        await spool.delete_acknowledged()
        assert found(tmp_path, b"Ada Lovelace"), "SQLite keeps the bytes of deleted rows"
        await spool.wipe()
        assert found(tmp_path, b"Ada Lovelace") == []
        assert await waiting(spool) == [record(2)]
