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
from schemas.message import Record
from streams.engine.agent import Agent, Batch, Wake
from streams.engine.limits import Limits
from streams.engine.naming import Names
from streams.engine.partition.batch_size import Pace
from streams.engine.partition.dead_letter_limit import Brake
from streams.engine.partition.fetch_buffer import Fetched, Inbox
from streams.engine.partition.step_runner import Outcome, attempt, go_on
from streams.engine.partition.table_view import View
from streams.engine.partition.transaction import Count, Sent, commit
from streams.engine.tables.commit_state import Standing
from streams.engine.tables.store import MemoryStore, Store

log = structlog.get_logger(__name__)

_LEAST_WAIT = 0.02  # seconds; a wake that is due while records are still on their way must not spin


class Status(StrEnum):
    """What a lane is doing."""

    LOADING = "loading"
    LIVE = "live"
    LOST = "lost"
    STOPPED = "stopped"


class Outside(Protocol):
    """What a lane asks of the engine around it."""

    async def seek(self, lane: "Lane", topic: str, position: int) -> None:
        """Read the topic's partition on from that position."""

    def lost(self, lane: "Lane", error: Exception) -> None:
        """A transaction failed: load the lane again."""

    def fatal(self, error: Exception) -> None:
        """The process must stop."""

    async def partitions(self, topic: str) -> int:
        """Count a broker topic's partitions."""

    def committed(self, lane: "Lane", records: int, dead: int, seconds: float) -> None:
        """A transaction is through."""


