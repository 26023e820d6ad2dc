"""A processor: one partition of one agent, with its table, its producer and its commit state.

loading ──▶ live ──▶ failed ──▶ live …     failed: a transaction failed or was fenced; a load reads the committed state again
└────▶ stopped                  stopped: records are missing; a person decides
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec
import structlog
from aiokafka import AIOKafkaProducer

from connectors.observability.tracing import SampledRecord
from schemas.errors import MustStop, StoreFailed
from streams.engine.agent import Agent
from streams.engine.limits import Limits
from streams.engine.partition.fetch_buffer import FetchBuffer, FetchedBatch
from streams.engine.partition.table_view import TableView
from streams.engine.partition.wake_timer import WakeTimer
from streams.engine.tables.commit_state import CommitState
from streams.engine.tables.store import MemoryStore, Store

log = structlog.get_logger(__name__)

_ON_ITS_WAY_SECONDS: Final = (
    0.1  # a committed record is with the next agent after 5 ms on two cores; one that takes longer may be refused there
)

PartitionId = tuple[str, int]
"""An agent's name and a partition."""


class PartitionStatus(StrEnum):
    """What a processor is doing."""

    LOADING = "loading"
    LIVE = "live"
    FAILED = "failed"
    STOPPED = "stopped"


class CommitStats(msgspec.Struct, frozen=True):
    """What one transaction did, for metrics; `oldest` is the time (ms) of its first record, `traced` those that belong to traces."""

    agent: str
    partition: int
    records: int
    dead: int
    seconds: float
    notes: Mapping[str, int] = {}
    oldest: int | None = None
    traced: tuple[SampledRecord, ...] = ()


class ProcessorHost(Protocol):
    """What processors and their loops call in the engine around them. `traces` says whether records' traces are looked at."""

    traces: bool

    async def seek(self, processor: "PartitionProcessor", topic: str, position: int) -> None:
        """Continue to read the processor's partition of the topic from that position."""

    def on_failed(self, processor: "PartitionProcessor", error: Exception) -> None:
        """Load the processor again: its transaction or its store failed."""

    def fatal(self, error: Exception) -> None:
        """Ask the process to stop."""

    async def partitions(self, topic: str) -> int:
        """Return a broker topic's number of partitions."""

    def committed(self, stats: CommitStats) -> None:
        """Count a committed transaction."""

    def written(self, positions: Mapping[tuple[str, int], int]) -> None:
        """Have the processors of these partitions of broker topics expect committed records, up to there."""


