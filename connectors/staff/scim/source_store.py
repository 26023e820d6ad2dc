"""One source on the fact log: reads are as new as the log, writes are one at a time among all instances, and read back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Final

from connectors.kafka.exclusive_writer import ExclusiveWriter
from connectors.kafka.fact_follower import FactFollower
from connectors.kafka.fact_log import fact_record
from connectors.observability.metrics import SCIM_FACTS
from connectors.staff.scim.facts import TenantSource
from connectors.staff.scim.resource_directory import ResourceDirectory
from schemas.access.facts import Fact
from schemas.codec import Avro
from schemas.errors import Unavailable

_ENCODED: Final = 100  # facts encoded before other requests are looked at: a large group has ten thousand
_WAIT_S: Final = 10.0


class SourceStore:
    """The directory of a source, and its way to the log. The follower feeds the directory."""

    def __init__(self, origin: TenantSource, avro: Avro, follower: FactFollower, writer: ExclusiveWriter) -> None:
        self.origin = origin
        self.directory = ResourceDirectory()
        self._avro = avro
        self._follower = follower
        self._writer = writer
        self._writing = asyncio.Lock()
        self._current = False  # while this instance leads, nothing of the source can be in the log that the directory lacks

    def receive(self, fact: Fact) -> None:
        """Apply the next fact of this source from the log. Raises InvalidRecord for one that this server cannot have written."""
        self.directory.apply(fact)

    async def reading(self) -> None:
        """Return once the directory has everything that any instance has answered for. Raises Unavailable."""
        await self._follower.catch_up(self.origin.tenant)

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Write alone in this process, with a directory that has everything in the log.

        `write` raises LeadLost where another instance took the lead since: then nothing was written, and the directory may be old.
        """
        async with self._alone():
            await self._writer.lead()
            if not self._current:
                await self._follower.catch_up(self.origin.tenant, decided=True)
                self._current = True
            yield

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Wait for the writes of this process that came before; while Kafka is away they must not become a queue."""
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._writing.acquire()
        except TimeoutError:
            raise Unavailable("Writes to this source wait for each other too long. The same request may be made again.") from None
        try:
            yield
        finally:
            self._writing.release()

    async def write(self, facts: Sequence[Fact]) -> None:
        """Write all facts or none, and return once the directory has them. To be called within `writing`."""
        self._current = False
        records = []
        for fact in facts:
            records.append(fact_record(self._avro, fact))
            if len(records) % _ENCODED == 0:
                await asyncio.sleep(0)
        await self._writer.commit(records)
        SCIM_FACTS.inc(len(facts))
        await self._follower.catch_up(self.origin.tenant, decided=True)
        self._current = True

    async def close(self) -> None:
        """Stop leading."""
        await self._writer.close()
