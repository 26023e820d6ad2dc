"""What a workspace's tables may lack is read when it is due: a resync of what changed, then a reconciliation of everything."""

import asyncio
import time
from typing import Final, NamedTuple

import msgspec
import structlog

from connectors.intercom.rest.client import RestClient
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.tenancy import Tenancy
from streams.ops.backfill.journal import Backfill, backfills, last_attempt, last_complete, left_out
from streams.ops.backfill.objects import OBJECTS
from streams.ops.backfill.pages_reader import ReadingWatcher
from streams.ops.backfill.run import ReadingPlan, begin
from streams.ops.reconcile.report import reports
from streams.ops.reconcile.run import ReconciliationPlan, reconcile
from streams.ops.reconcile.types import RECONCILED_TYPES

log = structlog.get_logger(__name__)
_ACTOR: Final = "sync"
_SECOND: Final = 1000


class SyncSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds between two readings of a workspace's teammates, two resyncs, two reconciliations, and two looks for silence; 0 is never."""

    teammates_s: int
    resync_s: int
    reconcile_s: int = 0
    heartbeat_s: int = 0

    @property
    def look_s(self) -> int:
        """Seconds between two looks at what is due; 0 where nothing ever is."""
        return (
            min((each for each in (self.resync_s, self.reconcile_s, 3600) if each), default=0)
            if self.resync_s or self.reconcile_s
            else 0
        )


class CatchUp(NamedTuple):
    """What is needed to read what is due."""

    kafka: KafkaSettings
    avro: Avro
    tenancy: Tenancy
    schedule: SyncSchedule

    async def read_due(self, client: RestClient, stop: asyncio.Event, *, at_once: bool = False) -> None:
        """Resync and reconcile a workspace where that is due, or `at_once`. One that was never read completely is left to `backfill`."""
        app_id = client.workspace.app_id
        found = await backfills(self.kafka, self.avro)
        if self._is_due(found, app_id, tuple(OBJECTS), self.schedule.resync_s, at_once=at_once):
            plan = ReadingPlan(tenant=self.tenancy.owners[app_id], objects=tuple(OBJECTS), resync=True, actor=_ACTOR)
            done = await begin(self.kafka, self.avro, client, plan, ReadingWatcher(stopped=stop.is_set))
            log.info(
                "workspace resynced", app_id=app_id, status=done.result, count=sum(each.read for each in done.progress.values())
            )
        if not stop.is_set() and await self._reconciliation_is_due(found, app_id, at_once=at_once):
            report = await reconcile(self.kafka, self.avro, self.tenancy, client, ReconciliationPlan(actor=_ACTOR))
            for name, each in report.objects.items():
                if each.refused is not None or each.unrepaired or each.held:
                    log.error(
                        "a table is not as Intercom has it",
                        app_id=app_id,
                        name=name,
                        reason=each.refused,
                        count=each.unrepaired + each.held,
                    )
                else:
                    log.info("table reconciled", app_id=app_id, name=name, count=each.repaired)

    def _is_due(self, found: dict[str, Backfill], app_id: str, names: tuple[str, ...], every_s: int, *, at_once: bool) -> bool:
        """Say whether the types of object that a resync reads were last tried long ago: one that cannot be read makes none due sooner."""
        known = [name for name in names if last_complete(found, app_id, name) is not None and not left_out(found, app_id, name)]
        begun = [each.until for name in known if (each := last_attempt(found, app_id, name)) is not None]
        return bool(begun and every_s) and (at_once or min(begun) <= time.time() - every_s)

    async def _reconciliation_is_due(self, found: dict[str, Backfill], app_id: str, *, at_once: bool) -> bool:
        every_s = self.schedule.reconcile_s
        read = all(last_complete(found, app_id, name) is not None for name, kind in RECONCILED_TYPES.items() if kind.always)
        if not every_s or not read:
            return False
        last = [each.started for each in await reports(self.kafka, self.avro) if each.app_id == app_id]
        return at_once or not last or last[-1] <= (time.time() - every_s) * _SECOND
