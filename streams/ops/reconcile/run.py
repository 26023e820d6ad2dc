"""Reconcile a workspace: compare the tables with Intercom's lists, ask by id for what no list has, and write the difference to the inbound topics.

The table is read before the lists and followed after them, so what changes meanwhile is not taken for a difference. Repairs are readings
like those of a backfill: the agents join them by their versions, and a webhook that comes later finds nothing to do.
"""

import time
from collections.abc import Callable
from typing import Final

import msgspec

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.refusals import AccessRefused, ScrollTaken
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import transactions
from connectors.observability import metrics
from schemas.codec import Avro
from schemas.tenancy import Tenancy
from streams.ops.backfill.journal import Backfill, backfills, last_complete
from streams.ops.profiles.live_topics import LiveTopics
from streams.ops.reconcile.comparison import Comparison, Connections
from streams.ops.reconcile.report import ObjectReport, ReconciliationReport, entry, new_id, reports
from streams.ops.reconcile.table_copy import table_copy
from streams.ops.reconcile.types import RECONCILED_TYPES, ReconciledType
from streams.ops.workspaces.reading import require_read, status_of

_SECOND: Final = 1000

OnProgress = Callable[[str, str, int], None]
"""Gets the type of object, what is done with it, and how many objects that is so far."""


class ReconciliationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to compare, and on whose behalf. Without types of object it is all that are in tables: contacts, companies, and what was read completely once."""

    objects: tuple[str, ...] = ()
    actor: str | None = None


async def reconcile(
    kafka: KafkaSettings,
    avro: Avro,
    tenancy: Tenancy,
    client: RestClient,
    plan: ReconciliationPlan,
    *,
    on_progress: OnProgress = lambda *_: None,
) -> ReconciliationReport:
    """Compare and repair. Return the report, which is on `operations` too.

    Raises BadConfiguration for a workspace that is not active, and Unavailable where the workers are not running or far behind, since the table then says nothing of the webhooks. Two at a time for a workspace:
    the later one ends the earlier, and both write only what Intercom says.
    """
    await client.check_workspace()
    app_id, started, id_ = client.workspace.app_id, _now(), new_id()
    require_read(app_id, await status_of(kafka, avro, app_id), tuple(RECONCILED_TYPES))
    live, read = await LiveTopics.read(kafka), await backfills(kafka, avro)
    names = plan.objects or tuple(
        name for name, kind in RECONCILED_TYPES.items() if kind.always or last_complete(read, app_id, name) is not None
    )
    async with transactions(kafka, f"reconcile-{app_id}") as producer:
        connections = Connections(kafka, tenancy, client, producer)
        found: dict[str, ObjectReport] = {}
        for name in names:
            found[name] = await _one(connections, live, RECONCILED_TYPES[name], on_progress)
        report = ReconciliationReport(
            id=id_,
            app_id=app_id,
            since=await _since(kafka, avro, read, app_id, names),
            started=started,
            ended=_now(),
            actor=plan.actor,
            objects=found,
        )
        await producer.append([entry(avro, report)])
    for name, each in found.items():
        if each.refused is None:
            metrics.SYNC_COMPLETENESS.labels(app_id, name, "before").set(each.complete_before)
            metrics.SYNC_COMPLETENESS.labels(app_id, name, "after").set(each.complete_after)
    return report


async def _one(connections: Connections, live: LiveTopics, kind: ReconciledType, on_progress: OnProgress) -> ObjectReport:
    app_id = connections.client.workspace.app_id
    tenant = connections.tenancy.owners[app_id]
    async with table_copy(connections.kafka, live.changelog(kind.agent), (f"{app_id}:", f":{tenant}")) as copy:
        comparison = Comparison(connections, kind, copy, lambda step, count: on_progress(kind.name, step, count))
        try:
            return await comparison.to_the_end()
        except (AccessRefused, ScrollTaken) as refusal:
            return ObjectReport(refused=str(refusal))


async def _since(
    kafka: KafkaSettings, avro: Avro, found: dict[str, Backfill], app_id: str, objects: tuple[str, ...]
) -> int | None:
    """Return when the window begins: the latest reconciliation of the workspace that had all these objects, or the first complete reading."""
    earlier = [
        each.started
        for each in await reports(kafka, avro)
        if each.app_id == app_id and each.complete and each.objects.keys() >= set(objects)
    ]
    if earlier:
        return earlier[-1]
    readings = [last_complete(found, app_id, name) for name in objects]
    return min((each.until * _SECOND for each in readings if each), default=None) if all(readings) else None


def _now() -> int:
    return time.time_ns() // 1_000_000
