"""When pending work may run beside new records, of its own partition and of the worker's others."""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.limits import Limits
from streams.engine.partition.pending_schedule import PendingSchedule
from tests.streams.engine.partition.test_processor import at_work, fetched, leaving, outputs_of, quiet
from tests.support.counting_agent import OUT, SOURCE, Numbers

pytestmark = pytest.mark.asyncio

LIMITS = Limits(part_seconds=1.0, step_seconds=0.2)


def ticking(seconds: float) -> Callable[[], float]:
    """Return a clock that is so much later each time it is read."""
    readings: Iterator[int] = count()
    return lambda: next(readings) * seconds


async def test_pieces_of_pending_work_share_a_transaction_while_nobody_waits() -> None:
    async with at_work({SOURCE: 0}, LIMITS, leaving(parts=5)) as (processor, producer, _):
        processor.offer(fetched(0, 2))
        await quiet()
        assert outputs_of(producer) == [0, 1, *((0, part) for part in range(1, 6))]
        assert producer.transactions == 2


async def test_a_part_takes_no_more_pieces_than_its_time_allows() -> None:
    async with at_work({SOURCE: 0}, Limits(part_seconds=0), leaving(parts=5)) as (processor, producer, _):
        processor.offer(fetched(0, 2))
        await quiet()
        assert producer.transactions == 6


async def test_pieces_of_a_part_that_fails_are_not_committed() -> None:
    def resume(cursor: bytes, table: Table[int], out: Outbox) -> bytes:
        out.send(OUT, None, json.dumps({"work": 0, "part": len(cursor)}).encode())
        if len(cursor) == 3:
            raise ValueError
        return cursor + b"x"

    def step(batch: Batch, table: Table[int], out: Outbox) -> bytes:
        return b"x"

    agent = Agent(name="fail", sources=(SOURCE,), step=step, codec=Numbers, resume=resume)
    async with at_work({SOURCE: 0}, LIMITS, agent) as (processor, producer, host):
        processor.offer(fetched(0, 1))
        await quiet()
        assert producer.committed == []
        assert processor.commit_state.pending_work == (b"x",)
        assert "failed at pending work: ValueError" in str(host.failures[0])


async def test_a_part_ends_once_a_record_waits_for_its_partition_and_it_had_as_long_as_the_batch_before() -> None:
    async with at_work({SOURCE: 0}) as (processor, _, _):
        schedule = PendingSchedule(processor, LIMITS, ticking(0.0))
        assert await schedule.may_continue(0.0)
        processor.buffer.put(fetched(0, 1))
        assert not await schedule.may_continue(0.0)
        schedule.observe_batch(0.1)
        assert await schedule.may_continue(0.0), "a log that is read from its start would pile up behind it"
        assert not await schedule.may_continue(-0.1)


async def test_a_part_ends_for_a_record_that_tasks_of_the_loop_still_hand_to_each_other():
    async with at_work({SOURCE: 0}) as (processor, _, _):
        schedule = PendingSchedule(processor, LIMITS, ticking(0.0))

        async def receive() -> None:
            for _ in range(6):  # as a client of Kafka does: socket, response, fetch, consumer, processor
                await asyncio.sleep(0)
            processor.buffer.put(fetched(0, 1))

        arriving = asyncio.create_task(receive())
        assert not await schedule.may_continue(0.0)
        await arriving


async def test_a_part_ends_once_another_partition_has_a_record_and_the_next_waits_for_it_as_long_as_this_one_took() -> None:
    async with at_work({SOURCE: 0}) as (ours, _, _), at_work({SOURCE: 0}) as (other, producer, _):
        ours.siblings = other.siblings = [ours, other]
        clock = ticking(0.01)
        schedule = PendingSchedule(ours, LIMITS, clock)
        producer.may_commit.clear()
        other.offer(fetched(0, 1))
        await quiet()
        assert not await schedule.may_continue(clock())
        assert await schedule.may_begin(), "no part was before: it owes nobody anything"
        schedule.observe_part(0.05)
        before = clock()
        assert await schedule.may_begin()
        assert clock() - before >= 0.05
        before = clock()
        assert await schedule.may_begin()
        assert clock() - before < 0.05, "it has waited its share; without end it would never run"


