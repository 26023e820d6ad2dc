"""Bring a partition's table back: fence the owner before, read where the table stands, and restore it from its changelog.

A store with a bookmark is read on from there, if the log still has that very record; what else it holds was true at that record, and
reading the rest in order makes it true now. One thing could be missed: a row deleted after the bookmark whose tombstone has been
compacted away. Tombstones are kept for `delete.retention.ms`, so a bookmark older than that counts only if nothing follows it.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from connectors.kafka import KafkaSettings
from schemas.errors import StoreFailed
from streams.engine import positions
from streams.engine.limits import Limits
from streams.engine.positions import Standing
from streams.engine.store import Bookmark, Store

log = structlog.get_logger(__name__)

_RECORDS_AT_ONCE = 20_000  # restored between two looks at the event loop
_TOMBSTONES_KEPT = 0.9  # of `delete.retention.ms` is relied on: clocks differ, and reading takes a while


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


async def tombstones_kept(kafka: KafkaSettings, topics: Iterable[str]) -> Mapping[str, int]:
    """Return for how many ms broker topics keep tombstones at least."""
    admin = AIOKafkaAdminClient(**kafka.client())
    await admin.start()
    try:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic) for topic in sorted(set(topics))])
    finally:
        await admin.close()
    found = {name: dict(entry[:2] for entry in entries) for answer in answers for _, _, _, name, entries in answer.resources}
    return {name: int(settings.get("delete.retention.ms") or 0) for name, settings in found.items()}


class Restored:
    """One changelog partition read to its end, into a store."""

    def __init__(self, store: Store, *, oldest: float, log_begins: int = 0) -> None:
        self.store = store
        self._log_begins = log_begins
        self.cut_at = 0 if store.bookmark is not None else log_begins  # where a log begins that cannot give the table back, or 0
        self.standing = Standing()
        self.records = 0
        self.failed: StoreFailed | None = None
        self._awaited = store.bookmark
        self._stale = store.bookmark is not None and store.bookmark.timestamp < oldest

    @property
    def begin(self) -> int | None:
        """Where to read: the bookmark's own record, which must be seen again, or None for the log's beginning."""
        return None if self._awaited is None else self._awaited.offset

    @property
    def given_up(self) -> bool:
        """Say whether reading on is of no use."""
        return self.failed is not None or self.cut_at > 0

    @property
    def doubtful(self) -> bool:
        """Say whether the log has not shown the bookmark's record."""
        return self._awaited is not None

    def start_over(self) -> None:
        """Forget what the store held, to be read from the log's beginning; where the log has lost that, the store may be the last copy."""
        if self._log_begins > 0:
            self.cut_at = self._log_begins
            return
        self.store.clear()
        self.standing, self.records = Standing(), 0
        self._awaited, self._stale = None, False

    def take(self, records: Sequence[Any]) -> bool:
        """Apply changelog records in order; values stay bytes. False means that the store cannot be trusted: start over."""
        if self._awaited is not None and _bookmark_of(records[0]) != self._awaited:
            return False
        self._awaited = None
        self.records += len(records)
        if self._stale and self.records > 1:
            return False
        changes: dict[str, bytes | None] = {}
        last: Any = None
        for record in records:
            if record.key == positions.KEY:
                last = record
            else:
                changes[record.key.decode()] = record.value
        if last is not None:
            self.standing = positions.decode(last.value)
        self.store.apply(changes, None if last is None else _bookmark_of(last))
        return True


def _bookmark_of(record: Any) -> Bookmark | None:
    return Bookmark(record.offset, record.timestamp, record.value) if record.key == positions.KEY else None


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
        self, stores: Mapping[TopicPartition, Store], progress: Callable[[int], None], tombstones: Mapping[str, int]
    ) -> dict[TopicPartition, Restored]:
        """Read changelog partitions from their stores' bookmarks to their end. Ends are positions: the last offset is a marker.

        `tombstones` are the ms that `tombstones_kept` tells. A restoration that was broken off goes on from what the store then holds.
        """
        now = time.time() * 1000
        if not stores:
            return {}
        self._consumer.assign(list(stores))
        starts, ends = await asyncio.gather(
            self._consumer.beginning_offsets(list(stores)), self._consumer.end_offsets(list(stores))
        )
        restored = {
            place: Restored(store, oldest=now - tombstones.get(place.topic, 0) * _TOMBSTONES_KEPT, log_begins=starts[place])
            for place, store in stores.items()
        }
        await self._consumer.seek_to_beginning(*restored)
        for place, one in restored.items():
            if one.begin is not None:
                self._consumer.seek(place, one.begin)
        left = set(restored)
        while left := await self._unread(left, restored, ends):
            for place, records in (await self._consumer.getmany(*left, timeout_ms=200, max_records=_RECORDS_AT_ONCE)).items():
                await self._take(place, restored[place], records)
            progress(sum(one.records for one in restored.values()))
            await asyncio.sleep(0)
        return restored

    async def _unread(
        self, places: Iterable[TopicPartition], restored: Mapping[TopicPartition, Restored], ends: Mapping[TopicPartition, int]
    ) -> set[TopicPartition]:
        """Return those not at their end; one that came there without seeing its bookmark again starts over first."""
        left = set()
        for place in places:
            if restored[place].given_up:
                continue
            at_end = await self._consumer.position(place) >= ends[place]
            if at_end and restored[place].doubtful:
                await self._start_over(place, restored[place])
                at_end = await self._consumer.position(place) >= ends[place]
            if not at_end and not restored[place].given_up:
                left.add(place)
        return left

    async def _take(self, place: TopicPartition, one: Restored, records: Sequence[Any]) -> None:
        try:
            if not one.take(records):
                await self._start_over(place, one)
        except StoreFailed as error:
            one.failed = error

    async def _start_over(self, place: TopicPartition, one: Restored) -> None:
        log.info("reading a changelog from its beginning", topic=place.topic, partition=place.partition)
        try:
            one.start_over()
        except StoreFailed as error:
            one.failed = error
        else:
            await self._consumer.seek_to_beginning(place)