class PartitionProcessor:
    """The state of one partition of one agent. It changes under `lock`, so a revocation can wait for the running transaction.

    `streams.engine.partition.batch_loop.BatchLoop` does its work.
    """

    def __init__(
        self,
        agent: Agent,
        partition: int,
        *,
        limits: Limits,
        host: ProcessorHost,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.agent = agent
        self.partition = partition
        self.id: PartitionId = (agent.name, partition)
        self.status = PartitionStatus.LOADING
        self.reason = ""  # for a stopped one, and one that stands still
        self.store: Store = MemoryStore()
        self.store_open = False  # the store belongs to this processor and works
        self.table_valid = False  # table and commit state are those of the last transaction
        self.commit_state = CommitState()
        self.ends: dict[str, int] = {}  # where the source partitions ended, as last seen
        self.leading: dict[str, int] = {}  # sources to be read up to there before the others are
        self.unsettled = False  # positions moved past transaction markers and are not committed yet
        self.buffer = FetchBuffer(limits)
        self.batch_records = limits.batch_records  # the size of the next batch
        self._at_new_records = False  # a batch is in work
        self._expected: dict[
            str, tuple[int, float]
        ] = {}  # by source, positions of committed records, and until when they may come
        self.wake_timer = WakeTimer(agent, clock)
        self.siblings: Collection[PartitionProcessor] = (self,)  # processors of this process, including this one
        self.producer: AIOKafkaProducer | None = None
        self.lock = asyncio.Lock()
        self.loading = asyncio.Lock()  # held while the table is restored: the load before may not have ended yet
        self.work_available = asyncio.Event()
        self._host = host

    def __repr__(self) -> str:
        return f"<PartitionProcessor {self.agent.name}/{self.partition} {self.status} at {self.positions}>"

    @property
    def positions(self) -> Mapping[str, int]:
        """The next position of each source, by plain topic name. The commit state also has those of topics of other releases."""
        return {topic: position for topic, position in self.commit_state.positions.items() if topic in self.agent.sources}

    @property
    def has_room(self) -> bool:
        """Say whether more may be fetched for this processor."""
        return self.status is PartitionStatus.LIVE and self.buffer.has_room(self.batch_records)

    def is_next(self, topic: str) -> bool:
        """Say whether a source may be read now: a leading one at any time, others once the leading ones are read."""
        positions = self.positions
        self.leading = {name: end for name, end in self.leading.items() if positions[name] < end}
        return not self.leading or topic in self.leading

    @property
    def caught_up(self) -> bool:
        """Say whether everything known to be in the sources has been processed."""
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
    def pending_work_count(self) -> int:
        """Units of work larger than a transaction that have begun and not ended: a lag that positions do not show."""
        return len(self.commit_state.pending_work)

    @property
    def busy(self) -> bool:
        """Say whether records wait or a transaction runs."""
        return bool(self.buffer) or self.lock.locked()

    @contextmanager
    def at_new_records(self) -> Iterator[None]:
        """Note that a batch of new records is in work."""
        self._at_new_records = True
        try:
            yield
        finally:
            self._at_new_records = False

    def expect(self, topic: str, position: int) -> None:
        """Expect a source's records up to a position: a processor of this process has just committed them."""
        self._expected[topic] = position, time.perf_counter() + _ON_ITS_WAY_SECONDS

    def is_expecting(self, now: float) -> bool:
        """Say whether records are on their way at `now` (of `time.perf_counter`), which a processor of this process has committed."""
        if self._expected:
            reached = self.commit_state.positions
            self._expected = {
                topic: (position, until)
                for topic, (position, until) in self._expected.items()
                if now < until and reached.get(topic, position) < position
            }
        return bool(self._expected)

    def has_new_records(self, now: float) -> bool:
        """Say whether new records wait, are in work, or are on their way."""
        return bool(self.buffer) or self._at_new_records or self.is_expecting(now)

    @property
    def busy_siblings(self) -> int:
        """The number of processors of this process that are busy, at least one."""
        return max(1, len([each for each in self.siblings if each.buffer or each.lock.locked()]))

    def view(self) -> TableView[Any]:
        """Return a view of the table as last committed, for status pages and tests."""
        return TableView(self.store, self.agent.codec)

    # The table

    def attach_store(self, store: Store) -> None:
        """Use a store to restore the table into."""
        self.store = store
        self.store_open = True

    def detach_store(self) -> Store:
        """Return the store and stop using it."""
        store, self.store = self.store, MemoryStore()
        self.store_open = self.table_valid = False
        return store

    def close_store(self) -> None:
        """Close the store."""
        self.store_open = self.table_valid = False
        self.store.close()
        self.store = MemoryStore()

    # From one status to the next

    def open(self, *, producer: AIOKafkaProducer, commit_state: CommitState, ends: Mapping[str, int]) -> None:
        """Go live with a fenced producer and a restored table."""
        self.producer = producer
        self.commit_state = commit_state
        self.ends = dict(ends)
        self.leading = {topic: ends[topic] for topic in self.agent.leading}
        self.table_valid = True
        self.buffer.clear()
        self.unsettled = False
        self.status, self.reason = PartitionStatus.LIVE, ""
        self.plan_wake()
        self.work_available.set()

    def stop(self, why: MustStop) -> None:
        """Stop this partition until a person has decided; the others continue."""
        self.status, self.reason = PartitionStatus.STOPPED, str(why)
        self.buffer.clear()
        log.error("partition stopped", agent=self.agent.name, partition=self.partition, reason=self.reason)

    def fail(self, error: Exception) -> None:
        """Distrust the state in memory, because only the logs say what is committed, and have it loaded again."""
        self.status = PartitionStatus.FAILED
        self.table_valid = False
        self.store_open = self.store_open and not isinstance(error, StoreFailed)
        self.buffer.clear()
        self._host.on_failed(self, error)

    async def suspend(self) -> AIOKafkaProducer | None:
        """Wait for the running transaction, drop the queue and return the producer. The table stays for a quick return."""
        async with self.lock:
            if self.status is not PartitionStatus.STOPPED:
                self.status = PartitionStatus.LOADING
            self.buffer.clear()
            producer, self.producer = self.producer, None
            return producer

    # Its input

    def offer(self, fetched: FetchedBatch) -> None:
        """Queue a fetched batch; a processor that is not live drops it, because it will be fetched again from the positions."""
        if self.status is PartitionStatus.LIVE:
            self.buffer.put(fetched)
            self.work_available.set()

    def plan_wake(self) -> None:
        """Ask the agent when it wants to be woken next."""
        try:
            self.wake_timer.plan(self.view())
        except StoreFailed as error:
            self.fail(error)
