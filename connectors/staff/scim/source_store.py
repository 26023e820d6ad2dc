"""One source on the fact log: reads are as new as the log, writes are one at a time among all instances, and read back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

from connectors.kafka.exclusive_writer import ExclusiveWriter
from connectors.kafka.fact_follower import FactFollower
from connectors.kafka.fact_log import fact_record
from connectors.kafka.settings import KafkaSettings
from connectors.observability.metrics import SCIM_FACTS
from connectors.staff.scim.facts import TenantSource
from connectors.staff.scim.resource_directory import ResourceDirectory
from schemas.access.facts import Fact
from schemas.codec import Avro


class SourceStore:
    """The directory of a source, and its way to the log. The follower feeds the directory."""

    def __init__(self, kafka: KafkaSettings, avro: Avro, origin: TenantSource, follower: FactFollower) -> None:
        self.origin = origin
        self.directory = ResourceDirectory()
        self._avro = avro
        self._follower = follower
        self._writer = ExclusiveWriter(kafka, f"scim.{origin.tenant}.{origin.scim.source}")
        self._writing = asyncio.Lock()
        self._current = False  # nothing of this source is in the log that the directory lacks, as far as this instance leads

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
        async with self._writing:
            if await self._writer.lead() or not self._current:
                self._current = False
                await self._follower.catch_up(self.origin.tenant, decided=True)
                self._current = True
            yield

    async def write(self, facts: Sequence[Fact]) -> None:
        """Write all facts or none, and return once the directory has them. To be called within `writing`."""
        self._current = False
        await self._writer.commit([fact_record(self._avro, fact) for fact in facts])
        SCIM_FACTS.inc(len(facts))
        await self._follower.catch_up(self.origin.tenant, decided=True)
        self._current = True

    async def close(self) -> None:
        """Stop leading."""
        await self._writer.close()
