"""A processor alone, with a producer and a host that record calls: batches that overlap, skip or arrive late."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from aiokafka.errors import MessageSizeTooLargeError, ProducerFenced

from schemas.message import RecordValue
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.batch_loop import BatchLoop
from streams.engine.partition.fetch_buffer import FetchedBatch, size_of
from streams.engine.partition.processor import CommitStats, PartitionProcessor, PartitionStatus
from streams.engine.tables.commit_state import CommitState
from streams.engine.tables.store import MemoryStore
from tests.support.counting_agent import OUT, SECOND, SOURCE, Numbers, count, counting

pytestmark = pytest.mark.asyncio


class RecordedBatch:
    """One batch of the recording producer."""

    def __init__(self) -> None:
        self.values: list[bytes | None] = []

    def append(self, *, key, value, timestamp, headers):
        self.values.append(value)
        return SimpleNamespace(offset=len(self.values) - 1, timestamp=0)

    def close(self) -> None:
        pass


class Producer:
    """Record committed outputs and offsets; `fenced` and `refuses` make commits fail."""

    def __init__(self) -> None:
        self.committed: list[bytes | None] = []
        self.offsets: dict[str, int] = {}
        self.transactions = 0
        self.fenced = False
        self.refuses = False
        self.may_commit = asyncio.Event()
        self.may_commit.set()

    async def begin_transaction(self) -> None:
        self._open: list[bytes | None] = []

    def create_batch(self) -> RecordedBatch:
        return RecordedBatch()

    async def send_batch(self, builder, topic, partition):
        if topic == "out":
            self._open += builder.values
        answer = asyncio.get_running_loop().create_future()
        if self.refuses:
            answer.set_exception(MessageSizeTooLargeError())
        else:
            answer.set_result(SimpleNamespace(offset=0, timestamp=0))
        return answer

    async def send_offsets_to_transaction(self, offsets, group) -> None:
        if self.fenced:
            raise ProducerFenced
        self._offsets = {place.topic: offset for place, offset in offsets.items()}

    async def commit_one(self) -> None:
        """Let one transaction commit and wait until the next one has begun."""
        await quiet()
        self.may_commit.set()
        await asyncio.sleep(0)
        self.may_commit.clear()
        await quiet()

    async def commit_transaction(self) -> None:
        await self.may_commit.wait()
        self.committed += self._open
        self.offsets |= self._offsets
        self.transactions += 1


class Host:
    """Record what a processor calls."""

    traces = False

    def __init__(self) -> None:
        self.stats: list[CommitStats] = []
        self.seeks: list[tuple[str, int]] = []
        self.failures: list[Exception] = []

    async def seek(self, processor, topic, position) -> None:
        self.seeks.append((topic, position))

    def on_failed(self, processor, error) -> None:
        self.failures.append(error)

    def fatal(self, error) -> None:
        self.failures.append(error)

    async def partitions(self, topic) -> int:
        return 1

    def committed(self, stats) -> None:
        self.stats.append(stats)

    def written(self, positions) -> None: ...


@asynccontextmanager
async def at_work(
    positions: dict[str, int], limits: Limits | None = None, agent: Agent | None = None
) -> AsyncIterator[tuple[PartitionProcessor, Producer, Host]]:
    host, producer = Host(), Producer()
    limits = limits or Limits()
    processor = PartitionProcessor(agent or counting(tuple(positions)), 0, limits=limits, host=host)
    processor.attach_store(MemoryStore())
    processor.open(producer=producer, commit_state=CommitState(positions), ends=positions)
    task = asyncio.create_task(BatchLoop(processor, names=Naming(), limits=limits, host=host).run())
    try:
        yield processor, producer, host
    finally:
        task.cancel()


def fetched(before: int, after: int, topic: str = SOURCE, skip: tuple[int, ...] = ()) -> FetchedBatch:
    records = [RecordValue(key=b"k", value=b"x", offset=offset) for offset in range(before, after) if offset not in skip]
    return FetchedBatch(topic, before, after, records, after, size_of(records))


def offsets_of(producer: Producer) -> list[int]:
    return [json.loads(value or b"")["offset"] for value in producer.committed]


async def quiet() -> None:
    for _ in range(200):  # between two pieces of pending work the loop goes round a dozen times
        await asyncio.sleep(0)


async def test_batches_that_follow_each_other_are_processed_together() -> None:
    async with at_work({SOURCE: 0}) as (processor, producer, _):
        for before in (0, 3, 6):
            processor.offer(fetched(before, before + 3))
        await quiet()
        assert offsets_of(producer) == list(range(9))
        assert producer.transactions == 1
        assert processor.positions == producer.offsets == {SOURCE: 9}


async def test_a_batch_behind_a_gap_is_not_processed_and_the_gap_is_read_again() -> None:
    """The batch before it was lost on its way. If this one were processed, the missing records would never be noticed."""
    async with at_work({SOURCE: 0}) as (processor, producer, host):
        processor.offer(fetched(0, 3))
        await quiet()
        processor.offer(fetched(6, 9))
        await quiet()
        assert offsets_of(producer) == [0, 1, 2]
        assert host.seeks == [(SOURCE, 3)]
        processor.offer(fetched(3, 9))
        await quiet()
        assert offsets_of(producer) == list(range(9))


async def test_a_gap_drops_what_is_queued_of_that_topic_and_no_other() -> None:
    async with at_work({SOURCE: 0, SECOND: 0}) as (processor, producer, host):
        processor.offer(fetched(5, 6))
        processor.offer(fetched(0, 2, SECOND))
        processor.offer(fetched(6, 9))
        await quiet()
        assert host.seeks == [(SOURCE, 0)]
        assert producer.offsets == {SOURCE: 0, SECOND: 2}


async def test_a_batch_fetched_twice_is_processed_once() -> None:
    async with at_work({SOURCE: 0}) as (processor, producer, _):
        processor.offer(fetched(0, 5))
        await quiet()
        processor.offer(fetched(0, 5))
        processor.offer(fetched(2, 8))
        await quiet()
        assert offsets_of(producer) == list(range(8))


async def test_offsets_without_records_are_no_gap() -> None:
    """Markers and aborted records take offsets: positions are contiguous, record offsets are not."""
    async with at_work({SOURCE: 0}) as (processor, producer, host):
        processor.offer(fetched(0, 5, skip=(3, 4)))
        processor.offer(fetched(5, 7, skip=(5,)))
        await quiet()
        assert host.seeks == []
        assert offsets_of(producer) == [0, 1, 2, 6]
        assert processor.positions == {SOURCE: 7}


async def test_a_large_fetch_is_cut_into_batches_each_with_its_own_position() -> None:
    async with at_work({SOURCE: 0}, Limits(batch_records=4)) as (processor, producer, _):
        processor.offer(fetched(0, 10))
        await quiet()
        assert offsets_of(producer) == list(range(10))
        assert producer.transactions == 3


async def test_a_fenced_lane_gives_up_its_table_and_its_queue() -> None:
    async with at_work({SOURCE: 0}) as (processor, producer, host):
        producer.fenced = True
        processor.offer(fetched(0, 3))
        await quiet()
        processor.offer(fetched(3, 6))
        await quiet()
        assert processor.status is PartitionStatus.FAILED
        assert not processor.table_valid
        assert [type(error) for error in host.failures] == [ProducerFenced]
        assert producer.committed == []
        assert processor.view().get("k") is None


def leaving(parts: int) -> Agent:
    """Return an agent that counts, and for each batch has work of this many parts, each of which sends its number."""

    def step(batch: Batch, table: Table[int], out: Outbox) -> bytes:
        count(batch, table, out)
        return b"%d 1" % batch.records[0].offset

    def resume(cursor: bytes, table: Table[int], out: Outbox) -> bytes | None:
        work, part = map(int, cursor.split())
        out.send(OUT, None, json.dumps({"work": work, "part": part}).encode())
        return b"%d %d" % (work, part + 1) if part < parts else None

    return Agent(name="leave", sources=(SOURCE,), step=step, codec=Numbers, resume=resume)


def outputs_of(producer: Producer) -> list[object]:
    """Return the outputs in order: the offset of a counted record, or the work and part of pending work."""
    outputs = [json.loads(value or b"") for value in producer.committed]
    return [output["offset"] if "offset" in output else (output["work"], output["part"]) for output in outputs]


async def test_left_over_work_takes_turns_with_the_batches_of_one_fetch_and_is_done_in_the_order_it_arose() -> None:
    async with at_work({SOURCE: 0}, Limits(batch_records=2, part_seconds=0), leaving(parts=2)) as (processor, producer, _):
        processor.offer(fetched(0, 6))
        await quiet()
        assert outputs_of(producer) == [0, 1, (0, 1), 2, 3, (0, 2), 4, 5, (2, 1), (2, 2), (4, 1), (4, 2)]
        assert processor.caught_up


async def test_a_record_that_comes_during_left_over_work_waits_for_one_part_of_it() -> None:
    async with at_work({SOURCE: 0}, Limits(batch_records=2, part_seconds=0), leaving(parts=9)) as (processor, producer, _):
        producer.may_commit.clear()
        processor.offer(fetched(0, 2))
        for _ in range(3):
            await producer.commit_one()
        processor.offer(fetched(2, 3))
        producer.may_commit.set()
        await quiet()
        assert outputs_of(producer)[:6] == [0, 1, (0, 1), (0, 2), (0, 3), 2]


async def test_records_wait_while_too_much_work_is_left_over() -> None:
    async with at_work({SOURCE: 0}, Limits(batch_records=1, pending_work_limit=3, part_seconds=0), leaving(parts=4)) as (
        processor,
        producer,
        _,
    ):
        processor.offer(fetched(0, 9))
        most_pending = 0
        while not processor.caught_up or not processor.positions[SOURCE]:
            most_pending = max(most_pending, len(processor.commit_state.pending_work))
            await asyncio.sleep(0)
        assert most_pending == 3
        assert sorted(offsets for offsets in outputs_of(producer) if isinstance(offsets, int)) == list(range(9))


async def test_a_revocation_waits_for_the_running_batch_and_not_for_the_whole_fetch() -> None:
    async with at_work({SOURCE: 0}, Limits(batch_records=4)) as (processor, producer, _):
        producer.may_commit.clear()
        processor.offer(fetched(0, 40))
        await quiet()
        revoked = asyncio.create_task(processor.suspend())
        await quiet()
        producer.may_commit.set()
        await revoked
        await quiet()
        assert offsets_of(producer) == [0, 1, 2, 3]
        assert producer.offsets == {SOURCE: 4}


async def test_a_broker_that_takes_less_than_was_agreed_stops_the_partition_instead_of_being_tried_for_ever() -> None:
    async with at_work({SOURCE: 0}) as (processor, producer, host):
        producer.refuses = True
        processor.offer(fetched(0, 3))
        await quiet()
        assert processor.status is PartitionStatus.STOPPED
        assert "The largest was for out. Set max.message.bytes" in processor.reason
        assert host.failures == producer.committed == []
