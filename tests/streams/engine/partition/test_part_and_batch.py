"""Records that come while a part of pending work runs are processed behind it, and one transaction commits both."""

import json
from collections.abc import Callable

import pytest

from schemas.message import RecordValue
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.limits import Limits
from streams.engine.partition.fetch_buffer import FetchedBatch, size_of
from tests.streams.engine.partition.test_processor import at_work, fetched, quiet
from tests.support.counting_agent import OUT, SOURCE, Numbers, count

pytestmark = pytest.mark.asyncio

LIMITS = Limits(part_seconds=0)  # so a part is one piece
PARTS = 4


def leaving_once(at_piece: Callable[[int], None]) -> Agent:
    """Return an agent that counts; its first record leaves work of four pieces, each of which counts too."""

    def step(batch: Batch, table: Table[int], out: Outbox) -> bytes | None:
        count(batch, table, out)
        return b"1" if batch.records[0].offset == 0 else None

    def resume(cursor: bytes, table: Table[int], out: Outbox) -> bytes | None:
        piece = int(cursor)
        at_piece(piece)
        number = (table.get("k") or 0) + 1
        table.put("k", "", number)
        out.send(OUT, "k", json.dumps({"n": number}).encode())
        return b"%d" % (piece + 1) if piece < PARTS else None

    return Agent(name="leave", sources=(SOURCE,), step=step, codec=Numbers, resume=resume)


def numbers(values: list[bytes | None]) -> list[int]:
    return [each["n"] for each in map(json.loads, filter(None, values)) if "n" in each]


async def test_a_record_that_comes_during_a_part_sees_what_the_part_did_and_is_committed_with_it():
    def at_piece(piece: int) -> None:
        if piece == 2:
            processor.offer(fetched(1, 2))

    async with at_work({SOURCE: 0}, LIMITS, leaving_once(at_piece)) as (processor, producer, host):
        processor.offer(fetched(0, 1))
        await quiet()
        assert numbers(producer.committed) == [1, 2, 3, 4, 5, 6]
        assert [json.loads(value or b"").get("offset") for value in producer.committed] == [0, None, None, 1, None, None]
        assert (producer.transactions, [each.records for each in host.stats]) == (5, [1, 0, 1, 0, 0])
        assert (dict(processor.positions), processor.caught_up) == ({SOURCE: 2}, True)
        assert processor.view().get("k") == 6


async def test_work_that_the_record_leaves_stands_behind_all_that_was_left_before():
    def step(batch: Batch, table: Table[int], out: Outbox) -> bytes:
        return b"%d 1" % batch.records[0].offset

    def resume(cursor: bytes, table: Table[int], out: Outbox) -> bytes | None:
        work, piece = map(int, cursor.split())
        done.append((work, piece))
        if (work, piece) == (0, 1):
            processor.offer(fetched(2, 3))
        return b"%d 2" % work if piece == 1 else None

    done: list[tuple[int, int]] = []
    agent = Agent(name="leave", sources=(SOURCE,), step=step, codec=Numbers, resume=resume)
    async with at_work({SOURCE: 0}, Limits(batch_records=1, part_seconds=0), agent) as (processor, _, _):
        processor.offer(fetched(0, 2))
        await quiet()
        assert done == [(0, 1), (0, 2), (1, 1), (1, 2), (2, 1), (2, 2)]


async def test_a_poison_record_that_comes_during_a_part_is_a_dead_letter_and_the_part_stays():
    def at_piece(piece: int) -> None:
        if piece == 1:
            poison = RecordValue(key=b"k", value=b"poison", offset=1)
            processor.offer(FetchedBatch(SOURCE, 1, 2, [poison], 2, size_of([poison])))

    async with at_work({SOURCE: 0}, LIMITS, leaving_once(at_piece)) as (processor, producer, host):
        processor.offer(fetched(0, 1))
        await quiet()
        assert numbers(producer.committed) == [1, 2, 3, 4, 5]
        assert [(each.records, each.dead) for each in host.stats] == [(1, 0), (1, 1), (0, 0), (0, 0), (0, 0)]
        assert processor.view().get("k") == 5


async def test_neither_is_there_where_their_transaction_fails():
    def at_piece(piece: int) -> None:
        if piece == 1:
            processor.offer(fetched(1, 2))
            producer.fenced = True

    async with at_work({SOURCE: 0}, LIMITS, leaving_once(at_piece)) as (processor, producer, host):
        processor.offer(fetched(0, 1))
        await quiet()
        assert numbers(producer.committed) == [1]
        assert (dict(processor.positions), processor.commit_state.pending_work) == ({SOURCE: 1}, (b"1",))
        assert len(host.failures) == 1
