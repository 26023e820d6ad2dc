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
from schemas.errors import Gap, MustStop, StoreFailed
from streams.engine.encodings import Encodings
from streams.engine.limits import Limits
from streams.engine.naming import Names
from streams.engine.partition.processor import Lane, Status
from streams.engine.recovery.changelog_reader import Bounds, Reader, committed, fenced_producer, tombstones_kept
from streams.engine.recovery.progress import Done, Progress, progress
from streams.engine.recovery.restoration import Restored
from streams.engine.tables import commit_state as positions
from streams.engine.tables.commit_state import Standing
from streams.engine.tables.store import Store

log = structlog.get_logger(__name__)

_SAY_SECONDS = 5.0  # between two words about the progress to a person …
_LOG_SECONDS = 30.0  # … and to the log, which shares the terminal with them
_GRACE_SECONDS = 5.0  # for rounds to end when the process ends


class Outside(Protocol):
    """What a load asks of the engine."""

    async def store_of(self, agent: str, partition: int) -> Store:
        """Open the table's store; where a copy of it is at hand, that one."""

    def owns(self, lane: Lane) -> bool:
        """Say whether the lane is still one of ours."""

    def held(self) -> Iterable[Lane]:
        """Return all lanes of the process."""

    async def opened(self, lanes: Collection[Lane]) -> None:
        """These lanes are live now: read their sources on."""

    def fatal(self, error: Exception) -> None:
        """The process must stop."""


Wanted = Callable[[], bool]
"""Whether the partitions are still ours: what was loaded when they no longer were is not opened."""