async def test_a_record_that_comes_while_a_part_waits_goes_before_it() -> None:
    async with at_work({SOURCE: 0}) as (ours, _, _), at_work({SOURCE: 0}) as (other, producer, _):
        ours.siblings = other.siblings = [ours, other]
        schedule = PendingSchedule(ours, LIMITS, ticking(0.0))
        producer.may_commit.clear()
        other.offer(fetched(0, 1))
        await quiet()
        schedule.observe_part(0.2)
        waiting = asyncio.create_task(schedule.may_begin())
        await quiet()
        assert not waiting.done()
        ours.buffer.put(fetched(0, 1))
        assert not await waiting


async def test_records_that_no_batch_may_take_hold_up_no_part() -> None:
    """They wait for pending work to be done, so pending work must not wait for them."""
    async with at_work({SOURCE: 0}) as (ours, _, _), at_work({SOURCE: 0}) as (other, producer, _):
        ours.siblings = other.siblings = [ours, other]
        schedule = PendingSchedule(ours, LIMITS, ticking(0.0))
        producer.may_commit.clear()
        other.offer(fetched(0, 1))
        await quiet()
        schedule.observe_part(0.2)
        ours.buffer.put(fetched(0, 1))
        assert await schedule.may_begin()


async def test_what_follows_from_a_record_is_waited_for_also_while_it_is_on_its_way() -> None:
    async with at_work({SOURCE: 0}) as (other, _, _):
        assert not other.has_new_records(time.perf_counter())
        with other.at_new_records():
            assert other.has_new_records(1e12)
        assert not other.has_new_records(time.perf_counter())
        other.expect(SOURCE, 1)
        assert other.has_new_records(time.perf_counter())
        other.offer(fetched(0, 1))
        await quiet()
        assert not other.has_new_records(time.perf_counter()), "it is here, and done"


async def test_what_never_comes_is_not_waited_for_without_end() -> None:
    async with at_work({SOURCE: 0}) as (other, _, _):
        other.expect(SOURCE, 1)
        assert not other.is_expecting(time.perf_counter() + 1.0)
        other.expect("a topic that it does not read", 1)
        assert not other.is_expecting(time.perf_counter())


async def test_no_part_begins_while_a_record_is_on_its_way_to_its_partition() -> None:
    """Found by a benchmark: the second of two agents had begun a piece when the record came, which then waited for it and its transaction."""
    async with at_work({SOURCE: 0}) as (ours, _, _):
        schedule = PendingSchedule(ours, LIMITS, ticking(0.0))
        schedule.observe_part(0.2)
        ours.expect(SOURCE, 1)
        waiting = asyncio.create_task(schedule.may_begin())
        await quiet()
        assert not waiting.done()
        ours.buffer.put(fetched(0, 1))
        assert not await waiting


async def test_a_part_ends_for_a_record_that_is_on_its_way_once_it_had_as_long_as_the_batch_before() -> None:
    async with at_work({SOURCE: 0}) as (ours, _, _):
        schedule = PendingSchedule(ours, LIMITS, ticking(0.0))
        ours.expect(SOURCE, 1)
        assert not await schedule.may_continue(0.0)
        schedule.observe_batch(0.1)
        assert await schedule.may_continue(0.0)


async def test_a_piece_gives_the_interpreter_to_other_threads_sooner_than_python_does() -> None:
    async with at_work({SOURCE: 0}) as (ours, _, _):
        before, during = sys.getswitchinterval(), []
        await PendingSchedule(ours, LIMITS).run_pieces(lambda: during.append(sys.getswitchinterval()), time.perf_counter())
        assert during[0] <= before / 5
        assert sys.getswitchinterval() == before
