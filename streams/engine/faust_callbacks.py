"""What Faust calls: partitions are assigned and revoked, and fetched batches go to the processors that read them."""

import asyncio
from collections.abc import Callable, Collection, Mapping

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from schemas.errors import MissingRecords, MustStop
from streams.engine.agent import Agent
from streams.engine.faust_types import TP
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.batch_loop import BatchLoop
from streams.engine.partition.fetch_buffer import FetchedBatch
from streams.engine.partition.processor import PartitionProcessor, PartitionStatus, ProcessorHost
from streams.engine.recovery.fencing import stop_producers
from streams.engine.recovery.loader import Loader
from streams.engine.recovery.standby import Standby
from streams.engine.state import EngineState

log = structlog.get_logger(__name__)


class FaustCallbacks:
    """Create, load, suspend and close the processors of the partitions that the group assigns to this worker."""

    def __init__(
        self,
        agents: tuple[Agent, ...],
        state: EngineState,
        *,
        names: Naming,
        limits: Limits,
        loader: Loader,
        host: ProcessorHost,
        standby: Standby | None,
        stops: Mapping[TopicPartition, int],
        on_ready: Callable[[], None],
    ) -> None:
        self._agents = agents
        self._state = state
        self._names = names
        self._limits = limits
        self._loader = loader
        self._host = host
        self._standby = standby
        self._stops = stops
        self._on_ready = on_ready
        self._loops: dict[PartitionProcessor, asyncio.Task[None]] = {}

    @property
    def epoch(self) -> int:
        """The number of revocations so far: an assignment is outdated when it has changed."""
        return self._state.epoch

    async def assigned(self, tps: Collection[TP]) -> None:
        """Take over these partitions: fence, read positions, restore the tables that are not certainly the committed ones."""
        owned = {TP(tp.topic, tp.partition) for tp in tps}
        processors = [
            self._processor(agent, partition)
            for agent in self._agents
            for topic, partition in sorted(owned)
            if topic == self._names.source(agent.name, agent.sources[0])
        ]
        self._state.by_source = {
            TP(*tp): processor
            for processor in processors
            for tp in self._names.source_partitions(processor.agent, processor.partition).values()
            if TP(*tp) in owned  # a release with other topics in the group may get some of them
        }
        self._close_others(processors)
        for processor in processors:
            processor.siblings = processors
        is_current = self._state.until_revoked()
        failed = await self._load(processors, is_current)
        if not is_current():
            return  # revoked while loading: the next assignment continues
        for processor, error in failed.items():
            processor.fail(error)
        if self._standby is not None:
            self._standby.follow_all_except(processor.id for processor in processors)
        self._state.ready.set()
        self._on_ready()

    async def revoked(self) -> None:
        """Let every processor finish its transaction and suspend it. Tables are kept: most partitions come back at once."""
        self._state.ready.clear()
        self._state.epoch += 1
        if self._standby is not None:
            self._standby.pause()
        producers = await asyncio.gather(*(processor.suspend() for processor in self._state.processors.values()))
        await stop_producers(producers)

    def reserve(self, tp: TP, fetched: FetchedBatch) -> None:
        """Reserve room for a batch that is on its way to its processor through Faust's streams."""
        processor = self._state.by_source.get(tp)
        if processor is not None:
            processor.buffer.reserve(fetched)

    def offer(self, tp: TP, fetched: FetchedBatch) -> None:
        """Hand a batch to its processor."""
        processor = self._state.by_source.get(tp)
        if processor is not None:
            processor.offer(fetched)

    def partitions_with_room(self) -> tuple[set[TP], bool]:
        """Return the partitions to fetch, whose processors have room, and whether those are all live ones."""
        live = {
            tp: processor
            for tp, processor in self._state.by_source.items()
            if processor.status is PartitionStatus.LIVE and not self._at_stop(tp, processor)
        }
        for tp, processor in self._state.by_source.items():
            if processor.leading and self._at_stop(tp, processor):  # what lies beyond is not waited for
                processor.leading.pop(self._names.plain(tp.topic), None)
        tps = {
            tp
            for tp, processor in live.items()
            if processor.has_room and (not processor.leading or processor.is_next(self._names.plain(tp.topic)))
        }
        return tps, len(tps) == len(live)

    def stop_of(self, tp: TP) -> int | None:
        """Return the position that nothing is read beyond, or None."""
        return self._stops.get(tp)

    def _at_stop(self, tp: TP, processor: PartitionProcessor) -> bool:
        """Say whether all up to its stop has been read, or is in the queue."""
        stop = self._stops.get(tp)
        if stop is None:
            return False
        topic = self._names.plain(tp.topic)
        return max(processor.positions.get(topic, 0), processor.buffer.end_of(topic)) >= stop

    def positions(self) -> dict[TP, int]:
        """Return the position of each live partition."""
        processors = self._state.by_source.values()
        return self._state.positions_of(processor for processor in processors if processor.status is PartitionStatus.LIVE)

    def fetch_failed(self, error: Exception) -> None:
        """Stop a partition whose position is no longer in the log; the client retries after any other error."""
        if isinstance(error, NoOffsetForPartitionError):
            return  # the client looked for an offset before the engine has set the position
        if not isinstance(error, OffsetOutOfRangeError):
            log.warning("fetch failed", error=type(error).__name__)
            return
        for tp, position in dict(error.args[0]).items():
            processor = self._state.by_source.get(TP(tp.topic, tp.partition))
            if processor is not None:
                topic = self._names.plain(tp.topic)
                processor.stop(MissingRecords(
                    f"partition {tp.partition} of {topic}: position {position} is no longer in the log: records were deleted "
                    "before they were read (retention or truncation). Restore them, or rebuild the agent and accept the loss."
                ))  # fmt: skip

    async def close(self) -> None:
        """Cancel the processors' loops and close their stores."""
        loops = list(self._loops.values())
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        self._loops.clear()
        for processor in self._state.processors.values():
            processor.close_store()

    def _processor(self, agent: Agent, partition: int) -> PartitionProcessor:
        processor = self._state.processors.get((agent.name, partition))
        if processor is None:
            processor = PartitionProcessor(agent, partition, limits=self._limits, host=self._host)
            self._state.processors[processor.id] = processor
            loop = BatchLoop(processor, names=self._names, limits=self._limits, host=self._host)
            task = asyncio.create_task(loop.run(), name=repr(processor))
            task.add_done_callback(self._on_loop_done)
            self._loops[processor] = task
        return processor

    def _on_loop_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._state.fatal(error if isinstance(error, Exception) else RuntimeError(repr(error)))

    def _close_others(self, assigned: Collection[PartitionProcessor]) -> None:
        """Close the processors that are not assigned any more; their stores may continue as standby copies."""
        for partition_id, processor in list(self._state.processors.items()):
            if processor not in assigned:
                self._loops.pop(processor).cancel()
                if self._standby is not None and processor.store_open:
                    self._standby.add_store(partition_id, processor.detach_store())
                processor.close_store()
                del self._state.processors[partition_id]

    async def _load(
        self, processors: Collection[PartitionProcessor], is_current: Callable[[], bool]
    ) -> dict[PartitionProcessor, Exception]:
        """Load processors, and return those that have to be loaded again with the reason."""
        try:
            return dict(await self._loader.load(processors, is_current))
        except (KafkaError, OSError, TimeoutError) as error:  # each processor is loaded again until the broker is back
            return {processor: error for processor in processors if processor.status is PartitionStatus.LOADING}
        except MustStop as error:  # such as a changelog that no release has written
            self._state.fatal(error)
            return {}
