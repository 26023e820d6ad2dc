"""Read where a partition stands and what its table holds: fence the owner before, then positions, then the changelog."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from schemas.errors import StoreFailed
from streams.engine.limits import Limits
from streams.engine.recovery.restoration import Restoration
from streams.engine.tables.store import Store

log = structlog.get_logger(__name__)

_RECORDS_AT_FIRST = 16  # nothing is known of their size yet
_RECORDS_AT_ONCE = 2_000  # taken between two looks at the event loop: some 10 ms …
_BYTES_AT_ONCE = 8 << 20  # … of large ones fewer, as the last ones were
_FETCHED_BYTES = 64 << 20  # that wait here, compressed, of all partitions together
_LEAST_FETCH = 64 << 10  # of one partition
_STALLED_SECONDS = 30.0  # without a single step of any partition; then a new consumer tries
_LOOK_SECONDS = 1.0  # between two looks where the logs end
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
    async with admin_client(kafka) as admin:
        offsets = await admin.list_consumer_group_offsets(group)
    return {place: found.offset for place, found in offsets.items() if found.offset >= 0}


async def tombstones_kept(kafka: KafkaSettings, topics: Iterable[str]) -> Mapping[str, int]:
    """Return for how many ms broker topics keep tombstones at least."""
    async with admin_client(kafka) as admin:
        answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic) for topic in sorted(set(topics))])
    found = {name: dict(entry[:2] for entry in entries) for answer in answers for _, _, _, name, entries in answer.resources}
    return {name: int(settings.get("delete.retention.ms") or 0) for name, settings in found.items()}


async def partitions_of(kafka: KafkaSettings, topics: Mapping[str, str]) -> Mapping[str, int]:
    """Count the partitions of broker topics, under the names given to them."""
    async with admin_client(kafka) as admin:
        found = {each["topic"]: len(each["partitions"]) for each in await admin.describe_topics(sorted(topics.values()))}
    return {name: found.get(topic, 0) for name, topic in topics.items()}


class LogBounds:
    """First and next offset of some partitions, as a `read_committed` reader sees them."""

    def __init__(self, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> None:
        self.starts = starts
        self.ends = ends


class ChangelogReader:
    """A consumer of its own, outside the group. `partitions` is how many it will read at a time: they share what may be fetched."""

    def __init__(self, kafka: KafkaSettings, limits: Limits, *, partitions: int, fetched_bytes: int = _FETCHED_BYTES) -> None:
        self._consumer = AIOKafkaConsumer(
            **kafka.client(),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=max(_LEAST_FETCH, min(limits.fetch_bytes, fetched_bytes // max(1, partitions))),
            fetch_max_bytes=fetched_bytes,
        )
        self._most = min(_RECORDS_AT_FIRST, _RECORDS_AT_ONCE)

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
        except BaseException:  # broken off: what is connected already is closed
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def bounds(self, places: Iterable[TopicPartition]) -> LogBounds:
        """Return where logs begin and end."""
        wanted = list(places)
        starts, ends = await asyncio.gather(self._consumer.beginning_offsets(wanted), self._consumer.end_offsets(wanted))
        return LogBounds(starts, ends)

    async def begin(
        self, stores: Mapping[TopicPartition, Store], tombstones: Mapping[str, int]
    ) -> dict[TopicPartition, Restoration]:
        """Go to where each store is to be read on. `tombstones` are the ms that `tombstones_kept` tells."""
        if not stores:
            return {}
        now = int(time.time() * 1000)
        self._consumer.assign(list(stores))
        bounds = await self.bounds(stores)
        restored = {
            place: Restoration(
                store,
                oldest=oldest_relied_on(now, tombstones.get(place.topic, 0)),
                now=now,
                log_begins=bounds.starts[place],
                log_ends=bounds.ends[place],
            )
            for place, store in stores.items()
        }
        await self._consumer.seek_to_beginning(*restored)
        for place, one in restored.items():
            if one.start_offset is not None:
                self._consumer.seek(place, one.start_offset)
        return restored

    async def restore(
        self, restored: Mapping[TopicPartition, Restoration], wanted: Callable[[], bool], told: Callable[[], None]
    ) -> AsyncGenerator[TopicPartition, None]:
        """Read changelog partitions to their end and yield each as it is done. Ends are positions: the last offset is a marker.

        It is broken off when no longer `wanted`; what was read then stays in the stores, and is read on from the next time.
        `told` is called after each step of the way. Raises TimeoutError where nothing comes any more: a consumer that has lost its way in
        a cluster that changes waits for ever, a new one does not.
        """
        left = set(restored)
        reached, moved = (-1, 0), time.monotonic()
        while left and wanted():
            for place in [place for place in left if await self._done(place, restored[place])]:
                left.discard(place)
                yield place
            if left and wanted():
                await self._take_next(left, restored, wanted, timeout_ms=200)
                told()
            if (now := (sum(one.at for one in restored.values()), len(left))) != reached:
                reached, moved = now, time.monotonic()
            elif time.monotonic() - moved > _STALLED_SECONDS:
                raise TimeoutError(f"nothing came of {len(left)} changelog partitions for {_STALLED_SECONDS:.0f} s")

    async def follow(
        self, restored: Mapping[TopicPartition, Restoration], tombstones: Mapping[str, int], wanted: Callable[[], bool]
    ) -> None:
        """Read on without an end while `wanted`, at most half of the time. Partitions may be taken out of `restored` meanwhile."""
        looked = 0.0
        while wanted() and restored:
            if time.monotonic() - looked >= _LOOK_SECONDS:
                await self._look(restored, tombstones)
                looked = time.monotonic()
            places = [place for place, one in restored.items() if not one.abandoned]
            if not places or any(one.failed for one in restored.values()):
                return
            busy = await self._take_next(places, restored, wanted, timeout_ms=500)
            await asyncio.sleep(busy)

    async def _look(self, restored: Mapping[TopicPartition, Restoration], tombstones: Mapping[str, int]) -> None:
        """Learn where logs end, and up to when each copy is right; one that is too old is read anew."""
        now = time.time() * 1000
        for place, one in list(restored.items()):
            end, seen = self._consumer.last_stable_offset(place), self._consumer.last_poll_timestamp(place)
            one.at = await self._position(place)
            if end is not None and end >= 0:
                one.ends = end
                if one.at >= end and not one.unverified:
                    one.as_of = max(one.as_of, seen)
            one.mark_stale(oldest_relied_on(now, tombstones.get(place.topic, 0)))

    async def _take_next(
        self,
        places: Collection[TopicPartition],
        restored: Mapping[TopicPartition, Restoration],
        wanted: Callable[[], bool],
        *,
        timeout_ms: int,
    ) -> float:
        """Take what is there, so much that memory stays bounded and the event loop gets its turn; return the seconds that took."""
        found = await self._consumer.getmany(*places, timeout_ms=timeout_ms, max_records=self._most)
        started = time.monotonic()
        for place, records in found.items():
            if place in restored and wanted():  # else the store may be another's by now
                await self._take(place, restored[place], records)
        self._most = _fitting(found.values())
        await asyncio.sleep(0)
        return time.monotonic() - started

    async def _done(self, place: TopicPartition, one: Restoration) -> bool:
        """Say whether nothing is left to read; one that came to its end without seeing its bookmark again starts over first."""
        one.at = await self._position(place)
        if one.at >= one.ends and one.unverified and not one.abandoned:
            await self._start_over(place, one)
            one.at = await self._position(place)
        return one.abandoned or one.at >= one.ends

    async def _position(self, place: TopicPartition) -> int:
        async with asyncio.timeout(_STALLED_SECONDS):
            return int(await self._consumer.position(place))

    async def _take(self, place: TopicPartition, one: Restoration, records: Sequence[Any]) -> None:
        try:
            if not one.take(records):
                await self._start_over(place, one)
        except StoreFailed as error:
            one.failed = error

    async def _start_over(self, place: TopicPartition, one: Restoration) -> None:
        log.info("reading a changelog from its beginning", topic=place.topic, partition=place.partition)
        try:
            one.start_over()
        except StoreFailed as error:
            one.failed = error
        else:
            await self._consumer.seek_to_beginning(place)


def oldest_relied_on(now: float, tombstones_ms: int) -> float:
    """Return how old a bookmark may be (ms since 1970) that is read on from where tombstones are kept for so long."""
    return now - tombstones_ms * _TOMBSTONES_KEPT


def _fitting(found: Iterable[Sequence[Any]]) -> int:
    """Return how many records to take next if they are like these."""
    sizes = [len(record.value or b"") for records in found for record in records]
    return max(1, min(_RECORDS_AT_ONCE, _BYTES_AT_ONCE * len(sizes) // (sum(sizes) + 1))) if sizes else _RECORDS_AT_ONCE
