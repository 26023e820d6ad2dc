"""Run a backfill: read the workspace's pages, and keep each page's objects and what remains in one Kafka transaction.

So one that is killed continues with the next page, and reads at most one page of each type again. Live webhooks flow meanwhile: what is older
loses wherever it arrives. A second process for the same workspace fences the first, which then stops.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.refusals import AccessRefused, ListingUnsteady
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, Transactions, transactions
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.errors import BadConfiguration
from schemas.operations import BACKFILL_ENDED, BACKFILL_PROGRESSED, BACKFILL_STARTED
from streams.ops.backfill.journal import COMPLETED, Backfill, ObjectProgress, backfills, entry, last_complete, new_id, unfinished
from streams.ops.backfill.objects import OBJECTS, ReadingContext

OVERLAP_SECONDS: Final = 15 * 60  # searches are eventually consistent: "a few minutes" by Intercom's description
_RESTARTS: Final = 3  # of a listing that Intercom loses on the way

ALIVE_MS: Final = 20_000  # a backfill that stored nothing for so long is taken over: its process is dead, or waits for Intercom
_LOOK_SECONDS: Final = 1.0


class ReadingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to read: types of object, all of them or those changed since a second (contacts alone can be asked so), or a resync."""

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
        context = ReadingContext(
            tenant=wanted.tenant,
            app_id=app_id,
            origin=Origin(backfill.origin),
            since=backfill.since,
            until=backfill.until,
            version=client.version,
        )
        return await _Run(avro, client, producer, context, backfill, watcher=watcher).to_the_end()


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
    return Backfill(
        id=new_id(),
        app_id=app_id,
        objects=wanted.objects,
        origin=(Origin.RESYNC if wanted.resync else Origin.BACKFILL).value,
        since=_since(found, app_id, wanted.objects) if wanted.resync else wanted.since,
        until=(now + ahead_ms) // 1000,
        started=now,
        updated=now,
        actor=wanted.actor,
        progress={name: ObjectProgress() for name in wanted.objects},
    )


def _since(found: dict[str, Backfill], app_id: str, objects: tuple[str, ...]) -> int | None:
    """Return the second from which on a resync has to read: the earliest that any of the objects needs."""
    last = [last_complete(found, app_id, name) for name in objects]
    missing = [name for name, each in zip(objects, last, strict=True) if each is None]
    if missing:
        raise BadConfiguration(
            f"workspace {app_id} has no complete reading of {', '.join(missing)} to go on from; "
            f"`intercom-streams backfill --workspace {app_id}` makes one"
        )
    return min(each.until for each in last if each) - OVERLAP_SECONDS


class _Run:
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
        self._one_at_a_time = asyncio.Lock()

    async def to_the_end(self) -> Backfill:
        """Read all that remains."""
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
        return self._backfill

    async def _enter(self, kind: str, **values: object) -> None:
        self._backfill = msgspec.structs.replace(self._backfill, updated=_now(), **values)
        await self._producer.append([entry(self._avro, kind, self._backfill)])

    async def _read(self, name: str) -> None:
        while not self._backfill.progress[name].done and not self._watcher.stopped():
            try:
                await self._pages(name)
            except AccessRefused as refusal:
                await self._store(name, [], msgspec.structs.replace(self._backfill.progress[name], refused=str(refusal)))
            except ListingUnsteady:
                progress = self._backfill.progress[name]
                if progress.restarts >= _RESTARTS:
                    raise
                await self._store(name, [], msgspec.structs.replace(progress, then=None, restarts=progress.restarts + 1))

    async def _pages(self, name: str) -> None:
        object_type = OBJECTS[name]
        remaining = () if object_type.whole else self._backfill.progress[name].then or ()
        async for page in self._client.pages(object_type.listing(self._context), remaining):
            made = object_type.records(self._context, self._avro, page, _now())
            before = self._backfill.progress[name]
            after = msgspec.structs.replace(
                before,
                then=page.then,
                read=before.read + made.objects,
                pages=before.pages + 1,
                total=page.total if page.total is not None else before.total,
                without_id=before.without_id + made.without_id,
            )
            await self._store(name, made.records, after)
            if self._watcher.stopped():
                return

    async def _store(self, name: str, records: list[TopicRecord], progress: ObjectProgress) -> None:
        """Append a page's records and what remains, in one transaction. What remains is kept only once the records are."""
        async with self._one_at_a_time:
            after = msgspec.structs.replace(
                self._backfill, progress={**self._backfill.progress, name: progress}, updated=_now(), paused=False
            )
            await self._producer.append([*records, entry(self._avro, BACKFILL_PROGRESSED, after)])
            self._backfill = after
        self._watcher.on_progress(self._backfill)


def _now() -> int:
    return time.time_ns() // 1_000_000