class Lane:
    """One partition of one agent. All its work happens under its lock, so that a revocation can wait for the running transaction."""

    def __init__(
        self,
        agent: Agent,
        partition: int,
        *,
        names: Names,
        limits: Limits,
        outside: Outside,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.agent = agent
        self.partition = partition
        self.status = Status.LOADING
        self.reason = ""
        self.store: Store = MemoryStore()
        self.opened = False  # the store is this lane's own and works
        self.certain = False  # table and standing are what the last transaction made them
        self.standing = Standing()
        self.ends: dict[str, int] = {}
        self.inbox = Inbox(limits)
        self.beside = 1  # lanes of this process, this one among them
        self.producer: AIOKafkaProducer | None = None
        self.lock = asyncio.Lock()
        self.loading = asyncio.Lock()  # held while the table is restored, for the load before may not have ended yet
        self._names = names
        self._limits = limits
        self._outside = outside
        self._clock = clock
        self._arrived = asyncio.Event()
        self._brake = Brake(agent.name, limits)
        self._pace = Pace(limits)
        self._unsettled = False  # positions moved past markers without records
        self._wake: Wake | None = None
        self._woken: Wake | None = None

    def __repr__(self) -> str:
        return f"<Lane {self.agent.name}/{self.partition} {self.status} at {self.positions}>"

    @property
    def positions(self) -> Mapping[str, int]:
        """Where each source is read on, by plain topic name. Of topics that only another release reads the standing keeps the positions."""
        return {topic: at for topic, at in self.standing.positions.items() if topic in self.agent.sources}

    @property
    def has_room(self) -> bool:
        """Say whether more may be fetched for this lane."""
        return self.status is Status.LIVE and self.inbox.has_room

    @property
    def caught_up(self) -> bool:
        """Say whether all that was known to be in the sources has been processed."""
        return (
            not self.inbox
            and not self.standing.left_over
            and all(self.positions[topic] >= self.ends.get(topic, 0) for topic in self.positions)
        )

    @property
    def lag(self) -> int:
        """Offsets between the positions and the ends of the logs as last seen."""
        return sum(max(0, self.ends.get(topic, 0) - position) for topic, position in self.positions.items())

    @property
    def left_over(self) -> int:
        """Works larger than a transaction that are begun and not ended: a lag that positions do not show."""
        return len(self.standing.left_over)

    def view(self) -> View[Any]:
        """Return a view of the table as last committed, for whoever looks on: status pages, tests."""
        return View(self.store, self.agent.codec)

    def keep(self, store: Store) -> None:
        """Take a store to restore the table into."""
        self.store = store
        self.opened = True

    def let_go(self) -> Store:
        """Hand the store over as it is."""
        store, self.store = self.store, MemoryStore()
        self.opened = self.certain = False
        return store

    def release(self) -> None:
        """Let go of the store."""
        self.opened = self.certain = False
        self.store.close()
        self.store = MemoryStore()

    def open(self, *, producer: AIOKafkaProducer, standing: Standing, ends: Mapping[str, int]) -> None:
        """Go live with a fenced producer and a table that is right."""
        self.producer = producer
        self.standing = standing
        self.ends = dict(ends)
        self.certain = True
        self.inbox.clear()
        self._unsettled = False
        self._woken = None
        self.status, self.reason = Status.LIVE, ""
        self._plan_wake()
        self._arrived.set()

    def stop(self, why: MustStop) -> None:
        """Stop this partition until a person has decided; the others go on."""
        self.status, self.reason = Status.STOPPED, str(why)
        self.inbox.clear()
        log.error("partition stopped", agent=self.agent.name, partition=self.partition, reason=self.reason)

    async def suspend(self) -> AIOKafkaProducer | None:
        """Wait for the running transaction, forget what is queued, and hand back the producer. The table stays for a quick return."""
        async with self.lock:
            if self.status is not Status.STOPPED:
                self.status = Status.LOADING
            self.inbox.clear()
            producer, self.producer = self.producer, None
            return producer

    def offer(self, fetched: Fetched) -> None:
        """Take what was fetched; a lane that is not live drops it, for it will be fetched again from the lane's positions."""
        if self.status is Status.LIVE:
            self.inbox.put(fetched)
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
            while self.inbox or (self.standing.left_over and self.status is Status.LIVE):
                async with self.lock:
                    await self._next()
                async with self.lock:
                    await self._go_on()

    def _patience(self) -> float | None:
        """How long to wait for records: until positions are to be settled or the agent woken."""
        if self.status is not Status.LIVE:
            return None
        waits = [self._limits.settle_seconds] if self._unsettled else []
        if self._wake is not None and self._wake != self._woken:
            waits.append(max(_LEAST_WAIT, self._wake.at / 1000 - self._clock()))
        return min(waits, default=None)

    async def _idle(self) -> None:
        async with self.lock:
            if self.status is not Status.LIVE or self.inbox:
                return
            wake = self._wake
            if wake is not None and wake != self._woken and wake.at <= self._clock() * 1000 and self.caught_up:
                self._woken = wake
                await self._commit([(wake.topic, wake.key, wake.value, wake.headers, self.partition)], {}, self.standing)
            elif self._unsettled:
                await self._commit([], {}, self.standing)

    async def _next(self) -> None:
        """Process one batch: what is queued of one topic and follows on without a gap."""
        if self.status is not Status.LIVE:
            self.inbox.clear()
        if len(self.standing.left_over) >= self._limits.left_over_works:
            return  # records that each leave work would let it grow for ever
        batch = self.inbox.take(self.positions, self._pace.records)
        if batch is None:
            return
        topic, position = batch.topic, self.positions[batch.topic]
        if batch.before > position:
            await self._outside.seek(self, topic, position)
            return
        self.ends[topic] = max(batch.end, self.ends.get(topic, 0))
        if batch.records:
            await self._process(topic, batch.records, batch.after)
        else:
            self._unsettled = self._unsettled or batch.after > position
            self.standing = Standing(
                {**self.standing.positions, topic: batch.after}, self.standing.left_over, self.standing.encoding
            )

    async def _process(self, topic: str, records: Sequence[Record], after: int) -> None:
        started = time.perf_counter()
        outcome = self._tried(
            lambda: attempt(self.agent, Batch(topic, self.partition, records), self.store, self.standing.encoding)
        )
        self._pace.took(len(records), time.perf_counter() - started, self.beside)
        if outcome is None:
            return
        left_over = (*self.standing.left_over, *outcome.left_over)
        standing = Standing({**self.standing.positions, topic: after}, left_over, outcome.encoding)
        await self._conclude(outcome, standing, len(records), started)

    async def _go_on(self) -> None:
        """Do one part of the oldest left-over work, if there is any: between batches, so that neither starves the other."""
        if self.status is not Status.LIVE or not self.standing.left_over:
            return
        started = time.perf_counter()
        cursor, *later = self.standing.left_over
        outcome = self._tried(lambda: go_on(self.agent, cursor, self.store, self.standing.encoding))
        if outcome is not None:
            standing = Standing(self.standing.positions, (*outcome.left_over, *later), outcome.encoding)
            await self._conclude(outcome, standing, 0, started)

    def _tried(self, work: Callable[[], Outcome]) -> Outcome | None:
        """Return what the agent's work makes true; None where the process has to stop or the table fails, which is then seen to."""
        try:
            outcome = work()
            self._brake.check(outcome.dead, outcome.last_death)
        except MustStop as error:
            self._outside.fatal(error)
            self.status = Status.LOST
        except StoreFailed as error:
            self.lose(error)
        else:
            return outcome
        return None

    async def _conclude(self, outcome: Outcome, standing: Standing, records: int, started: float) -> None:
        if await self._commit(outcome.sent, outcome.changes(), standing):
            self._woken = None
            self._plan_wake()
            self._outside.committed(self, records, sum(outcome.dead), time.perf_counter() - started)

    async def _commit(self, sent: Sequence[Sent], changes: Mapping[str, bytes | None], standing: Standing) -> bool:
        """Commit, and only then let the table and the positions move. After any failure only a reload knows what is true."""
        assert self.producer is not None
        count: Count = self._outside.partitions
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
            self.lose(error)
            return False
        try:
            self.store.apply(changes, bookmark)
        except StoreFailed as error:  # the transaction stands; the table is brought up to it by a reload
            self.lose(error)
            return False
        self.standing = standing
        self._unsettled = False
        return True

    def lose(self, error: Exception) -> None:
        """Give up what is held: only the logs know what is true now."""
        self.status = Status.LOST
        self.certain = False
        self.opened = self.opened and not isinstance(error, StoreFailed)
        self.inbox.clear()
        self._outside.lost(self, error)

    def _plan_wake(self) -> None:
        if self.agent.wake is None:
            return
        try:
            self._wake = self.agent.wake(self.view())
        except StoreFailed as error:
            self.lose(error)


def _too_large(sent: Sequence[Sent]) -> BadConfiguration:
    """Say that a broker takes less than every record was measured against: trying again would change nothing."""
    topic = max(sent, key=lambda one: len(one[2] or b""), default=("", None, b"", (), None))[0]
    return BadConfiguration(
        f"the broker refused a record as too large, although it is within {MAX_RECORD_BYTES} bytes. The largest was for "
        f"{topic or 'the changelog'}. Set max.message.bytes of the topics as `intercom-streams topics check` says, and start the worker again; "
        "nothing is lost."
    )
