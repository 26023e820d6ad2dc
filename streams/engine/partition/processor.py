"""A lane: one partition of one agent. Its table, its producer, its positions, and the loop that turns fetched records into transactions.

loading ──▶ live ──▶ lost ──▶ loading …     lost: a transaction failed or was fenced; what is true is read back
└────▶ stopped                stopped: a gap; a person decides
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from connectors.kafka.settings import MAX_RECORD_BYTES
from schemas.errors import BadConfiguration, MustStop, StoreFailed
from schemas.message import Message
from streams.engine.agent import Agent, Batch, Wake
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.batch_size import BatchSize
from streams.engine.partition.dead_letter_limit import DeadLetterLimit
from streams.engine.partition.fetch_buffer import FetchBuffer, FetchedBatch
from streams.engine.partition.step_runner import StepResult, resume_step, run_step
from streams.engine.partition.table_view import TableView
from streams.engine.partition.transaction import Count, Sent, commit
from streams.engine.tables.commit_state import CommitState
from streams.engine.tables.store import MemoryStore, Store

log = structlog.get_logger(__name__)

_LEAST_WAIT = 0.02  # seconds; a wake that is due while records are still on their way must not spin


class PartitionStatus(StrEnum):
    """What a lane is doing."""

    LOADING = "loading"
    LIVE = "live"
    LOST = "lost"
    STOPPED = "stopped"


class ProcessorHost(Protocol):
    """What a lane asks of the engine around it."""

    async def seek(self, lane: "PartitionProcessor", topic: str, position: int) -> None:
        """Read the topic's partition on from that position."""

    def on_failed(self, lane: "PartitionProcessor", error: Exception) -> None:
        """A transaction failed: load the lane again."""

    def fatal(self, error: Exception) -> None:
        """The process must stop."""

    async def partitions(self, topic: str) -> int:
        """Count a broker topic's partitions."""

    def committed(self, lane: "PartitionProcessor", records: int, dead: int, seconds: float) -> None:
        """A transaction is through."""


