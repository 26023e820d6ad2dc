"""The state that the assignment, loads and processors of one engine share. All of it is used on one event loop."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from streams.engine.faust_types import TP
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionId, PartitionProcessor


class Seeker(Protocol):
    """The consumer, as far as the engine needs it."""

    async def seek_to(self, positions: Mapping[TP, int]) -> None: ...


class EngineState:
    """The processors of this process, which of them read what, and whether the engine is ready or has failed."""

    def __init__(self, names: Naming) -> None:
        self.processors: dict[PartitionId, PartitionProcessor] = {}
        self.by_source: dict[TP, PartitionProcessor] = {}  # of the current assignment
        self.epoch = 0  # counts revocations
        self.ready = asyncio.Event()
        self.fatal_error: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self.seeker: Seeker | None = None
        self._names = names

    def fatal(self, error: Exception) -> None:
        """Ask the process to stop; the first error counts."""
        if not self.fatal_error.done():
            self.fatal_error.set_result(error)

    def until_revoked(self) -> Callable[[], bool]:
        """Return a function that is true until the next revocation: what was loaded before it must not be opened after it."""
        epoch = self.epoch
        return lambda: epoch == self.epoch

    def positions_of(self, processors: Iterable[PartitionProcessor]) -> dict[TP, int]:
        """Return the positions of processors by source partition."""
        return {
            TP(self._names.source(processor.agent.name, topic), processor.partition): position
            for processor in processors
            for topic, position in processor.positions.items()
        }
