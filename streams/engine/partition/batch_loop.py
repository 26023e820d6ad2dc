"""The loop of one processor: it processes fetched records and pending work, each in a transaction.

A failed transaction goes this way: `Committer.commit` → `PartitionProcessor.fail` → `ProcessorHost.on_failed`, which loads the
processor again (`streams.engine.processor_host`).
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeVar

from aiokafka.errors import KafkaError

from connectors.observability.tracing import traced
from schemas.errors import MustStop, StoreFailed
from streams.engine.agent import Batch
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.batch_size import BatchSize
from streams.engine.partition.committer import Committer, Output
from streams.engine.partition.dead_letter_limit import DeadLetterLimit
from streams.engine.partition.pending_schedule import PendingSchedule
from streams.engine.partition.processor import PartitionProcessor, PartitionStatus, ProcessorHost
from streams.engine.partition.step_runner import PendingPart, StepResult, run_step
from streams.engine.tables.commit_state import CommitState

T = TypeVar("T")


class _Taken(NamedTuple):
    """A batch, and its topic's position behind it."""

    batch: Batch
    after: int


class BatchLoop:
    """Process a processor's queue batch by batch, alternating with its pending work; each is one transaction under its lock."""

    def __init__(self, processor: PartitionProcessor, *, names: Naming, limits: Limits, host: ProcessorHost) -> None:
        self._processor = processor
        self._names = names
        self._limits = limits
        self._committer = Committer(processor, names=names, limits=limits, host=host)
        self._host = host
        self._dead_letter_limit = DeadLetterLimit(processor.agent.name, limits)
        self._batch_size = BatchSize(limits)
        self._schedule = PendingSchedule(processor, limits)

    async def run(self) -> None:
        """Process what arrives until cancelled."""
        processor = self._processor
        while True:
            try:
                await asyncio.wait_for(processor.work_available.wait(), self._idle_seconds())
            except TimeoutError:
                await self._on_idle()
                continue
            processor.work_available.clear()
            had_batch = False  # with the part before: batches and parts alternate
            while processor.buffer or (processor.commit_state.pending_work and processor.status is PartitionStatus.LIVE):
                busy = processor.busy_siblings
                if not had_batch:
                    async with processor.lock:
                        await self._process_batch(busy)
                had_batch = False
                if processor.commit_state.pending_work and await self._schedule.may_begin():
                    async with processor.lock:
                        had_batch = await self._resume()

    def _idle_seconds(self) -> float | None:
        """Return how long to wait for records: until positions are to be settled or the agent is to be woken."""
        if self._processor.status is not PartitionStatus.LIVE:
            return None
        waits = [self._limits.settle_seconds] if self._processor.unsettled else []
        if (seconds := self._processor.wake_timer.seconds_left()) is not None:
            waits.append(seconds)
        return min(waits, default=None)

    async def _on_idle(self) -> None:
        """Wake the agent, or settle the positions."""
        processor = self._processor
        async with processor.lock:
            if processor.status is not PartitionStatus.LIVE or processor.buffer:
                return
            if (wake := processor.wake_timer.due()) is not None and processor.caught_up:
                processor.wake_timer.mark_fired(wake)
                record = (wake.topic, wake.key, wake.value, wake.headers, processor.partition)
                await self._committer.commit([record], {}, processor.commit_state)
            elif processor.unsettled:
                await self._committer.commit([], {}, processor.commit_state)

    async def _process_batch(self, busy: int) -> None:
        """Process one batch, while so many processors are busy."""
        started = time.perf_counter()
        if (taken := await self._take(busy)) is not None:
            with self._processor.at_new_records():
                output = self._step(taken, busy)
                del taken  # its records need not be in memory while the brokers answer
                await self._committer.commit_output(output, started)

    async def _take(self, busy: int) -> _Taken | None:
        """Return a batch, queued records of one topic without a gap; None without records that can be processed now."""
        processor = self._processor
        if processor.status is not PartitionStatus.LIVE:
            processor.buffer.clear()
        if processor.pending_work_count >= self._limits.pending_work_limit:
            return None  # if each record left more work, it would grow without bound
        batch = processor.buffer.take(processor.positions, self._batch_size.records_among(busy))
        if batch is None:
            return None
        topic, position = batch.topic, processor.positions[batch.topic]
        if batch.before > position:
            await self._host.seek(processor, topic, position)
            return None
        processor.ends[topic] = max(batch.end, processor.ends.get(topic, 0))
        if not batch.records:
            processor.unsettled = processor.unsettled or batch.after > position
            current = processor.commit_state
            processor.commit_state = CommitState(
                {**current.positions, topic: batch.after}, current.pending_work, current.encoding
            )
            return None
        if (partitions := await self._partitions(topic)) is None:
            return None
        return _Taken(Batch(topic, processor.partition, batch.records, partitions), batch.after)

    async def _partitions(self, topic: str) -> int | None:
        """Return how many partitions a source has; None after a failure, which this method handles."""
        try:
            return await self._host.partitions(self._names.source(self._processor.agent.name, topic))
        except (KafkaError, OSError, TimeoutError) as error:
            self._processor.fail(error)
            return None

    def _step(self, taken: _Taken, busy: int, part: StepResult | None = None) -> Output | None:
        """Process a batch, behind a part of the oldest pending work where there is one: both are one transaction then."""
        processor, current, batch = self._processor, self._processor.commit_state, taken.batch
        topic, records = batch.topic, batch.records
        before = current.pending_work if part is None else (*part.pending_work, *current.pending_work[1:])
        left = 0 if part is None else len(part.pending_work)
        started = time.perf_counter()
        result = self._attempt(lambda: run_step(processor.agent, batch, processor.store, current.encoding, part))
        seconds = time.perf_counter() - started
        self._batch_size.observe(len(records), seconds, busy)
        self._schedule.observe_batch(seconds)
        processor.batch_records = self._batch_size.records
        if result is None:
            return None
        traces = traced(topic, records) if self._host.traces else ()
        pending_work = (*before, *result.pending_work[left:])
        commit_state = CommitState({**current.positions, topic: taken.after}, pending_work, result.encoding)
        return Output(
            result.sent,
            result.changes(),
            commit_state,
            len(records),
            sum(result.dead),
            result.notes,
            records[0].timestamp,
            traces,
        )

    async def _resume(self) -> bool:
        """Do one part of the oldest pending work, if there is any: between batches, so that neither starves the other.

        Records that came meanwhile are processed behind it in the same transaction, where they would wait for two. Return whether
        there were any.
        """
        processor, current = self._processor, self._processor.commit_state
        if processor.status is not PartitionStatus.LIVE or not current.pending_work:
            return False
        started = time.perf_counter()
        cursor, *later = current.pending_work
        part = self._attempt(lambda: PendingPart(processor.agent, cursor, processor.store, current.encoding))
        more = None if part is None else await self._schedule.run_pieces(partial(self._attempt, part.do_piece), started)
        result = None if part is None or more is None else self._attempt(part.finish)
        if result is None:
            return False
        busy = processor.busy_siblings
        taken = await self._take(busy) if processor.buffer else None
        if processor.status is not PartitionStatus.LIVE:
            return False
        had_batch = taken is not None
        if taken is None:
            result.close()
            positions = processor.commit_state.positions
            commit_state = CommitState(positions, (*result.pending_work, *later), result.encoding)
            await self._committer.commit_output(Output(result.sent, result.changes(), commit_state, 0, 0, result.notes), started)
        else:
            with processor.at_new_records():
                output = self._step(taken, busy, result)
                del taken
                await self._committer.commit_output(output, started)
        self._schedule.observe_part(time.perf_counter() - started)
        return had_batch

    def _attempt(self, work: Callable[[], T]) -> T | None:
        """Return the result, or None after a fatal or table error, which this method handles."""
        try:
            result = work()
            if isinstance(result, StepResult):
                self._dead_letter_limit.check(result.dead, result.last_error)
        except MustStop as error:
            self._host.fatal(error)
            self._processor.status = PartitionStatus.FAILED
        except StoreFailed as error:
            self._processor.fail(error)
        else:
            return result
        return None
