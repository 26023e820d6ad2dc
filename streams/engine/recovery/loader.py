"""Load processors: fence, read their positions, restore their tables, and let each go live as soon as its own table is restored.

A load is interrupted when its partitions are revoked. The stores keep what it read, with a bookmark, so the next load continues
from there, however often workers join and leave meanwhile.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from typing import Any

from aiokafka import TopicPartition

from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from schemas.errors import StoreFailed, Unavailable
from streams.engine.encodings import Encodings
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionProcessor, PartitionStatus
from streams.engine.recovery.changelog_reader import ChangelogReader, group_offsets, tombstone_retention
from streams.engine.recovery.fencing import fence
from streams.engine.recovery.generation_guard import GenerationGuard, GenerationHeld
from streams.engine.recovery.load_attempt import LoadAttempt, LoaderHost
from streams.engine.recovery.opener import Opener
from streams.engine.recovery.producer_clients import ProducerClients
from streams.engine.recovery.progress import RestoreDone, RestoreProgress
from streams.engine.recovery.progress_reporter import RestoreReporter
from streams.engine.tables.store import Store

_GRACE_SECONDS = 5.0  # for loads to end when the process ends


class Loader:
    """Load processors for one engine."""

    def __init__(
        self,
        *,
        kafka: KafkaSettings,
        names: Naming,
        limits: Limits,
        encodings: Encodings,
        clients: ProducerClients,
        host: LoaderHost,
        guard: GenerationGuard | None,
        on_progress: Callable[[RestoreProgress | RestoreDone], None],
    ) -> None:
        self._kafka = kafka
        self._names = names
        self._limits = limits
        self._clients = clients
        self._host = host
        self._guard = guard
        self._opener = Opener(names=names, encodings=encodings, host=host)
        self._reporter = RestoreReporter(on_progress)
        self._attempts: set[LoadAttempt] = set()
        self._idle = asyncio.Event()

    async def load(
        self, processors: Collection[PartitionProcessor], is_current: Callable[[], bool], *, only_failed: bool = False
    ) -> dict[PartitionProcessor, Unavailable]:
        """Load processors, and return those whose disk fails, and those that stand still for a rebuild.

        Fence first, then read: once the new producer has started, no older one can change what is read. When `is_current` returns
        False, because the partitions were revoked, nothing more is read or opened.
        """
        processors = [processor for processor in processors if processor.status is not PartitionStatus.STOPPED]
        attempt = LoadAttempt(is_current)
        self._attempts.add(attempt)
        self._idle.clear()
        try:
            await attempt.lock(processors)
            if only_failed:  # the load before may have succeeded
                processors = [processor for processor in processors if processor.status is PartitionStatus.FAILED]
            held = self._held(processors)  # to fence for them would only disturb the rebuild
            processors = [processor for processor in processors if processor not in held]
            if not processors or not is_current():
                return held
            async with self._connected(processors, attempt) as (admin, reader):
                return held | await self._load_fenced(processors, attempt, admin, reader)
        finally:
            for processor in processors:
                self._reporter.discard(processor)
            await attempt.end()
            self._attempts.remove(attempt)
            if not self._attempts:
                self._idle.set()

    async def wait_until_idle(self) -> None:
        """Give outdated loads a moment to end: if cancelled while connecting, aiokafka leaves connections open."""
        if self._attempts:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), _GRACE_SECONDS)

    def progress(self) -> RestoreProgress | None:
        """Return how far tables are restored, or None where none is being restored."""
        return self._reporter.current()

    @contextlib.asynccontextmanager
    async def _connected(
        self, processors: list[PartitionProcessor], attempt: LoadAttempt
    ) -> AsyncIterator[tuple[Any, ChangelogReader]]:
        """Fence, and connect the clients that read, all at once: where a broker hangs, each waits for it before it tries another."""

        async def fenced() -> None:
            attempt.producers = await fence(processors, self._clients, self._names)

        async with contextlib.AsyncExitStack() as stack:
            admin = admin_client(self._kafka, request_timeout_ms=self._limits.request_timeout_ms)
            reader = ChangelogReader(self._kafka, self._limits, partitions=len(processors))
            connecting = (fenced(), stack.enter_async_context(admin), stack.enter_async_context(reader))
            results = await asyncio.gather(*connecting, return_exceptions=True)
            for result in results:
                if isinstance(result, BaseException):
                    raise result
            yield results[1], reader

    async def _load_fenced(
        self, processors: list[PartitionProcessor], attempt: LoadAttempt, admin: Any, reader: ChangelogReader
    ) -> dict[PartitionProcessor, Unavailable]:
        """Open processors whose tables are valid at once, and restore the others."""
        groups = {self._names.offsets_group(processor.agent.name) for processor in processors}
        attempt.offsets = {group: await group_offsets(admin, group) for group in groups}
        sources = [self._names.source_partitions(processor.agent, processor.partition) for processor in processors]
        control = [] if self._guard is None else [self._guard.control]
        attempt.bounds = await reader.bounds([*(tp for tps in sources for tp in tps.values()), *control])
        if self._guard is not None:
            await self._guard.read_to(attempt.bounds.ends[self._guard.control])
        held = self._held(processors)
        processors = [processor for processor in processors if processor not in held]
        valid = [processor for processor in processors if self._has_committed_table(processor, attempt)]
        await self._opener.open(valid, attempt)
        stale = [processor for processor in processors if processor not in valid]
        failed = await self._attach_stores(stale)
        restorable = {self._names.changelog_partition(*each.id): each for each in stale if each not in failed}
        bookmarked = [tp.topic for tp, processor in restorable.items() if processor.store.bookmark is not None]
        return held | failed | await self._restore(restorable, await tombstone_retention(admin, bookmarked), reader, attempt)

    def _held(self, processors: Collection[PartitionProcessor]) -> dict[PartitionProcessor, Unavailable]:
        if self._guard is None:
            return {}
        return {each: _held(each) for each in processors if self._guard.is_held(each.agent.name)}

    def _has_committed_table(self, processor: PartitionProcessor, attempt: LoadAttempt) -> bool:
        """Say whether the table in memory is the committed one: its positions then equal the group's."""
        if not processor.table_valid:
            return False
        sources = self._names.source_partitions(processor.agent, processor.partition)
        offsets = attempt.offsets[self._names.offsets_group(processor.agent.name)]
        return all(offsets.get(tp) == processor.positions.get(topic) for topic, tp in sources.items())

    async def _attach_stores(self, processors: list[PartitionProcessor]) -> dict[PartitionProcessor, Unavailable]:
        """Give each processor a working store, and return those for which there is none."""
        results = await asyncio.gather(*(self._attach_store(processor) for processor in processors))
        return {processor: error for processor, error in zip(processors, results, strict=True) if error is not None}

    async def _attach_store(self, processor: PartitionProcessor) -> StoreFailed | None:
        processor.table_valid = False
        if processor.store_open:
            return None
        processor.close_store()
        try:
            store = await self._host.store_of(processor.agent.name, processor.partition)
        except StoreFailed as error:
            return error
        if not self._host.is_owned(processor):  # revoked meanwhile: nothing else would close the store
            store.close()
            return StoreFailed("the partition was taken by another worker while its table was opened")
        processor.attach_store(store)
        return None

    async def _restore(
        self,
        by_changelog: Mapping[TopicPartition, PartitionProcessor],
        retention: Mapping[str, int],
        reader: ChangelogReader,
        attempt: LoadAttempt,
    ) -> dict[PartitionProcessor, Unavailable]:
        """Bring tables up to their changelogs and open each processor when its own table is restored."""
        stores = {tp: processor.store for tp, processor in by_changelog.items()}
        attempt.restorations = await reader.prepare(stores, retention)
        started = time.monotonic()
        self._reporter.add({processor: attempt.restorations[tp] for tp, processor in by_changelog.items()})
        failed: dict[PartitionProcessor, Unavailable] = {}
        rows = 0
        empty: list[PartitionProcessor] = []  # they take the encoding of their siblings, known once those are read
        async with contextlib.aclosing(
            reader.restore(attempt.restorations, attempt.is_current, self._reporter.report)
        ) as restored:
            async for tp in restored:
                processor, restoration = by_changelog[tp], attempt.restorations[tp]
                if restoration.failed is not None:
                    failed[processor] = restoration.failed
                    processor.close_store()
                elif restoration.commit_state.positions:
                    rows += _rows(processor.store)
                    await self._opener.open([processor], attempt)
                else:
                    empty.append(processor)
        await self._opener.open(empty, attempt)
        if by_changelog and attempt.is_current():
            records = sum(restoration.records for restoration in attempt.restorations.values())
            self._reporter.report_done(RestoreDone(rows, records, time.monotonic() - started))
        return failed


def _held(processor: PartitionProcessor) -> GenerationHeld:
    return GenerationHeld(f"the {processor.agent.name} agent stands still for a rebuild; it continues by itself")


def _rows(store: Store) -> int:
    try:
        return len(store)
    except StoreFailed:
        return 0  # the processor's own use of the store reports the error
