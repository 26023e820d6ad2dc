"""Bring lanes up: fence, read where they stand, restore their tables, and let each go live as soon as its own table is right.

A round is broken off when its partitions are revoked. What it read stays in the stores with a bookmark, so the next round goes on from
there, however often workers come and go meanwhile.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Protocol

import structlog
from aiokafka import AIOKafkaProducer, TopicPartition

from connectors.kafka.settings import KafkaSettings
from schemas.errors import MissingRecords, MustStop, StoreFailed
from streams.engine.encodings import Encodings
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionProcessor, PartitionStatus
from streams.engine.recovery.changelog_reader import ChangelogReader, LogBounds, committed, fenced_producer, tombstones_kept
from streams.engine.recovery.progress import RestoreDone, RestoreProgress, progress
from streams.engine.recovery.restoration import Restoration
from streams.engine.tables import commit_state as positions
from streams.engine.tables.commit_state import CommitState
from streams.engine.tables.store import Store

log = structlog.get_logger(__name__)

_SAY_SECONDS = 5.0  # between two words about the progress to a person …
_LOG_SECONDS = 30.0  # … and to the log, which shares the terminal with them
_GRACE_SECONDS = 5.0  # for rounds to end when the process ends


class LoaderHost(Protocol):
    """What a load asks of the engine."""

    async def store_of(self, agent: str, partition: int) -> Store:
        """Open the table's store; where a copy of it is at hand, that one."""

    def is_owned(self, lane: PartitionProcessor) -> bool:
        """Say whether the lane is still one of ours."""

    def processors(self) -> Iterable[PartitionProcessor]:
        """Return all lanes of the process."""

    async def on_loaded(self, lanes: Collection[PartitionProcessor]) -> None:
        """These lanes are live now: read their sources on."""

    def fatal(self, error: Exception) -> None:
        """The process must stop."""


Wanted = Callable[[], bool]
"""Whether the partitions are still ours: what was loaded when they no longer were is not opened."""


