"""What a worker knows of the generations: which it runs, whether a rebuild holds some of its agents, and when another one is live."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import structlog
from aiokafka import TopicPartition

from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.errors import MustStop, Unavailable
from schemas.generations import TOPIC
from streams.ops.generations.state import GenerationsState, read_generations, release_expired

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 1.0
_RETRY_SECONDS = 2.0  # after Kafka was away


class GenerationReplaced(MustStop):
    """A rebuild has taken over from tables of this worker, which starts again with the rebuilt ones."""

    def __init__(self) -> None:
        super().__init__("a rebuild has taken over: starting again with its tables")


class GenerationWatch:
    """Implement `streams.engine.recovery.generation_guard.GenerationGuard` for the generations that were live at the start."""

    def __init__(self, kafka: KafkaSettings, state: GenerationsState) -> None:
        self.control = TopicPartition(kafka.topic(TOPIC), state.partition)
        self.replaced = asyncio.Event()
        self._kafka = kafka
        self._running = state.live
        self._state = state

    def is_held(self, agent: str) -> bool:
        """Say whether an agent stands still, as far as is known."""
        return agent in self._state.held

    async def read_to(self, end: int) -> None:
        """Learn what is written before that offset. Raises GenerationReplaced where other generations are live."""
        if end > self._state.end:
            self._state = await read_generations(self._kafka)
        if self._state.live != self._running:
            self.replaced.set()
            raise GenerationReplaced

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look for changes while the block runs: a worker without traffic learns of a takeover too."""
        task = asyncio.create_task(self._watch(), name="generations")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _watch(self) -> None:
        while True:
            try:
                async with open_ranges(self._kafka, self.control.topic, decided=False) as reader:
                    while True:
                        await self._look((await reader.bounds())[self.control.partition].end)
                        await asyncio.sleep(_LOOK_SECONDS)
            except GenerationReplaced:
                return
            except (Unavailable, TimeoutError):
                await asyncio.sleep(_RETRY_SECONDS)

    async def _look(self, end: int) -> None:
        await self.read_to(end)
        if self._state.expired(time.time_ns() // 1_000_000):
            log.warning(
                "a rebuild is gone that held agents; they continue", rebuild=self._state.hold and self._state.hold.rebuild
            )
            await release_expired(self._kafka)
