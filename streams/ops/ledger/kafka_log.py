"""The topics of access on a cluster, up to where they end now. Reading them disturbs nobody: there is no group and no write."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from connectors.backup.source_cluster import Ranges, source_cluster
from connectors.kafka.pulled_ranges import PulledRanges, pulled_ranges, starts_at
from connectors.kafka.ranges import OffsetRange
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TopicMissing
from schemas.message import Message
from schemas.partition import partition_of
from streams.ops.ledger.access_log import FACTS, FINDINGS, FINDINGS_JSON, LEDGER, STATE

_EARLIER_MS: Final = 3_600_000  # a record's own time is its producer's, and log time the broker's: their clocks may differ
OF_VERIFY: Final = (FACTS, FINDINGS, STATE)
OF_REPLAY: Final = (FACTS, FINDINGS, FINDINGS_JSON, STATE)


class KafkaLog:
    """Implements `AccessLog`."""

    def __init__(self, reader: PulledRanges, settled: Ranges, ranges: Ranges, counts: Mapping[str, int], cluster: str) -> None:
        self.cluster = cluster
        self.ranges = ranges
        self.counts = counts  # of partitions, also of those that are not read
        self._reader = reader
        self._settled = settled

    def partitions(self, topic: str) -> Sequence[int]:
        return self._reader.partitions(topic)

    def read(self, topic: str, partition: int) -> AsyncIterator[Sequence[Message]]:
        return self._reader.read(topic, partition)

    def settled(self, topic: str) -> Mapping[int, int]:
        return {number: each.end for number, each in self._settled.get(topic, {}).items()}


@asynccontextmanager
async def kafka_log(
    kafka: KafkaSettings, topics: Sequence[str], *, since: int | None = None, tenant: str | None = None
) -> AsyncIterator[KafkaLog]:
    """Yield the ledger and these topics as committed by now; with `since` (ms) from there on, with `tenant` only the partitions that have it.

    All that the ledger has is in the other topics, and all that these follow from in the facts, since ends are looked up in that order. What the
    topics had before is `settled`: its transactions have ended, so the ledger has it. Raises Unavailable, and TopicMissing where the installation has no such topics.
    """
    async with source_cluster(kafka) as cluster:
        settled = await cluster.ranges([topic for topic in topics if topic not in (FACTS, STATE)])
        ranges = await cluster.ranges([LEDGER])
        ranges |= await cluster.ranges([topic for topic in topics if topic != FACTS])
        ranges |= await cluster.ranges([FACTS] if FACTS in topics else [])
        name = await cluster.cluster_id()
    if missing := [topic for topic in (LEDGER, *topics) if topic not in ranges]:
        raise TopicMissing(
            f"There is no topic {kafka.topic(missing[0])} at {kafka.bootstrap}. Run: intercom-streams topics apply"
        )
    counts = {topic: len(numbers) for topic, numbers in ranges.items()}
    if tenant is not None:
        ranges = {topic: _of_tenant(topic, numbers, tenant) for topic, numbers in ranges.items()}
    if since is not None:
        moving = {topic: each for topic, each in ranges.items() if topic != STATE}
        ranges |= await starts_at(kafka, moving, since - _EARLIER_MS)
    async with pulled_ranges(kafka, ranges) as reader:
        yield KafkaLog(reader, settled, ranges, counts, name)


def _of_tenant(topic: str, numbers: Mapping[int, OffsetRange], tenant: str) -> dict[int, OffsetRange]:
    """Return the partition of the topics whose key begins with the tenant alone; a finding's key names the account too."""
    if topic in (FINDINGS, FINDINGS_JSON):
        return dict(numbers)
    own = partition_of(tenant.encode(), len(numbers))
    return {own: numbers[own]}