class LoadAttempt:
    """One load of some lanes: what it has fenced and found, and the locks it holds."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.locked: set[PartitionProcessor] = set()
        self.producers: dict[PartitionProcessor, AIOKafkaProducer] = {}  # those that no lane has taken yet
        self.offsets: Mapping[TopicPartition, int] = {}
        self.bounds = LogBounds({}, {})
        self.restored: Mapping[TopicPartition, Restoration] = {}

    async def lock(self, lanes: Iterable[PartitionProcessor]) -> None:
        """Wait for the loads before: always in the same order, so that two never wait for each other."""
        for lane in sorted(lanes, key=label_of):
            await lane.loading.acquire()
            self.locked.add(lane)

    def unlock(self, lane: PartitionProcessor) -> None:
        """Let others load the lane."""
        if lane in self.locked:
            self.locked.remove(lane)
            lane.loading.release()

    async def end(self) -> None:
        """Release what nobody took."""
        try:
            await stopped(self.producers.values())
        finally:
            for lane in list(self.locked):
                self.unlock(lane)


class Loader:
    """Load lanes for one engine."""

    def __init__(
        self,
        *,
        kafka: KafkaSettings,
        names: Naming,
        limits: Limits,
        encodings: Encodings,
        outside: LoaderHost,
        on_progress: Callable[[RestoreProgress | RestoreDone], None],
    ) -> None:
        self._kafka = kafka
        self._names = names
        self._limits = limits
        self._encodings = encodings
        self._host = outside
        self._on_progress = on_progress
        self._restoring: dict[PartitionProcessor, Restoration] = {}
        self._attempts: set[LoadAttempt] = set()
        self._idle = asyncio.Event()
        self._began = 0.0
        self._reported_at = 0.0
        self._logged = 0.0

    async def load(
        self, lanes: Collection[PartitionProcessor], wanted: Wanted, *, only_lost: bool = False
    ) -> dict[PartitionProcessor, StoreFailed]:
        """Fence first, then read: after its start no older producer can change what is read here. Return those whose disk fails."""
        lanes = [lane for lane in lanes if lane.status is not PartitionStatus.STOPPED]
        this = LoadAttempt(wanted)
        self._attempts.add(this)
        self._idle.clear()
        try:
            await this.lock(lanes)
            if only_lost:  # the load before may have brought it back
                lanes = [lane for lane in lanes if lane.status is PartitionStatus.LOST]
            if not lanes or not wanted():
                return {}
            this.producers = await self._fence(lanes)
            return await self._bring_up(lanes, this)
        finally:
            for lane in lanes:
                self._restoring.pop(lane, None)
            await this.end()
            self._attempts.remove(this)
            if not self._attempts:
                self._idle.set()

    async def ended(self) -> None:
        """Wait a moment for rounds that are no longer wanted: aiokafka leaves connections open that are cancelled while they are made."""
        if self._attempts:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), _GRACE_SECONDS)

    def progress(self) -> RestoreProgress | None:
        """Return how far tables are restored, or None where none is."""
        if not self._restoring:
            return None
        found = ((lane.agent.name, one) for lane, one in self._restoring.items())
        return progress(found, time.monotonic() - self._began)

    # Inside

    async def _fence(self, lanes: list[PartitionProcessor]) -> dict[PartitionProcessor, AIOKafkaProducer]:
        ids = [self._names.transactional_id(lane.agent.name, lane.partition) for lane in lanes]
        starts = [fenced_producer(self._kafka, name, self._limits) for name in ids]
        results = await asyncio.gather(*starts, return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        if failed:
            await stopped(result for result in results if not isinstance(result, BaseException))
            raise failed[0]
        return {lane: result for lane, result in zip(lanes, results, strict=True) if not isinstance(result, BaseException)}

    async def _bring_up(self, lanes: list[PartitionProcessor], this: LoadAttempt) -> dict[PartitionProcessor, StoreFailed]:
        this.offsets = await committed(self._kafka, self._names.group)
        async with ChangelogReader(self._kafka, self._limits, partitions=len(lanes)) as reader:
            this.bounds = await reader.bounds(place for lane in lanes for place in self._sources(lane))
            right = [lane for lane in lanes if self._still_right(lane, this.offsets)]
            await self._open_all(right, this)
            stale = [lane for lane in lanes if lane not in right]
            failed = await self._attach_stores(stale)
            return failed | await self._restore([lane for lane in stale if lane not in failed], reader, this)

    async def _attach_stores(self, lanes: list[PartitionProcessor]) -> dict[PartitionProcessor, StoreFailed]:
        """Give each lane a store that works, and return those for which there is none."""
        found = await asyncio.gather(*(self._attach_store(lane) for lane in lanes))
        return {lane: error for lane, error in zip(lanes, found, strict=True) if error is not None}

    async def _attach_store(self, lane: PartitionProcessor) -> StoreFailed | None:
        lane.table_valid = False
        if lane.store_open:
            return None
        lane.close_store()
        try:
            store = await self._host.store_of(lane.agent.name, lane.partition)
        except StoreFailed as error:
            return error
        if not self._host.is_owned(lane):  # taken from us meanwhile: nobody would close it
            store.close()
            return StoreFailed("the partition was taken by another worker while its table was opened")
        lane.attach_store(store)
        return None

    async def _restore(
        self, lanes: list[PartitionProcessor], reader: ChangelogReader, this: LoadAttempt
    ) -> dict[PartitionProcessor, StoreFailed]:
        """Bring tables up to their changelogs and open each lane when its own is."""
        places = {self._changelog(lane): lane for lane in lanes}
        marked = [place.topic for place, lane in places.items() if lane.store.bookmark is not None]
        this.restored = await reader.begin(
            {place: lane.store for place, lane in places.items()}, await tombstones_kept(self._kafka, marked)
        )
        began = time.monotonic()
        if not self._restoring:
            self._began = self._reported_at = self._logged = began
        self._restoring |= {lane: this.restored[place] for place, lane in places.items()}
        failed: dict[PartitionProcessor, StoreFailed] = {}
        rows = 0
        empty: list[PartitionProcessor] = []  # which encoding they begin in, those beside them tell when they are read
        async with contextlib.aclosing(reader.restore(this.restored, this.wanted, self._report)) as done:
            async for place in done:
                lane, one = places[place], this.restored[place]
                if one.failed is not None:
                    failed[lane] = one.failed
                    lane.close_store()
                elif one.commit_state.positions:
                    rows += _rows(lane.store)
                    await self._open_all([lane], this)
                else:
                    empty.append(lane)
        await self._open_all(empty, this)
        if lanes and this.wanted():
            self._report_end(RestoreDone(rows, sum(one.records for one in this.restored.values()), time.monotonic() - began))
        return failed

    async def _open_all(self, lanes: Collection[PartitionProcessor], this: LoadAttempt) -> None:
        """Let lanes go live, if they are still ours."""
        if not lanes or not this.wanted():
            return
        for lane in lanes:
            self._open(lane, this)
            this.unlock(lane)
        await self._host.on_loaded([lane for lane in lanes if lane.status is PartitionStatus.LIVE])

    def _open(self, lane: PartitionProcessor, this: LoadAttempt) -> None:
        found = this.restored.get(self._changelog(lane))
        producer = this.producers.pop(lane)
        try:
            standing = self._commit_state(lane, found, this)
        except MissingRecords as gap:
            lane.producer = producer
            lane.stop(gap)
        except MustStop as error:  # another worker may have the release that can go on
            lane.producer = producer
            self._host.fatal(error)
        else:
            ends = {self._names.plain(place.topic): this.bounds.ends[place] for place in self._sources(lane)}
            lane.open(producer=producer, standing=standing, ends=ends)

    def _commit_state(self, lane: PartitionProcessor, found: Restoration | None, this: LoadAttempt) -> CommitState:
        """Return where the lane goes on, if all that says so agrees."""
        standing = lane.commit_state if found is None else found.commit_state
        kept = standing.positions
        place = f"partition {lane.partition} of the {lane.agent.name} agent"
        encoding = self._encodings.of(standing, place, self._sibling_encodings(this))
        positions.complete(self._names.changelog(lane.agent.name), lane.partition, 0 if found is None else found.cut_at)
        at = {
            self._names.plain(place.topic): positions.agreed(
                self._names.plain(place.topic),
                place.partition,
                kept=kept.get(self._names.plain(place.topic)),
                committed=this.offsets.get(place),
                table_empty=found is None or found.records == 0,
                start=this.bounds.starts[place],
                end=this.bounds.ends[place],
            )
            for place in self._sources(lane)
        }
        return CommitState({**kept, **at}, standing.pending_work, encoding)

    def _sibling_encodings(self, this: LoadAttempt) -> Iterator[int]:
        """Yield the encodings of all partitions here in which anything is."""
        read, held = (one.commit_state for one in this.restored.values()), (lane.commit_state for lane in self._host.processors())
        return (standing.encoding for standing in chain(read, held) if standing.positions)

    def _still_right(self, lane: PartitionProcessor, offsets: Mapping[TopicPartition, int]) -> bool:
        """Say whether a table held from before is the committed one: its positions then equal the group's."""
        if not lane.table_valid:
            return False
        return all(offsets.get(place) == lane.positions.get(self._names.plain(place.topic)) for place in self._sources(lane))

    def _sources(self, lane: PartitionProcessor) -> list[TopicPartition]:
        return [TopicPartition(self._names.topic(topic), lane.partition) for topic in lane.agent.sources]

    def _changelog(self, lane: PartitionProcessor) -> TopicPartition:
        return TopicPartition(self._names.topic(self._names.changelog(lane.agent.name)), lane.partition)

    def _report(self) -> None:
        """Say how far it is, once in a while."""
        now = time.monotonic()
        under_way = self.progress()
        if now - self._reported_at < _SAY_SECONDS or under_way is None:
            return
        self._reported_at = now
        if now - self._logged >= _LOG_SECONDS:
            self._logged = now
            for part in (part for part in under_way.parts if part.read < part.of):
                log.info("restoring tables", agent=part.agent, offsets_read=part.read, offsets=part.of)
        self._on_progress(under_way)

    def _report_end(self, done: RestoreDone) -> None:
        if done.records:
            log.info("tables restored", rows=done.rows, records=done.records, seconds=round(done.seconds, 3))
            self._on_progress(done)


def _rows(store: Store) -> int:
    try:
        return len(store)
    except StoreFailed:
        return 0  # who works with it finds out for himself


def label_of(lane: PartitionProcessor) -> tuple[str, int]:
    """Return what orders lanes."""
    return lane.agent.name, lane.partition


async def stopped(producers: Iterable[AIOKafkaProducer | None]) -> None:
    """Stop producers that are done or broken; what a broken one has to say is known already."""
    for producer in producers:
        if producer is not None:
            with contextlib.suppress(Exception):
                await producer.stop()
