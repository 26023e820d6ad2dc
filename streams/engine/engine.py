"""The engine: all lanes of one process, from assignment to revocation, and what to do when one of them fails."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from faust.types.tuples import TP

from connectors.kafka.settings import KafkaSettings
from schemas.errors import MissingRecords, MustStop, StoreFailed
from streams.engine.agent import Agent
from streams.engine.encodings import Encodings
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.fetch_buffer import FetchedBatch
from streams.engine.partition.processor import PartitionProcessor, PartitionStatus
from streams.engine.recovery.loader import Loader, label_of, stopped
from streams.engine.recovery.progress import RestoreDone, RestoreProgress
from streams.engine.recovery.standby import Standby
from streams.engine.tables.store import OpenStore, StandbyStores, Store, open_memory_store

log = structlog.get_logger(__name__)


class Seeker(Protocol):
    """The consumer, as far as the engine needs it."""

    async def place_at(self, positions: Mapping[TP, int]) -> None: ...


class CommitStats(msgspec.Struct, frozen=True):
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
        names: Naming,
        limits: Limits,
        store_of: OpenStore = open_memory_store,
        spares: StandbyStores | None = None,
        encodings: Encodings | None = None,
        on_commit: Callable[[CommitStats], None] = lambda _: None,
        on_progress: Callable[[RestoreProgress | RestoreDone], None] = lambda _: None,
        on_ready: Callable[["Engine"], None] = lambda _: None,
    ) -> None:
        self.fatal_error: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self.ready = asyncio.Event()
        self.seeker: Seeker | None = None
        self._agents = agents
        self._names = names
        self._limits = limits
        self._store_of = store_of
        self._loader = Loader(
            kafka=kafka, names=names, limits=limits, encodings=encodings or Encodings(), outside=self, on_progress=on_progress
        )
        self._standby = None if spares is None else Standby(agents, kafka=kafka, names=names, limits=limits, spares=spares)
        self._on_commit = on_commit
        self._on_ready = on_ready
        self._processors: dict[tuple[str, int], PartitionProcessor] = {}
        self._readers: dict[TP, PartitionProcessor] = {}  # who reads which partition now
        self._tasks: dict[PartitionProcessor, asyncio.Task[None]] = {}
        self._reloads: set[asyncio.Task[None]] = set()
        self._counts: dict[str, int] = {}
        self.epoch = 0  # counts revocations: what was loaded under an earlier one is not opened

    # What Faust calls

    async def assigned(self, places: Collection[TP]) -> None:
        """Take over the lanes of these partitions: fence, read positions, restore what is not certainly still right."""
        owned = {(topic, place.partition) for place in places for topic in [self._names.plain(place.topic)]}
        lanes = [self._processor(agent, p) for agent in self._agents for topic, p in sorted(owned) if topic == agent.sources[0]]
        self._readers = {
            TP(self._names.topic(topic), lane.partition): lane
            for lane in lanes
            for topic in lane.agent.sources
            if (topic, lane.partition) in owned  # beside a release that reads other topics, not all of them are given to us
        }
        self._forget(lanes)
        for lane in lanes:
            lane.siblings = len(lanes)
        epoch = self.epoch
        failed: dict[PartitionProcessor, Exception] = {}
        try:
            failed |= await self._loader.load(lanes, self._while_in(epoch))
        except (KafkaError, OSError, TimeoutError) as away:  # each lane tries again by itself until the broker is back
            failed |= {lane: away for lane in lanes if lane.status is PartitionStatus.LOADING}
        except MustStop as refused:  # a changelog that no release of ours has written
            self.fatal(refused)
        if epoch != self.epoch:
            return  # revoked while loading: the next assignment goes on with it
        for lane, error in failed.items():
            lane.fail(error)
        if self._standby is not None:
            self._standby.follow_all_but(label_of(lane) for lane in lanes)
        self.ready.set()
        self._on_ready(self)

    async def revoked(self) -> None:
        """Let every lane finish its transaction and stand still. Tables are kept: most partitions come back at once."""
        self.ready.clear()
        self.epoch += 1
        if self._standby is not None:
            self._standby.pause()
        producers = await asyncio.gather(*(lane.suspend() for lane in self._processors.values()))
        await stopped(producers)

    def reserve(self, place: TP, fetched: FetchedBatch) -> None:
        """Keep room for a batch that is fetched and on its way to its lane through Faust's streams."""
        lane = self._readers.get(place)
        if lane is not None:
            lane.buffer.reserve(fetched)

    def offer(self, place: TP, fetched: FetchedBatch) -> None:
        """Hand a batch to its lane."""
        lane = self._readers.get(place)
        if lane is not None:
            lane.offer(fetched)

    def partitions_with_room(self) -> tuple[set[TP], bool]:
        """Return the partitions whose lanes have room, and whether that is all of them that work."""
        live = {place: lane for place, lane in self._readers.items() if lane.status is PartitionStatus.LIVE}
        places = {place for place, lane in live.items() if lane.has_room}
        return places, len(places) == len(live)

    def positions(self) -> dict[TP, int]:
        """Return where each partition is to be read on."""
        live = (lane for lane in self._readers.values() if lane.status is PartitionStatus.LIVE)
        return {place: position for lane in live for place, position in self._positions_of(lane).items()}

    def fetch_failed(self, error: Exception) -> None:
        """Stop a partition whose position is no longer in the log; anything else is the client's to retry."""
        if isinstance(error, NoOffsetForPartitionError):
            return  # the client looked for itself before we said where to begin
        if not isinstance(error, OffsetOutOfRangeError):
            log.warning("fetch failed", error=type(error).__name__)
            return
        for place, position in dict(error.args[0]).items():
            lane = self._readers.get(TP(place.topic, place.partition))
            if lane is not None:
                topic = self._names.plain(place.topic)
                lane.stop(MissingRecords(
                    f"partition {place.partition} of {topic}: position {position} is no longer in the log: records were deleted before "
                    "they were read (retention or truncation). Restore them, or rebuild the agent and accept the loss."
                ))  # fmt: skip

    # What a load calls

    async def store_of(self, agent: str, partition: int) -> Store:
        """Open a table's store, or take the copy that was kept of it."""
        spare = None if self._standby is None else await self._standby.taken(agent, partition)
        return spare or await self._store_of(agent, partition)

    def is_owned(self, lane: PartitionProcessor) -> bool:
        """Say whether the lane is still one of ours."""
        return self._processors.get(label_of(lane)) is lane

    def processors(self) -> Iterable[PartitionProcessor]:
        """Return all lanes of the process."""
        return self._processors.values()

    async def on_loaded(self, lanes: Collection[PartitionProcessor]) -> None:
        """Read the sources of these lanes on: each joins those that are at work as soon as its table is right."""
        if self.seeker is not None and lanes:
            await self.seeker.place_at(
                {place: position for lane in lanes for place, position in self._positions_of(lane).items()}
            )

    # What lanes call

    async def seek(self, lane: PartitionProcessor, topic: str, position: int) -> None:
        """Read a partition on from a position."""
        assert self.seeker is not None
        await self.seeker.place_at({TP(self._names.topic(topic), lane.partition): position})

    def on_failed(self, lane: PartitionProcessor, error: Exception) -> None:
        """Load a lane again whose transaction failed, for as long as the group names us its owner."""
        _log_failure("table failed" if isinstance(error, StoreFailed) else "transaction failed", lane, error)
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

    def committed(self, lane: PartitionProcessor, records: int, dead: int, seconds: float) -> None:
        """Count a transaction."""
        self._on_commit(CommitStats(lane.agent.name, lane.partition, records, dead, seconds))

    # What the process calls

    def all_processors(self) -> list[PartitionProcessor]:
        """Return the lanes owned now."""
        return sorted(set(self._readers.values()), key=label_of)

    def progress(self) -> RestoreProgress | None:
        """Return how far tables are restored, or None where none is."""
        return self._loader.progress()

    def standby_lag(self) -> Mapping[tuple[str, int], int]:
        """Return how many changelog offsets the copies of others' tables are behind, by agent and partition."""
        return {} if self._standby is None else self._standby.lag()

    async def close(self) -> None:
        """Finish running transactions and release everything."""
        await self.revoked()
        await self._loader.ended()
        if self._standby is not None:
            await self._standby.close()
        tasks = [*self._reloads, *self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        for lane in self._processors.values():
            lane.close_store()

    # Inside

    def _processor(self, agent: Agent, partition: int) -> PartitionProcessor:
        lane = self._processors.get((agent.name, partition))
        if lane is None:
            lane = PartitionProcessor(agent, partition, names=self._names, limits=self._limits, outside=self)
            self._processors[agent.name, partition] = lane
            task = asyncio.create_task(lane.run(), name=repr(lane))
            task.add_done_callback(self._ended)
            self._tasks[lane] = task
        return lane

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fatal(error if isinstance(error, Exception) else RuntimeError(repr(error)))

    def _forget(self, kept: Collection[PartitionProcessor]) -> None:
        for key, lane in list(self._processors.items()):
            if lane not in kept:
                self._tasks.pop(lane).cancel()
                if self._standby is not None and lane.store_open:
                    self._standby.keep_store(*key, lane.detach_store())
                lane.close_store()
                del self._processors[key]

    async def _reload(self, lane: PartitionProcessor) -> None:
        epoch = self.epoch
        while True:
            await asyncio.sleep(self._limits.reload_seconds)
            if epoch != self.epoch or not self._is_lost(lane):
                return  # an assignment has loaded it meanwhile, or will
            await stopped([await self._retired(lane)])
            try:
                for error in (await self._loader.load([lane], self._while_in(epoch), only_lost=True)).values():
                    raise error  # noqa: TRY301  # the broker being away is raised in there as well
            except MustStop as error:
                self.fatal(error)
                return
            except Exception as error:  # noqa: BLE001  # broker away: try again until the partition is taken from us
                if epoch != self.epoch:
                    return
                lane.status = PartitionStatus.LOST
                _log_failure("reload failed", lane, error)

    def _while_in(self, epoch: int) -> Callable[[], bool]:
        return lambda: epoch == self.epoch

    def _is_lost(self, lane: PartitionProcessor) -> bool:
        return lane.status is PartitionStatus.LOST and lane in self._readers.values()

    async def _retired(self, lane: PartitionProcessor) -> AIOKafkaProducer | None:
        async with lane.lock:
            if lane.status is not PartitionStatus.LOST:
                return None
            producer, lane.producer = lane.producer, None
            return producer

    def _positions_of(self, lane: PartitionProcessor) -> dict[TP, int]:
        return {TP(self._names.topic(topic), lane.partition): position for topic, position in lane.positions.items()}


def _log_failure(what: str, lane: PartitionProcessor, error: Exception) -> None:
    reason = str(error) if isinstance(error, StoreFailed) else None  # others may quote what they were given
    log.warning(
        "partition in trouble",
        what=what,
        agent=lane.agent.name,
        partition=lane.partition,
        error=type(error).__name__,
        reason=reason,
    )
