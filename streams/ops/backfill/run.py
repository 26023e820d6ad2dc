"""Run a backfill: read the workspace's pages side by side, and keep pages' objects and what remains in one Kafka transaction.

So one that is killed continues with what remains, and reads those pages again that were under way. Live webhooks flow meanwhile: what is older
loses wherever it arrives. A second process for the same workspace fences the first, which then stops.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import msgspec

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.paging import Page
from connectors.intercom.rest.refusals import AccessRefused, IntercomAway, ListingUnsteady, ScrollTaken
from connectors.intercom.rest.requests import RestRequest
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, Transactions, transactions
from connectors.observability import metrics
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.errors import BadConfiguration, Unavailable
from schemas.operations import BACKFILL_ENDED, BACKFILL_PROGRESSED, BACKFILL_STARTED
from streams.ops.backfill.journal import COMPLETED, Backfill, ObjectProgress, backfills, entry, last_complete, new_id, unfinished
from streams.ops.backfill.objects import OBJECTS, ReadingContext, page_records
from streams.ops.backfill.side_by_side import HELD, ReadPage, SideBySide

OVERLAP_SECONDS: Final = 15 * 60  # searches are eventually consistent: "a few minutes" by Intercom's description
_RESTARTS: Final = 3  # of a listing that Intercom loses on the way

ALIVE_MS: Final = 20_000  # a backfill that stored nothing for so long is taken over: its process is dead, or waits for Intercom
_LOOK_SECONDS: Final = 1.0
_SIDE_BY_SIDE: Final = 16  # pages of one type of object that are read at a time; the budget decides how many calls there are
_TOGETHER: Final = 8  # pages in a transaction, where so many are read at a time: it costs as much for one
_COMPLETED_SIDE_BY_SIDE: Final = 4  # of a type whose objects are read one by one: they are held until a page is complete


class ReadingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to read: types of object, all of them or those changed since a second, where Intercom can be asked so, or a resync.

    A resync of all types is one of those that have been read once: what the plan does not include, or was left out, stays so.
    """

    tenant: str
    objects: tuple[str, ...]
    since: int | None = None
    resync: bool = False
    actor: str | None = None


class ReadingWatcher(NamedTuple):
    """Callbacks: for progress, made here or by the process that is followed, and whether to stop."""

    on_progress: Callable[[Backfill], None] = lambda _: None
    stopped: Callable[[], bool] = lambda: False


UNWATCHED: Final = ReadingWatcher()


async def begin(
    kafka: KafkaSettings,
    avro: Avro,
    client: RestClient,
    wanted: ReadingPlan,
    watcher: ReadingWatcher = UNWATCHED,
) -> Backfill:
    """Read a workspace, or continue the reading of it that is unfinished. Return it as it ended, or as it stood when it was stopped.

    Where another process reads the workspace, follow it to its end. Raises BadConfiguration where a resync has nothing to start from, and
    the errors of the client. Nothing is written before the token is known to be the workspace's own.
    """
    await client.check_workspace()
    app_id = client.workspace.app_id
    followed = await _follow(kafka, avro, app_id, watcher)
    if followed is not None:
        return followed
    async with transactions(kafka, f"backfill-{app_id}") as producer:
        found = await backfills(kafka, avro)
        backfill = unfinished(found, app_id)
        if backfill is None:
            backfill = _new(found, app_id, wanted, client.ahead_ms)
            await producer.append([entry(avro, BACKFILL_STARTED, backfill)])
        elif not backfill.paused:
            backfill = _taken_over(backfill)
        context = ReadingContext(
            tenant=wanted.tenant,
            app_id=app_id,
            origin=Origin(backfill.origin),
            since=backfill.since,
            until=backfill.until,
            version=client.version,
        )
        return await PagesReader(avro, client, producer, context, backfill, watcher=watcher).to_the_end()


