"""Follow the changelogs of partitions that other workers own, so that a table is at hand when its partition moves here.

A copy is no owner: it is restored like any other store when it becomes one, from the bookmark it has by then. So it need not be right
to the last record, only never wrong up to its bookmark. While partitions are handed out, and while our own tables are restored, nothing
is followed.
"""

import asyncio
from collections.abc import Iterable, Mapping

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.settings import KafkaSettings
from schemas.errors import StoreFailed
from streams.engine.agent import Agent
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.recovery.changelog_reader import ChangelogReader, partitions_of, tombstones_kept
from streams.engine.recovery.restoration import Restoration
from streams.engine.tables.store import StandbyStores, Store

log = structlog.get_logger(__name__)

_FETCHED_BYTES = 16 << 20  # that wait here, compressed: nobody waits for a copy
_GRACE_SECONDS = 2.0  # to end at a good moment
_RETRY_SECONDS = 5.0  # after the broker or a disk has failed

PartitionId = tuple[str, int]
"""An agent's partition."""


class Standby:
    """Copies of the tables of some agents, of all partitions but our own."""

    def __init__(
        self, agents: Iterable[Agent], *, kafka: KafkaSettings, names: Naming, limits: Limits, spares: StandbyStores
    ) -> None:
        self._agents = tuple(agents)
        self._kafka = kafka
        self._names = names
        self._limits = limits
        self._standby_stores = spares
        self._stores: dict[PartitionId, Store] = {}
        self._following: dict[TopicPartition, Restoration] = {}
        self._owned: frozenset[PartitionId] = frozenset()
        self._going = asyncio.Event()
        self._round = 0  # counts changes of what is to be followed
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def pause(self) -> None:
        """Follow nothing for now."""
        self._round += 1
        self._going.clear()

    def follow_all_but(self, owned: Iterable[PartitionId]) -> None:
        """Go on with all partitions but these."""
        self._owned = frozenset(owned)
        self._round += 1
        self._going.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="standby")

    def keep_store(self, agent: str, partition: int, store: Store) -> None:
        """Take the store of a partition that was lost to another worker."""
        kept = self._standby_stores.release(store)
        if (before := self._stores.pop((agent, partition), None)) is not None:
            before.close()
        if kept is not None:
            self._stores[agent, partition] = kept

    async def taken(self, agent: str, partition: int) -> Store | None:
        """Hand over the copy of a partition that is ours now, if there is one."""
        store = self._stores.pop((agent, partition), None)
        one = self._following.pop(self._place(agent, partition), None)
        if store is None:
            return None
        try:
            if one is not None:
                one.settle()
            return await self._standby_stores.promoted(agent, partition, store)
        except StoreFailed as error:
            log.warning("copy of a table failed", agent=agent, partition=partition, reason=str(error))
            store.close()
            return None

    def lag(self) -> Mapping[PartitionId, int]:
        """Return how many changelog offsets each copy is behind."""
        return {
            place: max(0, one.ends - one.at)
            for place in self._stores
            if (one := self._following.get(self._place(*place))) is not None
        }

    async def close(self) -> None:
        """Stop following and give the copies up."""
        self._closing = True
        self._round += 1
        self._going.set()
        if self._task is not None:
            # It may end by itself: aiokafka leaves connections open that are cancelled while they are made.
            _, late = await asyncio.wait({self._task}, timeout=_GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for store in self._stores.values():
            store.close()
        self._stores.clear()

    # Inside

    async def _run(self) -> None:
        while True:
            await self._going.wait()
            if self._closing:
                return
            this = self._round
            try:
                await self._follow(this)
                if this == self._round:  # there is nothing to follow
                    self._going.clear()
            except (KafkaError, OSError, TimeoutError, StoreFailed) as error:
                reason = str(error) if isinstance(error, StoreFailed) else None
                log.warning("copies of tables are not followed for now", error=type(error).__name__, reason=reason)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self, this: int) -> None:
        """Follow what is to be followed, until that changes."""
        self._following = {}
        counts = await partitions_of(self._kafka, {agent.name: self._place(agent.name, 0).topic for agent in self._agents})
        wanted = [(agent, p) for agent, count in counts.items() for p in range(count) if (agent, p) not in self._owned]
        for place in self._stores.keys() - set(wanted):
            self._stores.pop(place).close()
        await self._open(wanted, this)
        if this != self._round or not wanted:
            return
        stores = {self._place(*place): self._stores[place] for place in wanted}
        tombstones = await tombstones_kept(self._kafka, (place.topic for place in stores))
        async with ChangelogReader(self._kafka, self._limits, partitions=len(stores), fetched_bytes=_FETCHED_BYTES) as reader:
            restored = await reader.begin(stores, tombstones)
            if this != self._round:
                return
            self._following = restored
            await reader.follow(restored, tombstones, lambda: this == self._round)
        if this == self._round:
            self._give_up()

    async def _open(self, wanted: Iterable[PartitionId], this: int) -> None:
        for place in wanted:
            if this == self._round and place not in self._stores:
                self._stores[place] = await self._standby_stores.spare(*place)

    def _give_up(self) -> None:
        """Close the copies whose disk failed, and say so."""
        for agent, partition in list(self._stores):
            one = self._following.get(self._place(agent, partition))
            if one is not None and one.failed is not None:
                self._stores.pop((agent, partition)).close()
                raise one.failed

    def _place(self, agent: str, partition: int) -> TopicPartition:
        return TopicPartition(self._names.topic(self._names.changelog(agent)), partition)
