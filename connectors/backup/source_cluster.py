"""The cluster a backup is taken from: which topics it has, where they end, and how far groups have read."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.admin import admin_client
from connectors.kafka.clients import Consumer, started
from connectors.kafka.ranges import OffsetRange, partitions_of
from connectors.kafka.settings import KafkaSettings
from schemas.errors import Unavailable

_DECIDED_S: Final = 90.0  # above the longest transaction.timeout of this product's own producers
_POLL_S: Final = 0.05

Ranges = dict[str, dict[int, OffsetRange]]
Positions = dict[str, dict[int, int]]


class SourceCluster:
    """Two consumers, one of which sees undecided transactions too, and an administrative client. Names are without prefix."""

    def __init__(self, kafka: KafkaSettings, committed: Any, written: Any, admin: Any) -> None:
        self._kafka = kafka
        self._committed = committed
        self._written = written
        self._admin = admin

    async def cluster_id(self) -> str:
        """Return the id that the cluster gave itself."""
        return str((await self._admin.describe_cluster()).get("cluster_id", ""))

    async def ranges(self, topics: Collection[str]) -> Ranges:
        """Return what each partition holds now, once all of it is decided: transactions under way are waited for.

        A commit is answered before all of its partitions say so, hence an end without this wait may lack half of one.
        """
        partitions = await partitions_of(self._written, *map(self._kafka.topic, topics))
        starts, ends = await self._written.beginning_offsets(partitions), await self._written.end_offsets(partitions)
        try:
            async with asyncio.timeout(_DECIDED_S):
                while open_ := _undecided(ends, await self._committed.end_offsets(partitions)):  # noqa: ASYNC110  # Kafka sets no event
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise Unavailable(
                f"a transaction on {open_[0].topic} (partition {open_[0].partition}) is open since {_DECIDED_S:.0f} s, so nothing "
                "behind it can be read; `intercom-streams doctor` shows which"
            ) from None
        found: Ranges = {topic: {} for topic in topics}
        for each in partitions:
            found[each.topic.removeprefix(self._kafka.topic_prefix)][each.partition] = OffsetRange(starts[each], ends[each])
        return {topic: numbers for topic, numbers in found.items() if numbers}

    async def groups(self, topics: Collection[str]) -> dict[str, Positions]:
        """Return the positions that consumer groups have committed on these topics; groups without any are left out."""
        partitions = await partitions_of(self._written, *map(self._kafka.topic, topics))
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


def _undecided(ends: Mapping[TopicPartition, int], committed: Mapping[TopicPartition, int]) -> list[TopicPartition]:
    return [each for each, end in ends.items() if committed[each] < end]


@asynccontextmanager
async def source_cluster(kafka: KafkaSettings) -> AsyncIterator[SourceCluster]:
    """Yield the cluster. Raises Unavailable where it does not answer."""
    try:
        async with (
            started(Consumer(kafka, isolation_level="read_committed", enable_auto_commit=False)) as committed,
            started(Consumer(kafka, isolation_level="read_uncommitted", enable_auto_commit=False)) as written,
            admin_client(kafka) as admin,
        ):
            yield SourceCluster(kafka, committed, written, admin)
    except (KafkaError, OSError) as error:
        raise kafka.unavailable(error) from error
