"""One load of some processors: what it has fenced and read, the locks it holds, and the engine around it."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Protocol

from aiokafka import AIOKafkaProducer, TopicPartition

from streams.engine.partition.processor import PartitionProcessor
from streams.engine.recovery.changelog_reader import LogBounds
from streams.engine.recovery.fencing import stop_producers
from streams.engine.recovery.restoration import Restoration
from streams.engine.tables.store import Store


class LoaderHost(Protocol):
    """What a load calls in the engine around it."""

    async def store_of(self, agent: str, partition: int) -> Store:
        """Open the table's store, or return the standby copy where there is one."""

    def is_owned(self, processor: PartitionProcessor) -> bool:
        """Say whether the processor still belongs to the engine."""

    def processors(self) -> Iterable[PartitionProcessor]:
        """Return all processors of the engine."""

    async def on_loaded(self, processors: Collection[PartitionProcessor]) -> None:
        """Read the sources of these processors, which are live now."""

    def fatal(self, error: Exception) -> None:
        """Ask the process to stop."""


class LoadAttempt:
    """The state of one load. It opens nothing after `is_current` returns False, because the partitions were revoked then."""

    def __init__(self, is_current: Callable[[], bool]) -> None:
        self.is_current = is_current
        self.locked: set[PartitionProcessor] = set()
        self.producers: dict[PartitionProcessor, AIOKafkaProducer] = {}  # those that no processor has taken yet
        self.offsets: Mapping[str, Mapping[TopicPartition, int]] = {}  # by group
        self.bounds = LogBounds({}, {})
        self.restorations: Mapping[TopicPartition, Restoration] = {}

    async def lock(self, processors: Iterable[PartitionProcessor]) -> None:
        """Wait for earlier loads of these processors: always in the same order, so that two loads never wait for each other."""
        for processor in sorted(processors, key=lambda processor: processor.id):
            await processor.loading.acquire()
            self.locked.add(processor)

    def unlock(self, processor: PartitionProcessor) -> None:
        """Let other loads begin with the processor."""
        if processor in self.locked:
            self.locked.remove(processor)
            processor.loading.release()

    async def end(self) -> None:
        """Stop the producers that no processor took, and release the locks."""
        try:
            await stop_producers(self.producers.values())
        finally:
            for processor in list(self.locked):
                self.unlock(processor)
