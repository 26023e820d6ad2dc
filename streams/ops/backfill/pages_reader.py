"""One process's part of a reading: pages are read side by side, and stored with what remains in one Kafka transaction."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.paging import InParts, Page
from connectors.intercom.rest.refusals import (
    AccessRefused,
    IntercomAway,
    ListingUnsteady,
    ObjectMissing,
    RequestRejected,
    ScrollTaken,
)
from connectors.intercom.rest.requests import RestRequest
from connectors.kafka.transaction import TopicRecord, Transactions
from connectors.observability import metrics
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.errors import IntercomStreamsError, InvalidRecord
from schemas.operations import BACKFILL_ENDED, BACKFILL_PROGRESSED
from streams.ops.backfill.journal import COMPLETED, Backfill, ObjectProgress, entry
from streams.ops.backfill.objects import OBJECTS, ReadingContext, page_records
from streams.ops.backfill.side_by_side import ReadPage, SideBySide

_RESTARTS: Final = 3  # of a listing that Intercom loses on the way
SIDE_BY_SIDE: Final = 16  # pages of one type of object that are read at a time; the budget decides how many calls there are
_TOGETHER: Final = 8  # pages in a transaction, where so many are read at a time: it costs as much for one
_COMPLETED_SIDE_BY_SIDE: Final = 4  # of a type whose objects are read one by one: they are held until a page is complete


class ReadingWatcher(NamedTuple):
    """Callbacks: for progress, made here or by the process that is followed, and whether to stop."""

    on_progress: Callable[[Backfill], None] = lambda _: None
    stopped: Callable[[], bool] = lambda: False


UNWATCHED: Final = ReadingWatcher()


class PagesReader:
    """One process's part of a backfill. Types of object are read side by side, each page by page."""

    def __init__(
        self,
        avro: Avro,
        client: RestClient,
        producer: Transactions,
        context: ReadingContext,
        backfill: Backfill,
        *,
        watcher: ReadingWatcher,
    ) -> None:
        self._avro, self._client, self._producer = avro, client, producer
        self._backfill, self._context, self._watcher = backfill, context, watcher
        self._unread: IntercomStreamsError | None = None
        self._one_at_a_time = asyncio.Lock()
        self._waiting: list[tuple[str, list[TopicRecord], ObjectProgress]] = []

    async def to_the_end(self) -> Backfill:
        """Read all that remains. Where a type of object cannot be read now, the others are read before its error is raised.

        A resync is complete without it: what is read of the others counts, and the next one reads the type from where it was complete.
        """
        try:
            async with asyncio.TaskGroup() as group:
                for name in self._backfill.objects:
                    group.create_task(self._read(name))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        if all(progress.done for progress in self._backfill.progress.values()):
            await self._enter(BACKFILL_ENDED, result=COMPLETED)
        else:
            await self._enter(BACKFILL_PROGRESSED, paused=True)
        if self._unread is not None:
            raise self._unread
        return self._backfill

    async def _enter(self, kind: str, **values: object) -> None:
        self._backfill = msgspec.structs.replace(self._backfill, updated=_now_ms(), **values)
        await self._producer.append([entry(self._avro, kind, self._backfill)])

    async def _read(self, name: str) -> None:
        try:
            await self._read_type(name)
        except (IntercomAway, ListingUnsteady, ScrollTaken, RequestRejected, ObjectMissing, InvalidRecord) as error:
            self._unread = self._unread or error
            if self._context.origin is Origin.RESYNC and await self._is_there(error):
                await self._store(name, [], msgspec.structs.replace(self._backfill.progress[name], unread=str(error)))

    async def _is_there(self, error: IntercomStreamsError) -> bool:
        """Say whether Intercom answers otherwise: what an outage broke off is continued when it is over."""
        try:
            if isinstance(error, IntercomAway):
                await self._client.check_workspace()
        except IntercomAway:
            return False
        return True

    async def _read_type(self, name: str) -> None:
        while not self._backfill.progress[name].done and not self._watcher.stopped():
            try:
                await self._pages(name)
            except AccessRefused as refusal:
                await self._store(name, [], msgspec.structs.replace(self._backfill.progress[name], refused=str(refusal)))
            except ListingUnsteady:
                progress = self._backfill.progress[name]
                if progress.restarts >= _RESTARTS:
                    raise
                again = {"restarts": progress.restarts + 1, "repeated": progress.repeated + progress.pages}
                await self._store(name, [], msgspec.structs.replace(progress, then=None, **again))

    async def _pages(self, name: str) -> None:
        """Read all that remains of a listing, as many requests side by side as it has."""
        object_type = OBJECTS[name]
        listing = object_type.listing(self._context)
        remaining = [*(() if object_type.whole else self._backfill.progress[name].then or ())] or [listing.first]

        async def make(page: Page) -> ReadPage:
            metrics.SYNC_PAGES.labels(object_type.type).inc()
            return ReadPage(page, await page_records(object_type, self._client, self._context, self._avro, page))

        async def store(read: Sequence[ReadPage], then: tuple[RestRequest, ...]) -> None:
            await self._store_pages(name, read, then)

        most, together = (SIDE_BY_SIDE, _TOGETHER) if object_type.complete is None else (_COMPLETED_SIDE_BY_SIDE, 1)
        last = listing.last if isinstance(listing, InParts) else ()
        pages = SideBySide(self._client.walk(listing), remaining, make, store, most=most, together=together, last=last)
        await pages.to_the_end(self._watcher.stopped)

    async def _store_pages(self, name: str, read: Sequence[ReadPage], remaining: tuple[RestRequest, ...]) -> None:
        before = self._backfill.progress[name]
        totals = (each.page.total for each in read if each.page.total is not None)
        progress = msgspec.structs.replace(
            before,
            then=remaining,
            read=before.read + sum(each.made.objects for each in read),
            pages=before.pages + len(read),
            total=next(totals, None) if before.total is None else before.total,  # later ones are of parts
            without_id=before.without_id + sum(each.made.without_id for each in read),
            not_whole=before.not_whole + sum(each.made.not_whole for each in read),
        )
        await self._store(name, [record for each in read for record in each.made.records], progress)

    async def _store(self, name: str, records: list[TopicRecord], progress: ObjectProgress) -> None:
        """Append pages' records and what remains, in one transaction with what others wait to append. What remains is kept once the records are."""
        self._waiting.append((name, records, progress))
        async with self._one_at_a_time:
            together, self._waiting = self._waiting, []
            if not together:
                return
            after = msgspec.structs.replace(
                self._backfill,
                progress=self._backfill.progress | {each: progress for each, _, progress in together},
                updated=_now_ms(),
                paused=False,
            )
            await self._producer.append([
                *(record for _, made, _ in together for record in made), entry(self._avro, BACKFILL_PROGRESSED, after)
            ])  # fmt: skip
            self._backfill = after
        self._watcher.on_progress(self._backfill)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