async def _follow(kafka: KafkaSettings, avro: Avro, app_id: str, watcher: ReadingWatcher) -> Backfill | None:
    """Watch the workspace's backfill while another process moves it. Return it once it has ended; None if nobody moves one."""
    seen: Backfill | None = None
    while not watcher.stopped():
        found = await backfills(kafka, avro)
        backfill = unfinished(found, app_id) if seen is None else found[seen.id]
        if backfill is None or (backfill.result is None and (backfill.paused or _now() - backfill.updated > ALIVE_MS)):
            return None
        watcher.on_progress(backfill)
        if backfill.result is not None:
            return backfill
        seen = backfill
        await asyncio.sleep(_LOOK_SECONDS)
    return seen


def _new(found: dict[str, Backfill], app_id: str, wanted: ReadingPlan, ahead_ms: int) -> Backfill:
    """Make a reading that begins now. What it covers is by Intercom's clock, which the times of objects are of: ours may be wrong."""
    now = _now()
    last = {name: last_complete(found, app_id, name) for name in wanted.objects}
    objects = tuple(name for name in wanted.objects if last[name] is not None) if wanted.resync else wanted.objects
    if wanted.resync and (not objects or (len(objects) < len(wanted.objects) and wanted.objects != tuple(OBJECTS))):
        raise BadConfiguration(
            f"workspace {app_id} has no complete reading of {', '.join(name for name, each in last.items() if each is None)} to go on from; "
            f"`intercom-streams backfill --workspace {app_id}` makes one"
        )
    begun = [each.until for each in last.values() if each is not None]
    return Backfill(
        id=new_id(),
        app_id=app_id,
        objects=objects,
        origin=(Origin.RESYNC if wanted.resync else Origin.BACKFILL).value,
        since=min(begun) - OVERLAP_SECONDS if wanted.resync else wanted.since,
        until=(now + ahead_ms) // 1000,
        started=now,
        updated=now,
        actor=wanted.actor,
        progress={name: ObjectProgress() for name in objects},
    )


def _taken_over(backfill: Backfill) -> Backfill:
    """Return a reading whose process ended: the pages that were under way are read again, and all of a list that cannot be continued."""
    return msgspec.structs.replace(backfill, progress={
        name: msgspec.structs.replace(
            each, repeated=each.repeated + (each.pages if OBJECTS[name].whole else min(len(each.then or ()), HELD * _SIDE_BY_SIDE))
        )
        if not each.done else each
        for name, each in backfill.progress.items()
    })  # fmt: skip


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
        self._unread: Unavailable | None = None
        self._one_at_a_time = asyncio.Lock()
        self._waiting: list[tuple[str, list[TopicRecord], ObjectProgress]] = []

    async def to_the_end(self) -> Backfill:
        """Read all that remains. Where a type of object cannot be read now, the others are read before its error is raised."""
        try:
            async with asyncio.TaskGroup() as group:
                for name in self._backfill.objects:
                    group.create_task(self._read(name))
        except BaseExceptionGroup as failed:
            raise failed.exceptions[0] from None
        if self._unread is not None:
            await self._enter(BACKFILL_PROGRESSED, paused=True)
            raise self._unread
        if all(progress.done for progress in self._backfill.progress.values()):
            await self._enter(BACKFILL_ENDED, result=COMPLETED)
        else:
            await self._enter(BACKFILL_PROGRESSED, paused=True)
        return self._backfill

    async def _enter(self, kind: str, **values: object) -> None:
        self._backfill = msgspec.structs.replace(self._backfill, updated=_now(), **values)
        await self._producer.append([entry(self._avro, kind, self._backfill)])

    async def _read(self, name: str) -> None:
        try:
            await self._read_type(name)
        except (IntercomAway, ListingUnsteady, ScrollTaken) as error:
            self._unread = self._unread or error

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

        most, together = (_SIDE_BY_SIDE, _TOGETHER) if object_type.complete is None else (_COMPLETED_SIDE_BY_SIDE, 1)
        pages = SideBySide(self._client.walk(listing), remaining, make, store, most=most, together=together)
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
                updated=_now(),
                paused=False,
            )
            await self._producer.append([
                *(record for _, made, _ in together for record in made), entry(self._avro, BACKFILL_PROGRESSED, after)
            ])  # fmt: skip
            self._backfill = after
        self._watcher.on_progress(self._backfill)


def _now() -> int:
    return time.time_ns() // 1_000_000
