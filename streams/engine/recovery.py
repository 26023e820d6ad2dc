"""Bring a partition's table back: fence the owner before, read where the table stands, and restore it from its changelog."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from connectors.kafka import KafkaSettings
from streams.engine import positions
from streams.engine.limits import Limits
from streams.engine.positions import Standing
from streams.engine.store import MemoryStore, Store

log = structlog.get_logger(__name__)

_RECORDS_AT_ONCE = 20_000  # restored between two looks at the event loop


async def fenced_producer(kafka: KafkaSettings, transactional_id: str, limits: Limits) -> AIOKafkaProducer:
    """Start the producer of a partition. Its start fences every older one of that id and ends its open transaction first."""
    producer = AIOKafkaProducer(
        **kafka.client(),
        transactional_id=transactional_id,
        transaction_timeout_ms=limits.transaction_timeout_ms,
        linger_ms=0,
        max_batch_size=512 << 10,
        max_request_size=8 << 20,
        compression_type="zstd",
        retry_backoff_ms=50,
    )
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer


async def committed(kafka: KafkaSettings, group: str) -> Mapping[TopicPartition, int]:
    """Return the group's offsets. Owners are fenced before this is asked, so nothing is still on its way."""
    admin = AIOKafkaAdminClient(**kafka.client())
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()
    return {place: found.offset for place, found in offsets.items() if found.offset >= 0}


class Restored:
    """One changelog partition read to its end."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.standing = Standing()
        self.records = 0

    def take(self, records: Iterable[Any]) -> None:
        """Apply changelog records in order; values stay bytes."""
        changes: dict[str, bytes | None] = {}
        for record in records:
            self.records += 1
            if record.key == positions.KEY:
                self.standing = positions.decode(record.value)
            else:
                changes[record.key.decode()] = record.value
        self.store.apply(changes)


class Bounds:
    """First and next offset of some partitions, as a `read_committed` reader sees them."""

    def __init__(self, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> None:
        self.starts = starts
        self.ends = ends


class Reader:
    """A consumer of its own, outside the group, for one round of recovery."""

    def __init__(self, kafka: KafkaSettings, limits: Limits) -> None:
        self._consumer = AIOKafkaConsumer(
            **kafka.client(),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=limits.fetch_bytes,
            fetch_max_bytes=64 << 20,
        )

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def bounds(self, places: Iterable[TopicPartition]) -> Bounds:
        """Return where logs begin and end."""
        wanted = list(places)
        starts, ends = await asyncio.gather(self._consumer.beginning_offsets(wanted), self._consumer.end_offsets(wanted))
        return Bounds(starts, ends)

    async def restore(
        self, changelogs: Iterable[TopicPartition], progress: Callable[[int], None], new_store: Callable[[], Store] = MemoryStore
    ) -> dict[TopicPartition, Restored]:
        """Read changelog partitions from their beginning to their end. Ends are positions: the last offset is a marker, no record."""
        restored = {place: Restored(new_store()) for place in changelogs}
        if not restored:
            return restored
        self._consumer.assign(list(restored))
        ends = await self._consumer.end_offsets(list(restored))
        await self._consumer.seek_to_beginning(*restored)
        left = set(restored)
        while left := {place for place in left if await self._consumer.position(place) < ends[place]}:
            for place, records in (await self._consumer.getmany(*left, timeout_ms=200, max_records=_RECORDS_AT_ONCE)).items():
                restored[place].take(records)
            progress(sum(one.records for one in restored.values()))
            await asyncio.sleep(0)
        return restored
