"""Follow the changelogs of partitions that other workers own, so that a copy of a table is here when its partition moves here.

A copy that becomes an owner's store is restored like any other, from its bookmark at that time. So it may be behind, but it must
never be wrong up to its bookmark. While partitions are assigned, and while this worker's own tables are restored, nothing is
followed.
"""

import asyncio
from collections.abc import Iterable, Mapping

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from schemas.errors import StoreFailed
from streams.engine.agent import Agent
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionId
from streams.engine.recovery.changelog_reader import ChangelogReader, partition_counts, tombstone_retention
from streams.engine.recovery.restoration import Restoration
from streams.engine.tables.store import StandbyStores, Store

log = structlog.get_logger(__name__)

_FETCHED_BYTES = 16 << 20  # that wait in the consumer, compressed: copies are not urgent
_GRACE_SECONDS = 2.0  # to end between two polls
_RETRY_SECONDS = 5.0  # after the broker or a disk has failed


class Standby:
    """Copies of the tables of some agents, of all partitions that this worker does not own."""

    def __init__(
        self, agents: Iterable[Agent], *, kafka: KafkaSettings, names: Naming, limits: Limits, standby_stores: StandbyStores
    ) -> None:
        self._agents = tuple(agents)
        self._kafka = kafka
        self._names = names
        self._limits = limits
        self._standby_stores = standby_stores
        self._stores: dict[PartitionId, Store] = {}
        self._following: dict[TopicPartition, Restoration] = {}
        self._owned: frozenset[PartitionId] = frozenset()
        self._active = asyncio.Event()
        self._epoch = 0  # counts changes of what is to be followed
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    def pause(self) -> None:
        """Follow nothing until the next `follow_all_except`."""
        self._epoch += 1
        self._active.clear()

    def follow_all_except(self, owned: Iterable[PartitionId]) -> None:
        """Follow all partitions except these."""
        self._owned = frozenset(owned)
        self._epoch += 1
        self._active.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="standby")

    def add_store(self, partition_id: PartitionId, store: Store) -> None:
        """Continue with the store of a partition that moved to another worker."""
        released = self._standby_stores.release(store)
        if (previous := self._stores.pop(partition_id, None)) is not None:
            previous.close()
        if released is not None:
            self._stores[partition_id] = released

    async def promote(self, agent: str, partition: int) -> Store | None:
        """Return the copy of a partition that this worker owns now, if there is one."""
        store = self._stores.pop((agent, partition), None)
        restoration = self._following.pop(self._names.changelog_partition(agent, partition), None)
        if store is None:
            return None
        try:
            if restoration is not None:
                restoration.save_as_of()
            return await self._standby_stores.promote(agent, partition, store)
        except StoreFailed as error:
            log.warning("copy of a table failed", agent=agent, partition=partition, reason=str(error))
            store.close()
            return None

    def lag(self) -> Mapping[PartitionId, int]:
        """Return how many changelog offsets each copy is behind."""
        return {
            partition_id: max(0, restoration.end - restoration.position)
            for partition_id in self._stores
            if (restoration := self._following.get(self._names.changelog_partition(*partition_id))) is not None
        }

    async def close(self) -> None:
        """Stop following and close the copies."""
        self._closing = True
        self._epoch += 1
        self._active.set()
        if self._task is not None:
            # Let it end by itself: if cancelled while connecting, aiokafka leaves connections open.
            _, late = await asyncio.wait({self._task}, timeout=_GRACE_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for store in self._stores.values():
            store.close()
        self._stores.clear()

    async def _run(self) -> None:
        while True:
            await self._active.wait()
            if self._closing:
                return
            epoch = self._epoch
            try:
                await self._follow(epoch)
                if epoch == self._epoch:  # there is nothing to follow
                    self._active.clear()
            except (KafkaError, OSError, TimeoutError, StoreFailed) as error:
                reason = str(error) if isinstance(error, StoreFailed) else None
                log.warning("copies of tables are not followed for now", error=type(error).__name__, reason=reason)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _follow(self, epoch: int) -> None:
        """Follow the changelogs of all partitions that are not owned, until the epoch changes."""
        self._following = {}
        topics = {agent.name: self._names.changelog_partition(agent.name, 0).topic for agent in self._agents}
        counts = await partition_counts(self._kafka, topics)
        to_follow = [(agent, p) for agent, count in counts.items() for p in range(count) if (agent, p) not in self._owned]
        for partition_id in self._stores.keys() - set(to_follow):
            self._stores.pop(partition_id).close()
        await self._open_missing(to_follow, epoch)
        if epoch != self._epoch or not to_follow:
            return
        stores = {self._names.changelog_partition(*partition_id): self._stores[partition_id] for partition_id in to_follow}
        async with admin_client(self._kafka) as admin:
            retention = await tombstone_retention(admin, (tp.topic for tp in stores))
        async with ChangelogReader(self._kafka, self._limits, partitions=len(stores), fetched_bytes=_FETCHED_BYTES) as reader:
            restorations = await reader.prepare(stores, retention)
            if epoch != self._epoch:
                return
            self._following = restorations
            await reader.follow(restorations, retention, lambda: epoch == self._epoch)
        if epoch == self._epoch:
            self._close_failed()

    async def _open_missing(self, to_follow: Iterable[PartitionId], epoch: int) -> None:
        for partition_id in to_follow:
            if epoch == self._epoch and partition_id not in self._stores:
                self._stores[partition_id] = await self._standby_stores.open_standby(*partition_id)

    def _close_failed(self) -> None:
        """Close the first copy whose disk failed and raise its error; the next round opens a new copy."""
        for partition_id in list(self._stores):
            restoration = self._following.get(self._names.changelog_partition(*partition_id))
            if restoration is not None and restoration.failed is not None:
                self._stores.pop(partition_id).close()
                raise restoration.failed
