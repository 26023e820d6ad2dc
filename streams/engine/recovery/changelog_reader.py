"""Read changelogs into stores, with a consumer outside the group, and what the cluster says about offsets and topics."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Self

import structlog
from aiokafka import TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from connectors.kafka.admin import admin_client
from connectors.kafka.clients import Consumer
from connectors.kafka.settings import KafkaSettings
from schemas.errors import StoreFailed
from streams.engine.limits import Limits
from streams.engine.recovery.restoration import Restoration
from streams.engine.tables.store import Store

log = structlog.get_logger(__name__)

_FIRST_POLL_RECORDS = 16  # before the size of any record is known
_MAX_POLL_RECORDS = 2_000  # applied between two returns to the event loop: some 10 ms …
_MAX_POLL_BYTES = 8 << 20  # … fewer if the last ones were large
_FETCHED_BYTES = 64 << 20  # that wait in the consumer, compressed, for all partitions together
_MIN_FETCH_BYTES = 64 << 10  # of one partition
_STALLED_SECONDS = 30.0  # without progress in any partition; then a new consumer tries
_END_CHECK_SECONDS = 1.0  # between two checks of where the logs end
_TOMBSTONE_SHARE = 0.9  # of `delete.retention.ms` is relied on: clocks differ, and reading takes a while


async def group_offsets(admin: Any, group: str) -> Mapping[TopicPartition, int]:
    """Return the group's committed offsets. Fence the owners first, so that no commit is still on its way."""
    offsets = await admin.list_consumer_group_offsets(group)
    return {tp: metadata.offset for tp, metadata in offsets.items() if metadata.offset >= 0}


async def tombstone_retention(admin: Any, topics: Iterable[str]) -> Mapping[str, int]:
    """Return for how many ms each broker topic keeps tombstones at least."""
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic) for topic in sorted(set(topics))])
    configs = {name: dict(entry[:2] for entry in entries) for answer in answers for _, _, _, name, entries in answer.resources}
    return {name: int(config.get("delete.retention.ms") or 0) for name, config in configs.items()}


async def partition_counts(kafka: KafkaSettings, topics: Mapping[str, str]) -> Mapping[str, int]:
    """Count the partitions of broker topics, by the key of each topic in `topics`."""
    async with admin_client(kafka) as admin:
        counts = {each["topic"]: len(each["partitions"]) for each in await admin.describe_topics(sorted(topics.values()))}
    return {key: counts.get(topic, 0) for key, topic in topics.items()}


