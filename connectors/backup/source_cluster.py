"""The cluster a backup is taken from: which topics it has, where they end, and how far groups have read."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.errors import KafkaError

from connectors.kafka.admin import admin_client
from connectors.kafka.clients import Consumer, started
from connectors.kafka.decided_ends import decided_ends
from connectors.kafka.ranges import OffsetRange, partitions_of
from connectors.kafka.settings import KafkaSettings

Ranges = dict[str, dict[int, OffsetRange]]
Positions = dict[str, dict[int, int]]


class SourceCluster:
    """A consumer and an administrative client. Names are without prefix."""

    def __init__(self, kafka: KafkaSettings, consumer: Consumer, admin: Any) -> None:
        self._kafka = kafka
        self._consumer = consumer
        self._admin = admin

    async def cluster_id(self) -> str:
        """Return the id that the cluster gave itself."""
        return str((await self._admin.describe_cluster()).get("cluster_id", ""))

    async def ranges(self, topics: Collection[str]) -> Ranges:
        """Return what each partition holds now, once all of it is decided: transactions under way are waited for.

        Raises Unavailable as `decided_ends` does.
        """
        partitions = await partitions_of(self._consumer, *map(self._kafka.topic, topics))
        starts, ends = await self._consumer.beginning_offsets(partitions), await decided_ends(self._consumer, partitions)
        found: Ranges = {topic: {} for topic in topics}
        for each in partitions:
            found[each.topic.removeprefix(self._kafka.topic_prefix)][each.partition] = OffsetRange(starts[each], ends[each])
        return {topic: numbers for topic, numbers in found.items() if numbers}

    async def groups(self, topics: Collection[str]) -> dict[str, Positions]:
        """Return the positions that consumer groups have committed on these topics; groups without any are left out."""
        partitions = await partitions_of(self._consumer, *map(self._kafka.topic, topics))
        found: dict[str, Positions] = {}
        for name, *_ in await self._admin.list_consumer_groups():
            committed = await self._admin.list_consumer_group_offsets(name, partitions=partitions)
            positions: Positions = {}
            for each, at in committed.items():
                if at.offset >= 0:
                    topic = each.topic.removeprefix(self._kafka.topic_prefix)
                    positions.setdefault(topic, {})[each.partition] = at.offset
            if positions:
                found[name] = positions
        return found


@asynccontextmanager
async def source_cluster(kafka: KafkaSettings) -> AsyncIterator[SourceCluster]:
    """Yield the cluster. Raises Unavailable where it does not answer."""
    try:
        async with (
            started(Consumer(kafka, isolation_level="read_committed", enable_auto_commit=False)) as consumer,
            admin_client(kafka) as admin,
        ):
            yield SourceCluster(kafka, consumer, admin)
    except (KafkaError, OSError) as error:
        raise kafka.unavailable(error) from error
