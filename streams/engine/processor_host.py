"""What processors call in the engine. Here a failed transaction ends: `on_failed` loads its processor again.

`PartitionProcessor.fail` → `EngineProcessorHost.on_failed` → after a pause `Loader.load`, which fences, restores and opens the
processor → `EngineLoaderHost.on_loaded`, which reads its sources from the committed positions.
"""

import asyncio
from collections.abc import Callable, Mapping

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerFenced

from schemas.errors import MustStop, StoreFailed
from streams.engine.faust_types import TP
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import CommitStats, PartitionProcessor, PartitionStatus
from streams.engine.partition.transaction import TransactionTimedOut
from streams.engine.recovery.fencing import stop_producers
from streams.engine.recovery.generation_guard import GenerationHeld
from streams.engine.recovery.loader import Loader
from streams.engine.recovery.producer_clients import ProducerClients
from streams.engine.state import EngineState

log = structlog.get_logger(__name__)


class EngineProcessorHost:
    """Implement `streams.engine.partition.processor.ProcessorHost`."""

    def __init__(
        self,
        state: EngineState,
        *,
        loader: Loader,
        clients: ProducerClients,
        names: Naming,
        limits: Limits,
        on_commit: Callable[[CommitStats], None],
        on_failure: Callable[[str, str], None],
        traces: bool,
    ) -> None:
        self._state = state
        self._loader = loader
        self._clients = clients
        self._names = names
        self._limits = limits
        self._on_commit = on_commit
        self._on_failure = on_failure
        self.traces = traces
        self._reloads: set[asyncio.Task[None]] = set()
        self._partition_counts: dict[str, int] = {}

    async def seek(self, processor: PartitionProcessor, topic: str, position: int) -> None:
        """Continue to read the processor's partition of the topic from that position."""
        assert self._state.seeker is not None
        await self._state.seeker.seek_to({TP(self._names.source(processor.agent.name, topic), processor.partition): position})

    def on_failed(self, processor: PartitionProcessor, error: Exception) -> None:
        """Load the processor again, until it is live or its partition is revoked."""
        if isinstance(error, GenerationHeld):
            processor.reason = str(error)
        else:
            cause = _cause_of(error)
            _log_failure(cause, processor, error)
            self._on_failure(processor.agent.name, cause)
        if not isinstance(error, StoreFailed | ProducerFenced | GenerationHeld) and processor.producer is not None:
            self._clients.retire(processor.producer.client)
        task = asyncio.create_task(self._reload(processor))
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)

    def fatal(self, error: Exception) -> None:
        """Ask the process to stop."""
        self._state.fatal(error)

    async def partitions(self, topic: str) -> int:
        """Return a broker topic's number of partitions; it is fixed at the topic's creation, so it is requested once."""
        if topic not in self._partition_counts:
            processors = self._state.by_source.values()
            producer = next(processor.producer for processor in processors if processor.producer is not None)
            self._partition_counts[topic] = len(await producer.partitions_for(topic))
        return self._partition_counts[topic]

    def committed(self, stats: CommitStats) -> None:
        """Report a committed transaction."""
        self._on_commit(stats)

    def written(self, positions: Mapping[tuple[str, int], int]) -> None:
        """Have those of this process expect committed records."""
        for (topic, partition), position in positions.items():
            processor = self._state.by_source.get(TP(topic, partition))
            if processor is not None:
                processor.expect(self._names.plain(topic), position)

    async def close(self) -> None:
        """Cancel the reloads."""
        reloads = list(self._reloads)
        for task in reloads:
            task.cancel()
        await asyncio.gather(*reloads, return_exceptions=True)

    async def _reload(self, processor: PartitionProcessor) -> None:
        is_current = self._state.until_revoked()
        while True:
            await asyncio.sleep(self._limits.reload_seconds)
            if not is_current() or not self._needs_reload(processor):
                return  # an assignment has loaded it meanwhile, or will
            await stop_producers([await self._take_producer(processor)])
            try:
                for error in (await self._loader.load([processor], is_current, only_failed=True)).values():
                    raise error  # noqa: TRY301  # load itself raises when the broker is away
            except MustStop as error:
                self._state.fatal(error)
                return
            except GenerationHeld as held:
                processor.status, processor.reason = PartitionStatus.FAILED, str(held)
            except Exception as error:  # noqa: BLE001  # broker away: try again until the partition is revoked
                if not is_current():
                    return
                processor.status = PartitionStatus.FAILED
                _log_failure("reload failed", processor, error)

    def _needs_reload(self, processor: PartitionProcessor) -> bool:
        return processor.status is PartitionStatus.FAILED and processor in self._state.by_source.values()

    async def _take_producer(self, processor: PartitionProcessor) -> AIOKafkaProducer | None:
        async with processor.lock:
            if processor.status is not PartitionStatus.FAILED:
                return None
            producer, processor.producer = processor.producer, None
            return producer


def _cause_of(error: Exception) -> str:
    if isinstance(error, StoreFailed):
        return "table failed"
    return "transaction timed out" if isinstance(error, TransactionTimedOut) else "transaction failed"


def _log_failure(cause: str, processor: PartitionProcessor, error: Exception) -> None:
    log.warning(
        "partition failed",
        cause=cause,
        agent=processor.agent.name,
        partition=processor.partition,
        error=type(error).__name__,
        reason=str(error)
        if isinstance(error, StoreFailed | TransactionTimedOut)
        else None,  # the text of other errors may quote records
    )