class LogBounds:
    """First and next offset of some partitions, as a `read_committed` reader sees them."""

    def __init__(self, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> None:
        self.starts = starts
        self.ends = ends


class ChangelogReader:
    """A consumer outside the group. `partitions` is how many it reads at a time: they share the fetched bytes."""

    def __init__(self, kafka: KafkaSettings, limits: Limits, *, partitions: int, fetched_bytes: int = _FETCHED_BYTES) -> None:
        self._consumer = Consumer(
            kafka,
            request_timeout_ms=limits.request_timeout_ms,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=max(_MIN_FETCH_BYTES, min(limits.fetch_bytes, fetched_bytes // max(1, partitions))),
            fetch_max_bytes=fetched_bytes,
        )
        self._poll_records = min(_FIRST_POLL_RECORDS, _MAX_POLL_RECORDS)

    async def __aenter__(self) -> Self:
        try:
            await self._consumer.start()
        except BaseException:  # cancelled or failed: close the connections made so far
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def bounds(self, tps: Iterable[TopicPartition]) -> LogBounds:
        """Return where logs begin and end."""
        partitions = list(tps)
        starts, ends = await asyncio.gather(self._consumer.beginning_offsets(partitions), self._consumer.end_offsets(partitions))
        return LogBounds(starts, ends)

    async def prepare(
        self, stores: Mapping[TopicPartition, Store], retention: Mapping[str, int]
    ) -> dict[TopicPartition, Restoration]:
        """Seek to where each store is to be read from. `retention` is the result of `tombstone_retention`."""
        if not stores:
            return {}
        now = int(time.time() * 1000)
        self._consumer.assign(list(stores))
        bounds = await self.bounds(stores)
        restorations = {
            tp: Restoration(
                store,
                oldest=oldest_relied_on(now, retention.get(tp.topic, 0)),
                now=now,
                log_start=bounds.starts[tp],
                log_end=bounds.ends[tp],
            )
            for tp, store in stores.items()
        }
        await self._consumer.seek_to_beginning(*restorations)
        for tp, restoration in restorations.items():
            if restoration.start_offset is not None:
                self._consumer.seek(tp, restoration.start_offset)
        return restorations

    async def restore(
        self, restorations: Mapping[TopicPartition, Restoration], is_current: Callable[[], bool], on_step: Callable[[], None]
    ) -> AsyncGenerator[TopicPartition, None]:
        """Read changelog partitions to their ends and yield each when done. Ends are positions: the last offset is a marker.

        It stops as soon as `is_current` returns False; the stores keep what was read, and the next restoration continues from
        there. `on_step` is called after each poll. Raises TimeoutError where nothing arrives any more: a consumer that has lost
        track of a changing cluster waits without end, a new one does not.
        """
        remaining = set(restorations)
        state, changed_at = (-1, 0), time.monotonic()
        while remaining and is_current():
            for tp in [tp for tp in remaining if await self._is_done(tp, restorations[tp])]:
                remaining.discard(tp)
                yield tp
            if remaining and is_current():
                await self._poll(remaining, restorations, is_current, timeout_ms=200)
                on_step()
            if (now := (sum(restoration.position for restoration in restorations.values()), len(remaining))) != state:
                state, changed_at = now, time.monotonic()
            elif time.monotonic() - changed_at > _STALLED_SECONDS:
                raise TimeoutError(f"nothing came of {len(remaining)} changelog partitions for {_STALLED_SECONDS:.0f} s")

    async def follow(
        self, restorations: Mapping[TopicPartition, Restoration], retention: Mapping[str, int], is_current: Callable[[], bool]
    ) -> None:
        """Read without end while `is_current`, at most half of the time. The caller may remove `restorations` meanwhile."""
        checked_at = 0.0
        while is_current() and restorations:
            if time.monotonic() - checked_at >= _END_CHECK_SECONDS:
                await self._check_ends(restorations, retention)
                checked_at = time.monotonic()
            tps = [tp for tp, restoration in restorations.items() if not restoration.abandoned]
            if not tps or any(restoration.failed for restoration in restorations.values()):
                return
            busy = await self._poll(tps, restorations, is_current, timeout_ms=500)
            await asyncio.sleep(busy)

    async def _check_ends(self, restorations: Mapping[TopicPartition, Restoration], retention: Mapping[str, int]) -> None:
        """Update where logs end and up to when each copy is right; a copy that is too old will be read from the start."""
        now = time.time() * 1000
        for tp, restoration in list(restorations.items()):
            end, polled_at = self._consumer.last_stable_offset(tp), self._consumer.last_poll_timestamp(tp)
            restoration.position = await self._position(tp)
            if end is not None and end >= 0:
                restoration.end = end
                if restoration.position >= end and not restoration.unverified:
                    restoration.as_of = max(restoration.as_of, polled_at)
            restoration.mark_stale(oldest_relied_on(now, retention.get(tp.topic, 0)))

    async def _poll(
        self,
        tps: Collection[TopicPartition],
        restorations: Mapping[TopicPartition, Restoration],
        is_current: Callable[[], bool],
        *,
        timeout_ms: int,
    ) -> float:
        """Apply fetched records, in bounded number for the sake of memory and the event loop; return the seconds that took."""
        fetched = await self._consumer.getmany(*tps, timeout_ms=timeout_ms, max_records=self._poll_records)
        started = time.monotonic()
        for tp, records in fetched.items():
            if tp in restorations and is_current():  # else the store may have another owner by now
                await self._apply(tp, restorations[tp], records)
        self._poll_records = _poll_records_like(fetched.values())
        await asyncio.sleep(0)
        return time.monotonic() - started

    async def _is_done(self, tp: TopicPartition, restoration: Restoration) -> bool:
        """Say whether nothing remains to be read; a restoration that reached the end without its bookmark starts over first."""
        restoration.position = await self._position(tp)
        if restoration.position >= restoration.end and restoration.unverified and not restoration.abandoned:
            await self._start_over(tp, restoration)
            restoration.position = await self._position(tp)
        return restoration.abandoned or restoration.position >= restoration.end

    async def _position(self, tp: TopicPartition) -> int:
        async with asyncio.timeout(_STALLED_SECONDS):
            return int(await self._consumer.position(tp))

    async def _apply(self, tp: TopicPartition, restoration: Restoration, records: Sequence[Any]) -> None:
        try:
            if not restoration.apply(records):
                await self._start_over(tp, restoration)
        except StoreFailed as error:
            restoration.failed = error

    async def _start_over(self, tp: TopicPartition, restoration: Restoration) -> None:
        log.info("reading a changelog from its beginning", topic=tp.topic, partition=tp.partition)
        try:
            restoration.start_over()
        except StoreFailed as error:
            restoration.failed = error
        else:
            await self._consumer.seek_to_beginning(tp)


def oldest_relied_on(now: float, retention_ms: int) -> float:
    """Return the oldest bookmark (ms since 1970) to continue from where tombstones are kept for `retention_ms`."""
    return now - retention_ms * _TOMBSTONE_SHARE


def _poll_records_like(fetched: Iterable[Sequence[Any]]) -> int:
    """Return how many records to poll next if they are like these."""
    sizes = [len(record.value or b"") for records in fetched for record in records]
    return max(1, min(_MAX_POLL_RECORDS, _MAX_POLL_BYTES * len(sizes) // (sum(sizes) + 1))) if sizes else _MAX_POLL_RECORDS