class PartitionProcessor:
    """One partition of one agent. All its work happens under its lock, so that a revocation can wait for the running transaction."""

    def __init__(
        self,
        agent: Agent,
        partition: int,
        *,
        names: Naming,
        limits: Limits,
        outside: ProcessorHost,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.agent = agent
        self.partition = partition
        self.status = PartitionStatus.LOADING
        self.reason = ""
        self.store: Store = MemoryStore()
        self.store_open = False  # the store is this lane's own and works
        self.table_valid = False  # table and standing are what the last transaction made them
        self.commit_state = CommitState()
        self.ends: dict[str, int] = {}
        self.buffer = FetchBuffer(limits)
        self.siblings = 1  # lanes of this process, this one among them
        self.producer: AIOKafkaProducer | None = None
        self.lock = asyncio.Lock()
        self.loading = asyncio.Lock()  # held while the table is restored, for the load before may not have ended yet
        self._names = names
        self._limits = limits
        self._host = outside
        self._clock = clock
        self._arrived = asyncio.Event()
        self._dead_letter_limit = DeadLetterLimit(agent.name, limits)
        self._batch_size = BatchSize(limits)
        self._unsettled = False  # positions moved past markers without records
        self._wake: Wake | None = None
        self._woken: Wake | None = None

    def __repr__(self) -> str:
        return f"<PartitionProcessor {self.agent.name}/{self.partition} {self.status} at {self.positions}>"

    @property
    def positions(self) -> Mapping[str, int]:
        """Where each source is read on, by plain topic name. Of topics that only another release reads the standing keeps the positions."""
        return {topic: at for topic, at in self.commit_state.positions.items() if topic in self.agent.sources}

    @property
    def has_room(self) -> bool:
        """Say whether more may be fetched for this lane."""
        return self.status is PartitionStatus.LIVE and self.buffer.has_room

    @property
    def caught_up(self) -> bool:
        """Say whether all that was known to be in the sources has been processed."""
        return (
            not self.buffer
            and not self.commit_state.pending_work
            and all(self.positions[topic] >= self.ends.get(topic, 0) for topic in self.positions)
        )

    @property
    def lag(self) -> int:
        """Offsets between the positions and the ends of the logs as last seen."""
        return sum(max(0, self.ends.get(topic, 0) - position) for topic, position in self.positions.items())

    @property
    def has_pending_work(self) -> int:
        """Works larger than a transaction that are begun and not ended: a lag that positions do not show."""
        return len(self.commit_state.pending_work)

    def view(self) -> TableView[Any]:
        """Return a view of the table as last committed, for whoever looks on: status pages, tests."""
        return TableView(self.store, self.agent.codec)

    def attach_store(self, store: Store) -> None:
        """Take a store to restore the table into."""
        self.store = store
        self.store_open = True

    def detach_store(self) -> Store:
        """Hand the store over as it is."""
        store, self.store = self.store, MemoryStore()
        self.store_open = self.table_valid = False
        return store

    def close_store(self) -> None:
        """Let go of the store."""
        self.store_open = self.table_valid = False
        self.store.close()
        self.store = MemoryStore()

    def open(self, *, producer: AIOKafkaProducer, standing: CommitState, ends: Mapping[str, int]) -> None:
        """Go live with a fenced producer and a table that is right."""
        self.producer = producer
        self.commit_state = standing
        self.ends = dict(ends)
        self.table_valid = True
        self.buffer.clear()
        self._unsettled = False
        self._woken = None
        self.status, self.reason = PartitionStatus.LIVE, ""
        self._plan_wake()
        self._arrived.set()

    def stop(self, why: MustStop) -> None:
        """Stop this partition until a person has decided; the others go on."""
        self.status, self.reason = PartitionStatus.STOPPED, str(why)
        self.buffer.clear()
        log.error("partition stopped", agent=self.agent.name, partition=self.partition, reason=self.reason)

    async def suspend(self) -> AIOKafkaProducer | None:
        """Wait for the running transaction, forget what is queued, and hand back the producer. The table stays for a quick return."""
        async with self.lock:
            if self.status is not PartitionStatus.STOPPED:
                self.status = PartitionStatus.LOADING
            self.buffer.clear()
            producer, self.producer = self.producer, None
            return producer

    def offer(self, fetched: FetchedBatch) -> None:
        """Take what was fetched; a lane that is not live drops it, for it will be fetched again from the lane's positions."""
        if self.status is PartitionStatus.LIVE:
            self.buffer.put(fetched)
            self._arrived.set()

    async def run(self) -> None:
        """Process what arrives, for ever."""
        while True:
            try:
                await asyncio.wait_for(self._arrived.wait(), self._patience())
            except TimeoutError:
                await self._idle()
                continue
            self._arrived.clear()
            while self.buffer or (self.commit_state.pending_work and self.status is PartitionStatus.LIVE):
                async with self.lock:
                    await self._next()
                async with self.lock:
                    await self._resume()

    def _patience(self) -> float | None:
        """How long to wait for records: until positions are to be settled or the agent woken."""
        if self.status is not PartitionStatus.LIVE:
            return None
        waits = [self._limits.settle_seconds] if self._unsettled else []
        if self._wake is not None and self._wake != self._woken:
            waits.append(max(_LEAST_WAIT, self._wake.at / 1000 - self._clock()))
        return min(waits, default=None)

    async def _idle(self) -> None:
        async with self.lock:
            if self.status is not PartitionStatus.LIVE or self.buffer:
                return
            wake = self._wake
            if wake is not None and wake != self._woken and wake.at <= self._clock() * 1000 and self.caught_up:
                self._woken = wake
                await self._commit([(wake.topic, wake.key, wake.value, wake.headers, self.partition)], {}, self.commit_state)
            elif self._unsettled:
                await self._commit([], {}, self.commit_state)

    async def _next(self) -> None:
        """Process one batch: what is queued of one topic and follows on without a gap."""
        if self.status is not PartitionStatus.LIVE:
            self.buffer.clear()
        if len(self.commit_state.pending_work) >= self._limits.pending_work_limit:
            return  # records that each leave work would let it grow for ever
        batch = self.buffer.take(self.positions, self._batch_size.records)
        if batch is None:
            return
        topic, position = batch.topic, self.positions[batch.topic]
        if batch.before > position:
            await self._host.seek(self, topic, position)
            return
        self.ends[topic] = max(batch.end, self.ends.get(topic, 0))
        if batch.records:
            await self._process(topic, batch.records, batch.after)
        else:
            self._unsettled = self._unsettled or batch.after > position
            self.commit_state = CommitState(
                {**self.commit_state.positions, topic: batch.after}, self.commit_state.pending_work, self.commit_state.encoding
            )

    async def _process(self, topic: str, records: Sequence[Message], after: int) -> None:
        started = time.perf_counter()
        outcome = self._attempt(
            lambda: run_step(self.agent, Batch(topic, self.partition, records), self.store, self.commit_state.encoding)
        )
        self._batch_size.observe(len(records), time.perf_counter() - started, self.siblings)
        if outcome is None:
            return
        left_over = (*self.commit_state.pending_work, *outcome.pending_work)
        standing = CommitState({**self.commit_state.positions, topic: after}, left_over, outcome.encoding)
        await self._conclude(outcome, standing, len(records), started)

    async def _resume(self) -> None:
        """Do one part of the oldest left-over work, if there is any: between batches, so that neither starves the other."""
        if self.status is not PartitionStatus.LIVE or not self.commit_state.pending_work:
            return
        started = time.perf_counter()
        cursor, *later = self.commit_state.pending_work
        outcome = self._attempt(lambda: resume_step(self.agent, cursor, self.store, self.commit_state.encoding))
        if outcome is not None:
            standing = CommitState(self.commit_state.positions, (*outcome.pending_work, *later), outcome.encoding)
            await self._conclude(outcome, standing, 0, started)

    def _attempt(self, work: Callable[[], StepResult]) -> StepResult | None:
        """Return what the agent's work makes true; None where the process has to stop or the table fails, which is then seen to."""
        try:
            outcome = work()
            self._dead_letter_limit.check(outcome.dead, outcome.last_error)
        except MustStop as error:
            self._host.fatal(error)
            self.status = PartitionStatus.LOST
        except StoreFailed as error:
            self.fail(error)
        else:
            return outcome
        return None

    async def _conclude(self, outcome: StepResult, standing: CommitState, records: int, started: float) -> None:
        if await self._commit(outcome.sent, outcome.changes(), standing):
            self._woken = None
            self._plan_wake()
            self._host.committed(self, records, sum(outcome.dead), time.perf_counter() - started)

    async def _commit(self, sent: Sequence[Sent], changes: Mapping[str, bytes | None], standing: CommitState) -> bool:
        """Commit, and only then let the table and the positions move. After any failure only a reload knows what is true."""
        assert self.producer is not None
        count: Count = self._host.partitions
        try:
            bookmark = await commit(
                self.producer,
                sent=sent,
                changes=changes,
                changelog=self._names.topic(self._names.changelog(self.agent.name)),
                partition=self.partition,
                standing=standing,
                name_of=self._names.topic,
                count_of=count,
                group=self._names.group,
            )
        except (MessageSizeTooLargeError, RecordListTooLargeError):
            self.stop(_too_large(sent))
            return False
        except (KafkaError, OSError, TimeoutError) as error:  # fenced, broker away, in doubt: the cure is the same
            self.fail(error)
            return False
        try:
            self.store.apply(changes, bookmark)
        except StoreFailed as error:  # the transaction stands; the table is brought up to it by a reload
            self.fail(error)
            return False
        self.commit_state = standing
        self._unsettled = False
        return True

    def fail(self, error: Exception) -> None:
        """Give up what is held: only the logs know what is true now."""
        self.status = PartitionStatus.LOST
        self.table_valid = False
        self.store_open = self.store_open and not isinstance(error, StoreFailed)
        self.buffer.clear()
        self._host.on_failed(self, error)

    def _plan_wake(self) -> None:
        if self.agent.wake is None:
            return
        try:
            self._wake = self.agent.wake(self.view())
        except StoreFailed as error:
            self.fail(error)


def _too_large(sent: Sequence[Sent]) -> BadConfiguration:
    """Say that a broker takes less than every record was measured against: trying again would change nothing."""
    topic = max(sent, key=lambda one: len(one[2] or b""), default=("", None, b"", (), None))[0]
    return BadConfiguration(
        f"the broker refused a record as too large, although it is within {MAX_RECORD_BYTES} bytes. The largest was for "
        f"{topic or 'the changelog'}. Set max.message.bytes of the topics as `intercom-streams topics check` says, and start the worker again; "
        "nothing is lost."
    )
