"""Run a backfill: read the workspace's pages side by side, and keep pages' objects and what remains in one Kafka transaction.

So one that is killed continues with what remains, and reads those pages again that were under way. Live webhooks flow meanwhile: what is older
loses wherever it arrives. A second process for the same workspace fences the first, which then stops.
"""

import asyncio
import time
from typing import Final

import msgspec

from connectors.intercom.rest.client import RestClient
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import transactions
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.errors import BadConfiguration
from schemas.operations import BACKFILL_ENDED, BACKFILL_STARTED
from streams.ops.backfill.journal import (
    ABANDONED,
    Backfill,
    ObjectProgress,
    backfills,
    entry,
    last_complete,
    left_out,
    new_id,
    unfinished,
)
from streams.ops.backfill.objects import OBJECTS, ReadingContext
from streams.ops.backfill.pages_reader import SIDE_BY_SIDE, UNWATCHED, PagesReader, ReadingWatcher
from streams.ops.backfill.side_by_side import HELD
from streams.ops.workspaces.reading import require_read, status_of

OVERLAP_SECONDS: Final = 15 * 60  # searches are eventually consistent: "a few minutes" by Intercom's description
ALIVE_MS: Final = 20_000  # a backfill that stored nothing for so long is taken over: its process is dead, or waits for Intercom
_LOOK_SECONDS: Final = 1.0


class ReadingPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to read: types of object, all of them or those changed since a second, where Intercom can be asked so, or a resync.

    A resync of all types is one of those that have been read once: what the plan does not include, or was left out, stays so.
    """

    tenant: str
    objects: tuple[str, ...]
    since: int | None = None
    resync: bool = False
    actor: str | None = None


async def begin(
    kafka: KafkaSettings,
    avro: Avro,
    client: RestClient,
    wanted: ReadingPlan,
    watcher: ReadingWatcher = UNWATCHED,
) -> Backfill:
    """Read a workspace, or continue the reading of it that is unfinished. Return it as it ended, or as it stood when it was stopped.

    Where another process reads the workspace, follow it to its end. Raises BadConfiguration where a resync has nothing to start from, or
    the workspace is not active, and the errors of the client. Nothing is written before the token is known to be the workspace's own.
    """
    await client.check_workspace()
    app_id = client.workspace.app_id
    followed = await _follow(kafka, avro, app_id, watcher)
    if followed is not None:
        return followed
    status = await status_of(kafka, avro, app_id)
    async with transactions(kafka, f"backfill-{app_id}") as producer:
        found = await backfills(kafka, avro)
        backfill = unfinished(found, app_id)
        is_new = backfill is None
        backfill = backfill or _new(found, app_id, wanted, client.ahead_ms)
        require_read(app_id, status, backfill.objects)
        if is_new:
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


async def abandon(kafka: KafkaSettings, avro: Avro, app_id: str) -> Backfill:
    """End the unfinished reading of a workspace where it stands; a process that still makes it can store nothing more.

    What it read stays. Raises BadConfiguration where none is unfinished.
    """
    async with transactions(kafka, f"backfill-{app_id}") as producer:
        backfill = unfinished(await backfills(kafka, avro), app_id)
        if backfill is None:
            raise BadConfiguration(
                f"no reading of workspace {app_id} is unfinished; `intercom-streams backfill --list` shows all"
            )
        ended = msgspec.structs.replace(backfill, result=ABANDONED, updated=_now())
        await producer.append([entry(avro, BACKFILL_ENDED, ended)])
    return ended


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
    last = {name: None if left_out(found, app_id, name) else last_complete(found, app_id, name) for name in wanted.objects}
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
            each, repeated=each.repeated + (each.pages if OBJECTS[name].whole else min(len(each.then or ()), HELD * SIDE_BY_SIDE))
        )
        if not each.done else each
        for name, each in backfill.progress.items()
    })  # fmt: skip


def _now() -> int:
    return time.time_ns() // 1_000_000
