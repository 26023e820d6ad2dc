"""What a load calls in the engine: stores for tables, and the consumer once processors are live."""

from collections.abc import Collection, Iterable

from streams.engine.partition.processor import PartitionProcessor
from streams.engine.recovery.standby import Standby
from streams.engine.state import EngineState
from streams.engine.tables.store import OpenStore, Store


class EngineLoaderHost:
    """Implement `streams.engine.recovery.load_attempt.LoaderHost`."""

    def __init__(self, state: EngineState, *, open_store: OpenStore, standby: Standby | None) -> None:
        self._state = state
        self._open_store = open_store
        self._standby = standby

    async def store_of(self, agent: str, partition: int) -> Store:
        """Open a table's store, or return the standby copy where there is one."""
        copy = None if self._standby is None else await self._standby.promote(agent, partition)
        return copy or await self._open_store(agent, partition)

    def is_owned(self, processor: PartitionProcessor) -> bool:
        """Say whether the processor still belongs to the engine."""
        return self._state.processors.get(processor.id) is processor

    def processors(self) -> Iterable[PartitionProcessor]:
        """Return all processors of the engine."""
        return self._state.processors.values()

    async def on_loaded(self, processors: Collection[PartitionProcessor]) -> None:
        """Read the sources of these processors from their positions: each joins the live ones when its table is restored."""
        if self._state.seeker is not None and processors:
            await self._state.seeker.seek_to(self._state.positions_of(processors))

    def fatal(self, error: Exception) -> None:
        """Ask the process to stop."""
        self._state.fatal(error)
