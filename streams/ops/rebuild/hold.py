"""Make agents stand still for a rebuild, for as long as its process lives and a little longer."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.errors import BadConfiguration
from schemas.generations import GenerationsEntry, Hold, RebuildEntry
from streams.ops.generations.state import GenerationsState, GenerationsWriter, writing

HOLD_SECONDS = 30.0  # after its last renewal workers take a hold back
_RENEWED_SECONDS = 5.0


class HeldAgents:
    """A hold. Another process that takes it over fences this one, whose next `write` raises Unavailable."""

    def __init__(self, writer: GenerationsWriter, rebuild: RebuildEntry, agents: Sequence[str]) -> None:
        self._writer = writer
        self._rebuild = rebuild
        self._agents = tuple(agents)
        self._lock = asyncio.Lock()
        self._final = bool(rebuild.swapped)
        self._ended = False

    @property
    def state(self) -> GenerationsState:
        """What is written."""
        return self._writer.state

    async def renew(self) -> None:
        """Hold for a while more, or without end once the swap has begun."""
        async with self._lock:
            if not self._ended:
                await self._writer.write(self._hold())

    async def append(self, records: Sequence[TopicRecord]) -> None:
        """Append records to topics of the generation that is built: nothing is decided by them."""
        async with self._lock:
            await self._writer.write(records=records)

    async def write(self, entry: RebuildEntry, records: Sequence[TopicRecord]) -> None:
        """Write records of the swap with how far it is. From the first on the hold has no end."""
        async with self._lock:
            first, self._final = not self._final, True
            await self._writer.write(entry, *([self._hold()] if first else []), records=records)

    async def end(self, *entries: GenerationsEntry) -> None:
        """Write the last entries, and release the agents with them."""
        async with self._lock:
            self._ended = True
            await self._writer.write(*entries, release=True)

    async def release(self) -> None:
        """Release the agents, unless the swap has begun: then they wait until it is complete."""
        if not self._ended and not self._final:
            await self.end()

    def _hold(self) -> Hold:
        until = None if self._final else int((time.time() + HOLD_SECONDS) * 1000)
        return Hold(self._rebuild.id, self._agents, until)


@asynccontextmanager
async def holding(kafka: KafkaSettings, rebuild: RebuildEntry, agents: Sequence[str]) -> AsyncIterator[HeldAgents]:
    """Hold agents for a rebuild inside the block. Raises BadConfiguration where another rebuild holds some."""
    async with writing(kafka) as writer:
        hold = writer.state.hold
        if hold is not None and hold.rebuild != rebuild.id and not writer.state.expired(time.time_ns() // 1_000_000):
            raise BadConfiguration(
                f"rebuild {hold.rebuild} has stopped agents to compare or to swap; wait until it is done, or end it"
            )
        held = HeldAgents(writer, writer.state.rebuilds.get(rebuild.id, rebuild), agents)
        await held.renew()
        renewing = asyncio.create_task(_renew(held))
        try:
            yield held
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await renewing
            await held.release()


async def _renew(held: HeldAgents) -> None:
    while True:
        await asyncio.sleep(_RENEWED_SECONDS)
        await held.renew()
