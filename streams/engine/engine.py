"""The engine: all lanes of one process, from assignment to revocation, and what to do when one of them fails."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import Protocol

import msgspec
import structlog
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from faust.types.tuples import TP

from connectors.kafka import KafkaSettings
from schemas.errors import Gap, MustStop, StoreFailed
from streams.engine import positions
from streams.engine.agent import Agent
from streams.engine.encodings import Encodings
from streams.engine.inbox import Fetched
from streams.engine.lane import Lane, Status
from streams.engine.limits import Limits
from streams.engine.names import Names
from streams.engine.positions import Standing
from streams.engine.recovery import Bounds, Reader, Restored, committed, fenced_producer, tombstones_kept
from streams.engine.store import StoreOf, in_memory

log = structlog.get_logger(__name__)


class Seeker(Protocol):
    """The consumer, as far as the engine needs it."""

    async def place_at(self, positions: Mapping[TP, int]) -> None: ...


class Committed(msgspec.Struct, frozen=True):
    """What one transaction did, for metrics."""

    agent: str
    partition: int
    records: int
    dead: int
    seconds: float


class Engine:
    """Own the lanes. Everything here runs on one event loop; only fetching has a thread of its own."""

    def __init__(
        self,
        agents: tuple[Agent, ...],
        *,
        kafka: KafkaSettings,
        names: Names,
        limits: Limits,
        store_of: StoreOf = in_memory,
        encodings: Encodings | None = None,
        on_commit: Callable[[Committed], None] = lambda _: None,
        on_ready: Callable[["Engine"], None] = lambda _: None,
    ) -> None:
        self.fatal_error: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self.ready = asyncio.Event()
        self.seeker: Seeker | None = None
        self._agents = agents
        self._kafka = kafka
        self._names = names
        self._limits = limits
        self._store_of = store_of
        self._encodings = encodings or Encodings()
        self._on_commit = on_commit
        self._on_ready = on_ready
        self._lanes: dict[tuple[str, int], Lane] = {}
        self._readers: dict[TP, Lane] = {}  # who reads which partition now
        self._tasks: dict[Lane, asyncio.Task[None]] = {}
        self._reloads: set[asyncio.Task[None]] = set()
        self._reloading: set[Lane] = set()
        self._counts: dict[str, int] = {}
        self._epoch = 0  # counts revocations: what was loaded under an earlier one is not opened

    # What Faust calls

    async def assigned(self, places: Collection[TP]) -> None:
        """Take over the lanes of these partitions: fence, read positions, restore what is not certainly still right."""
        owned = {(topic, place.partition) for place in places for topic in [self._names.plain(place.topic)]}
        lanes = [self._lane(agent, p) for agent in self._agents for topic, p in sorted(owned) if topic == agent.sources[0]]
        self._readers = {
            TP(self._names.topic(topic), lane.partition): lane
            for lane in lanes
            for topic in lane.agent.sources
            if (topic, lane.partition) in owned  # beside a release that reads other topics, not all of them are given to us
        }
        self._forget(lanes)
        for lane in lanes:
            lane.beside = len(lanes)
        epoch = self._epoch
        failed: dict[Lane, Exception] = {}
        try:
            failed |= await self._load(lanes)
        except (KafkaError, OSError, TimeoutError) as away:  # each lane tries again by itself until the broker is back
            failed |= dict.fromkeys(lanes, away)
        if epoch != self._epoch:
            return  # revoked while loading: the next assignment loads afresh
        for lane, error in failed.items():
            lane.lose(error)
        self.ready.set()
        self._on_ready(self)

    async def revoked(self) -> None:
        """Let every lane finish its transaction and stand still. Tables are kept: most partitions come back at once."""
        self.ready.clear()
        self._epoch += 1
        for task in self._reloads:
            task.cancel()
        producers = await asyncio.gather(*(lane.suspend() for lane in self._lanes.values()))
        await _stop(producers)

    def expect(self, place: TP, fetched: Fetched) -> None:
        """Keep room for a batch that is fetched and on its way to its lane through Faust's streams."""
        lane = self._readers.get(place)
        if lane is not None:
            lane.inbox.expect(fetched)

    def offer(self, place: TP, fetched: Fetched) -> None:
        """Hand a batch to its lane."""
        lane = self._readers.get(place)
        if lane is not None:
            lane.offer(fetched)

    def hungry(self) -> tuple[set[TP], bool]:
        """Return the partitions whose lanes have room, and whether that is all of them that work."""
        live = {place: lane for place, lane in self._readers.items() if lane.status is Status.LIVE}
        places = {place for place, lane in live.items() if lane.has_room}
        return places, len(places) == len(live)

    def positions(self) -> dict[TP, int]:
        """Return where each partition is to be read on."""
        live = (lane for lane in self._readers.values() if lane.status is Status.LIVE)
        return {place: position for lane in live for place, position in self._positions_of(lane).items()}

    def fetch_failed(self, error: Exception) -> None:
        """Stop a partition whose position is no longer in the log; anything else is the client's to retry."""
        if not isinstance(error, OffsetOutOfRangeError):
            log.warning("fetch failed", error=type(error).__name__)
            return
        for place, position in dict(error.args[0]).items():
            lane = self._readers.get(TP(place.topic, place.partition))
            if lane is not None:
                topic = self._names.plain(place.topic)
                lane.stop(Gap(
                    f"partition {place.partition} of {topic}: position {position} is no longer in the log: records were deleted before "
                    "they were read (retention or truncation). Restore them, or rebuild the agent and accept the loss."
                ))  # fmt: skip

    # What lanes call

    async def seek(self, lane: Lane, topic: str, position: int) -> None:
        """Read a partition on from a position."""
        assert self.seeker is not None
        await self.seeker.place_at({TP(self._names.topic(topic), lane.partition): position})

    def lost(self, lane: Lane, error: Exception) -> None:
        """Load a lane again whose transaction failed, for as long as the group names us its owner."""
        _say("table failed" if isinstance(error, StoreFailed) else "transaction failed", lane, error)
        task = asyncio.create_task(self._reload(lane))
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    def fatal(self, error: Exception) -> None:
        """Ask the process to stop."""
        if not self.fatal_error.done():
            self.fatal_error.set_result(error)

    async def partitions(self, topic: str) -> int:
        """Count a topic's partitions; fixed at its creation, so asked once."""
        if topic not in self._counts:
            producer = next(lane.producer for lane in self._readers.values() if lane.producer is not None)
            self._counts[topic] = len(await producer.partitions_for(topic))
        return self._counts[topic]

    def committed(self, lane: Lane, records: int, dead: int, seconds: float) -> None:
        """Count a transaction."""
        self._on_commit(Committed(lane.agent.name, lane.partition, records, dead, seconds))

    # What the process calls

    def lanes(self) -> list[Lane]:
        """Return the lanes owned now."""
        return sorted(set(self._readers.values()), key=_place_of)

    async def close(self) -> None:
        """Finish running transactions and release everything."""
        await self.revoked()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        for lane in self._lanes.values():
            lane.release()

    # Inside

    def _lane(self, agent: Agent, partition: int) -> Lane:
        lane = self._lanes.get((agent.name, partition))
        if lane is None:
            lane = Lane(agent, partition, names=self._names, limits=self._limits, outside=self)
            self._lanes[agent.name, partition] = lane
            task = asyncio.create_task(lane.run(), name=repr(lane))
            task.add_done_callback(self._ended)
            self._tasks[lane] = task
        return lane

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fatal(error if isinstance(error, Exception) else RuntimeError(repr(error)))

    def _forget(self, kept: Collection[Lane]) -> None:
        for key, lane in list(self._lanes.items()):
            if lane not in kept:
                self._tasks.pop(lane).cancel()
                lane.release()
                del self._lanes[key]

    async def _reload(self, lane: Lane) -> None:
        while self._is_lost(lane):
            await asyncio.sleep(self._limits.reload_seconds)
            epoch = self._epoch
            if not self._is_lost(lane):
                return  # an assignment has loaded it meanwhile
            await _stop([await self._retired(lane)])
            try:
                for error in (await self._load([lane], only_lost=True)).values():
                    raise error  # noqa: TRY301  # the broker being away is raised in there as well
                await self._resume(lane)
            except Exception as error:  # noqa: BLE001  # broker away: try again until the partition is taken from us
                if epoch != self._epoch:
                    return
                lane.status = Status.LOST
                _say("reload failed", lane, error)

    def _is_lost(self, lane: Lane) -> bool:
        return lane.status is Status.LOST and lane in self._readers.values()

    async def _retired(self, lane: Lane) -> AIOKafkaProducer | None:
        async with lane.lock:
            if lane.status is not Status.LOST:
                return None
            producer, lane.producer = lane.producer, None
            return producer

    async def _resume(self, lane: Lane) -> None:
        if lane.status is Status.LIVE and self.seeker is not None:
            await self.seeker.place_at(self._positions_of(lane))

    def _positions_of(self, lane: Lane) -> dict[TP, int]:
        return {TP(self._names.topic(topic), lane.partition): position for topic, position in lane.positions.items()}

    async def _load(self, lanes: Iterable[Lane], *, only_lost: bool = False) -> dict[Lane, StoreFailed]:
        """Fence first, then read: after its start no older producer can change what is read here. Return those whose disk fails."""
        lanes = [lane for lane in lanes if lane.status is not Status.STOPPED]
        if not lanes:
            return {}
        epoch = self._epoch
        async with contextlib.AsyncExitStack() as alone:
            for lane in sorted(lanes, key=_place_of):
                await alone.enter_async_context(lane.loading)
            if only_lost:  # the load before may have brought it back
                lanes = [lane for lane in lanes if lane.status is Status.LOST]
            if epoch != self._epoch or not lanes:
                return {}
            producers = await self._fence(lanes)
            try:
                return await self._open_all(lanes, producers, epoch)
            except BaseException:
                await _stop(producers.values())
                raise

    async def _open_all(
        self, lanes: list[Lane], producers: Mapping[Lane, AIOKafkaProducer], epoch: int
    ) -> dict[Lane, StoreFailed]:
        offsets = await committed(self._kafka, self._names.group)
        async with Reader(self._kafka, self._limits) as reader:
            bounds = await reader.bounds(place for lane in lanes for place in self._sources(lane))
            stale = [lane for lane in lanes if not self._still_right(lane, offsets)]
            failed = await self._keep_stores(stale)
            restored = await self._restored(reader, [lane for lane in stale if lane not in failed])
        failed |= {lane: one.failed for lane in stale if (one := restored.get(self._changelog(lane))) and one.failed}
        if epoch != self._epoch:
            await _stop(producers.values())
            return {}
        await _stop(producers[lane] for lane in failed)
        for lane in lanes:
            if lane in failed:
                lane.release()
            else:
                self._open(lane, producers[lane], offsets, bounds, restored)
        return failed

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
            store = await self._store_of(lane.agent.name, lane.partition)
        except StoreFailed as error:
            return error
        if self._lanes.get(_place_of(lane)) is not lane:  # taken from us meanwhile: nobody would close it
            store.close()
            return StoreFailed("the partition was taken by another worker while its table was opened")
        lane.keep(store)
        return None

    async def _restored(self, reader: Reader, lanes: list[Lane]) -> dict[TopicPartition, Restored]:
        """Bring tables up to their changelogs."""
        stores = {self._changelog(lane): lane.store for lane in lanes}
        kept = await tombstones_kept(self._kafka, (place.topic for place, store in stores.items() if store.bookmark is not None))
        return await reader.restore(stores, _progress, kept)

    async def _fence(self, lanes: list[Lane]) -> dict[Lane, AIOKafkaProducer]:
        ids = [self._names.transactional_id(lane.agent.name, lane.partition) for lane in lanes]
        starts = [fenced_producer(self._kafka, name, self._limits) for name in ids]
        results = await asyncio.gather(*starts, return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        if failed:
            await _stop(result for result in results if not isinstance(result, BaseException))
            raise failed[0]
        return {lane: result for lane, result in zip(lanes, results, strict=True) if not isinstance(result, BaseException)}

    def _open(
        self,
        lane: Lane,
        producer: AIOKafkaProducer,
        offsets: Mapping[TopicPartition, int],
        bounds: Bounds,
        restored: Mapping[TopicPartition, Restored],
    ) -> None:
        found = restored.get(self._changelog(lane))
        standing = lane.standing if found is None else found.standing
        kept = standing.positions
        try:
            encoding = self._encodings.of(
                standing, f"partition {lane.partition} of the {lane.agent.name} agent", self._encodings_beside(restored)
            )
            positions.whole(self._names.changelog(lane.agent.name), lane.partition, 0 if found is None else found.cut_at)
            at = {
                self._names.plain(place.topic): positions.agreed(
                    self._names.plain(place.topic),
                    place.partition,
                    kept=kept.get(self._names.plain(place.topic)),
                    committed=offsets.get(place),
                    table_empty=found is None or found.records == 0,
                    start=bounds.starts[place],
                    end=bounds.ends[place],
                )
                for place in self._sources(lane)
            }
        except Gap as gap:
            lane.producer = producer
            lane.stop(gap)
            return
        except MustStop as error:  # another worker may have the release that can go on
            lane.producer = producer
            self.fatal(error)
            return
        ends = {self._names.plain(place.topic): bounds.ends[place] for place in self._sources(lane)}
        standing = Standing({**kept, **at}, standing.left_over, encoding)
        lane.open(producer=producer, standing=standing, ends=ends)

    def _encodings_beside(self, restored: Mapping[TopicPartition, Restored]) -> Iterator[int]:
        """Yield the encodings of all partitions here in which anything is."""
        read, held = (one.standing for one in restored.values()), (lane.standing for lane in self._lanes.values())
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


def _place_of(lane: Lane) -> tuple[str, int]:
    return lane.agent.name, lane.partition


def _say(what: str, lane: Lane, error: Exception) -> None:
    reason = str(error) if isinstance(error, StoreFailed) else None  # others may quote what they were given
    log.warning(
        "partition in trouble",
        what=what,
        agent=lane.agent.name,
        partition=lane.partition,
        error=type(error).__name__,
        reason=reason,
    )


def _progress(records: int) -> None:
    log.info("restoring tables", records=records)


async def _stop(producers: Iterable[AIOKafkaProducer | None]) -> None:
    """Stop producers that are done or broken; what a broken one has to say is known already."""
    for producer in producers:
        if producer is not None:
            with contextlib.suppress(Exception):
                await producer.stop()