class Round:
    """One load of some lanes: what it has fenced and found, and the locks it holds."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.locked: set[Lane] = set()
        self.producers: dict[Lane, AIOKafkaProducer] = {}  # those that no lane has taken yet
        self.offsets: Mapping[TopicPartition, int] = {}
        self.bounds = Bounds({}, {})
        self.restored: Mapping[TopicPartition, Restored] = {}

    async def lock(self, lanes: Iterable[Lane]) -> None:
        """Wait for the loads before: always in the same order, so that two never wait for each other."""
        for lane in sorted(lanes, key=place_of):
            await lane.loading.acquire()
            self.locked.add(lane)

    def unlock(self, lane: Lane) -> None:
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
        names: Names,
        limits: Limits,
        encodings: Encodings,
        outside: Outside,
        on_progress: Callable[[Progress | Done], None],
    ) -> None:
        self._kafka = kafka
        self._names = names
        self._limits = limits
        self._encodings = encodings
        self._outside = outside
        self._on_progress = on_progress
        self._restoring: dict[Lane, Restored] = {}
        self._rounds: set[Round] = set()
        self._idle = asyncio.Event()
        self._began = 0.0
        self._said = 0.0
        self._logged = 0.0

    async def load(self, lanes: Collection[Lane], wanted: Wanted, *, only_lost: bool = False) -> dict[Lane, StoreFailed]:
        """Fence first, then read: after its start no older producer can change what is read here. Return those whose disk fails."""
        lanes = [lane for lane in lanes if lane.status is not Status.STOPPED]
        this = Round(wanted)
        self._rounds.add(this)
        self._idle.clear()
        try:
            await this.lock(lanes)
            if only_lost:  # the load before may have brought it back
                lanes = [lane for lane in lanes if lane.status is Status.LOST]
            if not lanes or not wanted():
                return {}
            this.producers = await self._fence(lanes)
            return await self._bring_up(lanes, this)
        finally:
            for lane in lanes:
                self._restoring.pop(lane, None)
            await this.end()
            self._rounds.remove(this)
            if not self._rounds:
                self._idle.set()

    async def ended(self) -> None:
        """Wait a moment for rounds that are no longer wanted: aiokafka leaves connections open that are cancelled while they are made."""
        if self._rounds:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), _GRACE_SECONDS)

    def progress(self) -> Progress | None:
        """Return how far tables are restored, or None where none is."""
        if not self._restoring:
            return None
        found = ((lane.agent.name, one) for lane, one in self._restoring.items())
        return progress(found, time.monotonic() - self._began)

    # Inside

    async def _fence(self, lanes: list[Lane]) -> dict[Lane, AIOKafkaProducer]:
        ids = [self._names.transactional_id(lane.agent.name, lane.partition) for lane in lanes]
        starts = [fenced_producer(self._kafka, name, self._limits) for name in ids]
        results = await asyncio.gather(*starts, return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        if failed:
            await stopped(result for result in results if not isinstance(result, BaseException))
            raise failed[0]
        return {lane: result for lane, result in zip(lanes, results, strict=True) if not isinstance(result, BaseException)}

    async def _bring_up(self, lanes: list[Lane], this: Round) -> dict[Lane, StoreFailed]:
        this.offsets = await committed(self._kafka, self._names.group)
        async with Reader(self._kafka, self._limits, partitions=len(lanes)) as reader:
            this.bounds = await reader.bounds(place for lane in lanes for place in self._sources(lane))
            right = [lane for lane in lanes if self._still_right(lane, this.offsets)]
            await self._open_all(right, this)
            stale = [lane for lane in lanes if lane not in right]
            failed = await self._keep_stores(stale)
            return failed | await self._restore([lane for lane in stale if lane not in failed], reader, this)

    async def _keep_stores(self, lanes: list[Lane]) -> dict[Lane, StoreFailed]:
        """Give each lane a store that works, and return those for which there is none."""
        found = await asyncio.gather(*(self._keep_store(lane) for lane in lanes))
        return {lane: error for lane, error in zip(lanes, found, strict=True) if error is not None}

    async def _keep_store(self, lane: Lane) -> StoreFailed | None:
        lane.certain = False
        if lane.opened:
            return None
        lane.release()
        try:
            store = await self._outside.store_of(lane.agent.name, lane.partition)
        except StoreFailed as error:
            return error
        if not self._outside.owns(lane):  # taken from us meanwhile: nobody would close it
            store.close()
            return StoreFailed("the partition was taken by another worker while its table was opened")
        lane.keep(store)
        return None

    async def _restore(self, lanes: list[Lane], reader: Reader, this: Round) -> dict[Lane, StoreFailed]:
        """Bring tables up to their changelogs and open each lane when its own is."""
        places = {self._changelog(lane): lane for lane in lanes}
        marked = [place.topic for place, lane in places.items() if lane.store.bookmark is not None]
        this.restored = await reader.begin(
            {place: lane.store for place, lane in places.items()}, await tombstones_kept(self._kafka, marked)
        )
        began = time.monotonic()
        if not self._restoring:
            self._began = self._said = self._logged = began
        self._restoring |= {lane: this.restored[place] for place, lane in places.items()}
        failed: dict[Lane, StoreFailed] = {}
        rows = 0
        empty: list[Lane] = []  # which encoding they begin in, those beside them tell when they are read
        async with contextlib.aclosing(reader.restore(this.restored, this.wanted, self._tell)) as done:
            async for place in done:
                lane, one = places[place], this.restored[place]
                if one.failed is not None:
                    failed[lane] = one.failed
                    lane.release()
                elif one.standing.positions:
                    rows += _rows(lane.store)
                    await self._open_all([lane], this)
                else:
                    empty.append(lane)
        await self._open_all(empty, this)
        if lanes and this.wanted():
            self._tell_end(Done(rows, sum(one.records for one in this.restored.values()), time.monotonic() - began))
        return failed

    async def _open_all(self, lanes: Collection[Lane], this: Round) -> None:
        """Let lanes go live, if they are still ours."""
        if not lanes or not this.wanted():
            return
        for lane in lanes:
            self._open(lane, this)
            this.unlock(lane)
        await self._outside.opened([lane for lane in lanes if lane.status is Status.LIVE])

    def _open(self, lane: Lane, this: Round) -> None:
        found = this.restored.get(self._changelog(lane))
        producer = this.producers.pop(lane)
        try:
            standing = self._standing(lane, found, this)
        except Gap as gap:
            lane.producer = producer
            lane.stop(gap)
        except MustStop as error:  # another worker may have the release that can go on
            lane.producer = producer
            self._outside.fatal(error)
        else:
            ends = {self._names.plain(place.topic): this.bounds.ends[place] for place in self._sources(lane)}
            lane.open(producer=producer, standing=standing, ends=ends)

    def _standing(self, lane: Lane, found: Restored | None, this: Round) -> Standing:
        """Return where the lane goes on, if all that says so agrees."""
        standing = lane.standing if found is None else found.standing
        kept = standing.positions
        place = f"partition {lane.partition} of the {lane.agent.name} agent"
        encoding = self._encodings.of(standing, place, self._encodings_beside(this))
        positions.whole(self._names.changelog(lane.agent.name), lane.partition, 0 if found is None else found.cut_at)
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
        return Standing({**kept, **at}, standing.left_over, encoding)

    def _encodings_beside(self, this: Round) -> Iterator[int]:
        """Yield the encodings of all partitions here in which anything is."""
        read, held = (one.standing for one in this.restored.values()), (lane.standing for lane in self._outside.held())
        return (standing.encoding for standing in chain(read, held) if standing.positions)

    def _still_right(self, lane: Lane, offsets: Mapping[TopicPartition, int]) -> bool:
        """Say whether a table held from before is the committed one: its positions then equal the group's."""
        if not lane.certain:
            return False
        return all(offsets.get(place) == lane.positions.get(self._names.plain(place.topic)) for place in self._sources(lane))

    def _sources(self, lane: Lane) -> list[TopicPartition]:
        return [TopicPartition(self._names.topic(topic), lane.partition) for topic in lane.agent.sources]

    def _changelog(self, lane: Lane) -> TopicPartition:
        return TopicPartition(self._names.topic(self._names.changelog(lane.agent.name)), lane.partition)

    def _tell(self) -> None:
        """Say how far it is, once in a while."""
        now = time.monotonic()
        under_way = self.progress()
        if now - self._said < _SAY_SECONDS or under_way is None:
            return
        self._said = now
        if now - self._logged >= _LOG_SECONDS:
            self._logged = now
            for part in (part for part in under_way.parts if part.read < part.of):
                log.info("restoring tables", agent=part.agent, offsets_read=part.read, offsets=part.of)
        self._on_progress(under_way)

    def _tell_end(self, done: Done) -> None:
        if done.records:
            log.info("tables restored", rows=done.rows, records=done.records, seconds=round(done.seconds, 3))
            self._on_progress(done)


def _rows(store: Store) -> int:
    try:
        return len(store)
    except StoreFailed:
        return 0  # who works with it finds out for himself


def place_of(lane: Lane) -> tuple[str, int]:
    """Return what orders lanes."""
    return lane.agent.name, lane.partition


async def stopped(producers: Iterable[AIOKafkaProducer | None]) -> None:
    """Stop producers that are done or broken; what a broken one has to say is known already."""
    for producer in producers:
        if producer is not None:
            with contextlib.suppress(Exception):
                await producer.stop()
