"""The loop of one processor: it processes fetched records and pending work, each in a transaction.

A failed transaction goes this way: `BatchLoop._commit` → `PartitionProcessor.fail` → `ProcessorHost.on_failed`, which loads the
processor again (`streams.engine.processor_host`).
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple, TypeVar

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from connectors.kafka.settings import MAX_RECORD_BYTES
from connectors.observability.tracing import SampledRecord, traced
from schemas.errors import BadConfiguration, MustStop, StoreFailed
from streams.engine.agent import Batch
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.batch_size import BatchSize
from streams.engine.partition.dead_letter_limit import DeadLetterLimit
from streams.engine.partition.pending_schedule import PendingSchedule
from streams.engine.partition.processor import CommitStats, PartitionProcessor, PartitionStatus, ProcessorHost
from streams.engine.partition.record_size import OutputRecord
from streams.engine.partition.step_runner import PendingPart, StepResult, run_step
from streams.engine.partition.transaction import commit
from streams.engine.tables.commit_state import CommitState

T = TypeVar("T")

_LATEST_END = (
    1.5  # times the transaction's timeout, after which its coordinator aborts it; a restarting one needs a little longer
)


class _Output(NamedTuple):
    """What one transaction commits, for how many records and dead letters; all that is left of a step while it is committed."""

    sent: list[OutputRecord]
    changes: Mapping[str, bytes | None]
    commit_state: CommitState
    records: int
    dead: int
    notes: Mapping[str, int]
    oldest: int | None = None
    traced: tuple[SampledRecord, ...] = ()


class BatchLoop:
    """Process a processor's queue batch by batch, alternating with its pending work; each is one transaction under its lock."""

    def __init__(self, processor: PartitionProcessor, *, names: Naming, limits: Limits, host: ProcessorHost) -> None:
        self._processor = processor
        self._names = names
        self._limits = limits
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
            while processor.buffer or (processor.commit_state.pending_work and processor.status is PartitionStatus.LIVE):
                busy = processor.busy_siblings
                async with processor.lock:
                    await self._process_batch(busy)
                if processor.commit_state.pending_work and await self._schedule.may_begin():
                    async with processor.lock:
                        await self._resume()

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
                await self._commit([record], {}, processor.commit_state)
            elif processor.unsettled:
                await self._commit([], {}, processor.commit_state)

    async def _process_batch(self, busy: int) -> None:
        """Process one batch, queued records of one topic without a gap, while so many processors are busy."""
        processor = self._processor
        if processor.status is not PartitionStatus.LIVE:
            processor.buffer.clear()
        if processor.pending_work_count >= self._limits.pending_work_limit:
            return  # if each record left more work, it would grow without bound
        batch = processor.buffer.take(processor.positions, self._batch_size.records_among(busy))
        if batch is None:
            return
        topic, position = batch.topic, processor.positions[batch.topic]
        if batch.before > position:
            await self._host.seek(processor, topic, position)
            return
        processor.ends[topic] = max(batch.end, processor.ends.get(topic, 0))
        if batch.records:
            if (partitions := await self._partitions(topic)) is None:
                return
            with processor.at_new_records():
                started = time.perf_counter()
                output = self._step(Batch(topic, processor.partition, batch.records, partitions), batch.after, busy)
                self._schedule.observe_batch(time.perf_counter() - started)
                del batch  # its records need not be in memory while the brokers answer
                await self._commit_output(output, started)
        else:
            processor.unsettled = processor.unsettled or batch.after > position
            current = processor.commit_state
            processor.commit_state = CommitState(
                {**current.positions, topic: batch.after}, current.pending_work, current.encoding
            )

    async def _partitions(self, topic: str) -> int | None:
        """Return how many partitions a source has; None after a failure, which this method handles."""
        try:
            return await self._host.partitions(self._names.source(self._processor.agent.name, topic))
        except (KafkaError, OSError, TimeoutError) as error:
            self._processor.fail(error)
            return None

    def _step(self, batch: Batch, after: int, busy: int) -> _Output | None:
        processor, current = self._processor, self._processor.commit_state
        topic, records = batch.topic, batch.records
        started = time.perf_counter()
        result = self._attempt(lambda: run_step(processor.agent, batch, processor.store, current.encoding))
        self._batch_size.observe(len(records), time.perf_counter() - started, busy)
        processor.batch_records = self._batch_size.records
        if result is None:
            return None
        traces = traced(topic, records) if self._host.traces else ()
        pending_work = (*current.pending_work, *result.pending_work)
        commit_state = CommitState({**current.positions, topic: after}, pending_work, result.encoding)
        return _Output(
            result.sent,
            result.changes(),
            commit_state,
            len(records),
            sum(result.dead),
            result.notes,
            records[0].timestamp,
            traces,
        )

    async def _resume(self) -> None:
        """Do one part of the oldest pending work, if there is any: between batches, so that neither starves the other."""
        processor, current = self._processor, self._processor.commit_state
        if processor.status is not PartitionStatus.LIVE or not current.pending_work:
            return
        started = time.perf_counter()
        cursor, *later = current.pending_work
        part = self._attempt(lambda: PendingPart(processor.agent, cursor, processor.store, current.encoding))
        more = None if part is None else await self._schedule.run_pieces(partial(self._attempt, part.do_piece), started)
        result = None if part is None or more is None else self._attempt(part.close)
        if result is not None:
            commit_state = CommitState(current.positions, (*result.pending_work, *later), result.encoding)
            await self._commit_output(_Output(result.sent, result.changes(), commit_state, 0, 0, result.notes), started)
            self._schedule.observe_part(time.perf_counter() - started)

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

    async def _commit_output(self, output: _Output | None, started: float) -> None:
        processor = self._processor
        if output is not None and await self._commit(output.sent, output.changes, output.commit_state):
            processor.plan_wake()
            seconds = time.perf_counter() - started
            self._host.committed(
                CommitStats(
                    processor.agent.name,
                    processor.partition,
                    output.records,
                    output.dead,
                    seconds,
                    output.notes,
                    output.oldest,
                    output.traced,
                )
            )

    async def _commit(self, sent: list[OutputRecord], changes: Mapping[str, bytes | None], commit_state: CommitState) -> bool:
        """Commit, and only then change the table and the positions. After any failure only a reload shows what is committed."""
        processor = self._processor
        assert processor.producer is not None
        if not self._names.generation(processor.agent.name).live:
            sent[:] = [record for record in sent if self._names.sends(processor.agent.name, record[0])]
        _, largest = max([(len(value or b""), topic) for topic, _, value, _, _ in sent], default=(0, ""))
        try:
            bookmark = await commit(
                processor.producer,
                sent=sent,
                changes=changes,
                changelog=self._names.topic(self._names.changelog(processor.agent.name)),
                partition=processor.partition,
                commit_state=commit_state,
                output_name=partial(self._names.output, processor.agent.name),
                source_name=partial(self._names.source, processor.agent.name),
                partition_count=self._host.partitions,
                group=self._names.offsets_group(processor.agent.name),
                seconds=self._limits.transaction_timeout_ms / 1000 * _LATEST_END,
            )
        except (MessageSizeTooLargeError, RecordListTooLargeError):
            processor.stop(_too_large(largest))
            return False
        except (KafkaError, OSError, TimeoutError) as error:  # fenced, broker away or outcome unknown: a reload cures each
            processor.fail(error)
            return False
        try:
            processor.store.apply(changes, bookmark)
        except StoreFailed as error:  # the transaction is committed; a reload brings the table up to it
            processor.fail(error)
            return False
        processor.commit_state = commit_state
        processor.unsettled = False
        return True


def _too_large(topic: str) -> BadConfiguration:
    """Return the error for a broker with a lower limit than the one each record was measured against: a retry would not help."""
    return BadConfiguration(
        f"the broker refused a record as too large, although it is within {MAX_RECORD_BYTES} bytes. The largest was for "
        f"{topic or 'the changelog'}. Set max.message.bytes of the topics as `intercom-streams topics check` says, and start the "
        "worker again; nothing is lost."
    )
