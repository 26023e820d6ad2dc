"""Notice that a workspace's webhooks have ceased, though Intercom shows changes, and that they come again; both are facts about access.

A pause alone says little: nights are quiet. So an unusually long one is only the reason to ask Intercom for what happened since: a contact that was
created, or a conversation that changed, has a webhook wherever such webhooks came before.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import structlog

from connectors.intercom.rest.answers import items_of
from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.refusals import AccessRefused
from connectors.intercom.rest.requests import post
from connectors.intercom.rest.windows import PER_PAGE
from connectors.kafka.fact_log import fact_record
from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from connectors.kafka.transaction import TopicRecord
from connectors.observability import metrics
from schemas.access.facts import TOPIC as FACTS
from schemas.access.facts import Fact
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.ids import derived
from schemas.message import header
from streams.core.access.checks.coverage import CHECK, SILENT
from streams.ops.backfill.objects import READER
from streams.ops.sync.pulse import LATE_MS, Pulse, changed_between, pulse_of

log = structlog.get_logger(__name__)
_LATEST: Final = 500  # records of each partition that are looked at: enough for one webhook, and for what is usual
_DAY: Final = 86_400
_SECOND: Final = 1000


class _Evidence(NamedTuple):
    """Where to look for changes that have a webhook: the search, its list, and the time that says when it happened."""

    path: str
    key: str
    field: str


_EVIDENCE: Final[Mapping[str, _Evidence]] = MappingProxyType({
    "intercom.contacts": _Evidence("/contacts/search", "data", "created_at"),
    "intercom.conversations": _Evidence("/conversations/search", "conversations", "updated_at"),
})  # fmt: skip


class Heartbeat:
    """Looks after one workspace."""

    def __init__(self, kafka: KafkaSettings, avro: Avro, tenant: str, app_id: str) -> None:
        self._kafka, self._avro, self._tenant, self._app_id = kafka, avro, tenant, app_id
        self._pulse = Pulse()
        self.silent: bool | None = None  # None until it is known what the access agent has

    async def look(self, client: RestClient, now: int) -> list[TopicRecord]:
        """Return the fact that webhooks have ceased, or come again, at `now` (ms); nothing where that is known."""
        if self.silent is None:
            self.silent = await self._known_to_be_silent()
        self._pulse = self._pulse.joined(await self._recent())
        silent = self._pulse.is_unusual(now) and await self._missed(client, now)
        resumed = self.silent and not self._pulse.is_unusual(now)
        if silent and not self.silent:
            log.error("webhooks of a workspace have ceased, though Intercom shows changes", app_id=self._app_id, hint="Developer Hub > your app > Webhooks: is the subscription paused, suspended or disabled?")  # fmt: skip
            return self._becomes(silent=True)
        if resumed:
            log.info("webhooks of a workspace come again", app_id=self._app_id)
            return self._becomes(silent=False)
        metrics.SYNC_SILENT.labels(self._app_id).set(bool(self.silent))
        return []

    def _becomes(self, *, silent: bool) -> list[TopicRecord]:
        self.silent = silent
        metrics.SYNC_SILENT.labels(self._app_id).set(silent)
        kind = "workspace.silent" if silent else "workspace.resumed"
        fact = Fact(
            id=derived(kind, self._app_id, self._pulse.last),
            tenant=self._tenant,
            kind=kind,
            source=READER.id,
            basis="observed",
            time=self._pulse.last,
            actor=READER,
            app_id=self._app_id,
        )
        return [TopicRecord(FACTS, *fact_record(self._avro, fact))]

    async def _known_to_be_silent(self) -> bool:
        """Say whether the access agent has it that the workspace is silent: this process may have been started in between."""
        key = f"{self._tenant}|{CHECK}|{self._app_id}||".encode()
        rows = await read_to_end(self._kafka, "access.state", lambda record: record, keys=frozenset({key}))
        return bool(rows and rows[-1].value and self._avro.decode(rows[-1].value)[1]["reason"] == SILENT)

    async def _recent(self) -> Pulse:
        own, webhook, found = f"{self._app_id}:".encode(), Origin.WEBHOOK.value, list[tuple[int, str]]()
        for topic in _EVIDENCE:
            async with open_ranges(self._kafka, self._kafka.topic(topic), decided=False) as reader:
                found += [
                    (record.timestamp, topic)
                    async for record in reader.latest(_LATEST)
                    if record.key and record.key.startswith(own) and header(record.headers, "ce_origin") == webhook
                ]
        return pulse_of(found)

    async def _missed(self, client: RestClient, now: int) -> bool:
        """Ask Intercom whether anything happened since the latest webhook that has one; by its clock, which may differ from ours."""
        start = (self._pulse.last or 0) + client.ahead_ms + LATE_MS
        end = now + client.ahead_ms - LATE_MS
        for topic, (path, key, field) in _EVIDENCE.items():
            if topic not in self._pulse.topics:
                continue
            recent = {"field": "updated_at", "operator": ">", "value": start // _SECOND - 2 * _DAY}
            query: dict[str, Any] = {"operator": "AND", "value": [recent]}
            sort = {"field": "updated_at", "order": "descending"}
            try:
                answer = await client.send(post(path, {"query": query, "pagination": {"per_page": PER_PAGE}, "sort": sort}))
            except AccessRefused:
                continue
            if changed_between(items_of(answer.fields or {}, key) or (), field, start, end):
                return True
        return False
