"""Makes the readings that are asked for, one after the other: what Intercom does not show of one keeps no other from being made."""

import time
from typing import Final

import structlog

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.refusals import AccessRefused, IntercomAway, ListingUnsteady, ObjectMissing, RequestRejected
from connectors.kafka.transaction import TopicRecord, Transactions
from connectors.observability import metrics
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.errors import IntercomStreamsError, InvalidRecord
from schemas.intercom.rest_objects import Reading
from schemas.tenancy import Tenancy
from schemas.workspaces import WorkspaceStatus
from streams.ops.backfill.conversation_parts import read_conversation
from streams.ops.backfill.objects import OBJECTS, TEAMMATES, TEAMS, ReadingContext, page_records
from streams.ops.sync.contact_reads import read_contact
from streams.ops.sync.directory_lists import DirectoryLists
from streams.ops.sync.pending import PendingReads, ReadTarget
from streams.ops.workspaces.reading import is_read

log = structlog.get_logger(__name__)


class TargetReads:
    """The readings of one process. `teammates_read` is when each workspace's teammates were last read, or refused (s, monotonic)."""

    def __init__(self, avro: Avro, tenancy: Tenancy, pending: PendingReads) -> None:
        self._avro, self._tenancy, self._pending = avro, tenancy, pending
        self._lists = DirectoryLists()
        self.teammates_read: dict[str, float] = {}

    def readable(self, app_id: str, targets: list[ReadTarget], status: WorkspaceStatus) -> list[ReadTarget]:
        """Return what may be read of a workspace in that state. The rest is left to the resync after it is resumed."""
        held = [target for target in targets if not is_read(status, TEAMMATES if not target.entity else target.type)]
        for target in held:
            metrics.SYNC_READS.labels("held").inc()
            self._pending.served(target, self._pending.places(target))
        if not is_read(status, TEAMMATES):
            self.teammates_read[app_id] = time.monotonic()
        return [target for target in targets if target not in held]

    async def serve(self, client: RestClient, targets: list[ReadTarget], producer: Transactions) -> None:
        """Read and append. Raises what concerns the whole workspace, such as a revoked token, or that Intercom does not answer."""
        for target in targets:
            places = self._pending.places(target)
            try:
                records = await self._read(client, target)
            except (AccessRefused, RequestRejected, ObjectMissing, InvalidRecord) as refusal:
                self.refused(target.app_id, [target], refusal)
            except (IntercomAway, ListingUnsteady) as error:
                await client.check_workspace()  # where this fails too, it is not the one object
                self._postpone(target, error)
            else:
                await producer.append(records)
                metrics.SYNC_READS.labels("served").inc()
                self._pending.served(target, places)

    def refused(self, app_id: str, targets: list[ReadTarget], refusal: IntercomStreamsError) -> None:
        """Leave what was asked for to the next resync: a person has to act."""
        metrics.SYNC_READS.labels("refused").inc()
        self._lists.forget(app_id)
        log.error(
            "Intercom refuses to be read; what was asked for is left to the next resync", app_id=app_id, reason=str(refusal)
        )
        for target in targets:
            self._pending.served(target, self._pending.places(target))

    def failed(self, app_id: str, error: IntercomStreamsError) -> None:
        """Note that a reading failed that is made again."""
        metrics.SYNC_READS.labels("failed").inc()
        self._lists.forget(app_id)
        log.warning("reading from Intercom failed; it is tried again", app_id=app_id, reason=str(error))

    def _postpone(self, target: ReadTarget, error: IntercomStreamsError) -> None:
        is_scheduled = not self._pending.places(target)
        if is_scheduled or self._pending.postpone(target, _now()):
            self.failed(target.app_id, error)
        else:
            self.refused(target.app_id, [target], error)

    async def _read(self, client: RestClient, target: ReadTarget) -> list[TopicRecord]:
        app_id, now = target.app_id, _now()
        if target.entity:
            readings = await _BY_TYPE[target.type](client, target)
            return [TopicRecord(each.topic, each.key.encode(), each.value, each.headers(Origin.RESYNC, now)) for each in readings]
        context = ReadingContext(self._tenancy.owners[app_id], app_id, Origin.RESYNC, None, now // 1000, client.version)
        self.teammates_read[app_id] = time.monotonic()
        records = [
            record
            for object_type in (OBJECTS[TEAMMATES], OBJECTS[TEAMS])
            async for page in client.pages(object_type.listing(context))
            for record in (await page_records(object_type, client, context, self._avro, page)).records
        ]
        return self._lists.changed(records)


async def _contact(client: RestClient, target: ReadTarget) -> list[Reading]:
    return await read_contact(client, target.entity, target.reason)


async def _conversation(client: RestClient, target: ReadTarget) -> list[Reading]:
    found = await read_conversation(client, target.type, target.entity)
    return [] if found is None else [found]


_BY_TYPE: Final = {"contact": _contact, "conversation": _conversation, "ticket": _conversation}


def _now() -> int:
    return time.time_ns() // 1_000_000
