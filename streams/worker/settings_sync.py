"""At a worker's start, append the configuration that affects answers to the log of facts, once per change."""

from datetime import UTC, datetime

import msgspec

from connectors.kafka.fact_log import fact_record
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, append_once
from schemas.access.facts import TOPIC, Fact
from schemas.codec import Avro
from schemas.tenancy import Tenancy, Tenant
from schemas.workspaces import WorkspaceStatus
from streams.core.access.facts.policy import calendars
from streams.core.access.facts.settings import TYPE, settings_fact
from streams.ops.facts import find_understood
from streams.ops.workspaces.states import states

_UNMONITORED = (WorkspaceStatus.ARCHIVED, WorkspaceStatus.DELETED)


async def sync_settings_facts(kafka: KafkaSettings, avro: Avro, tenancy: Tenancy) -> int:
    """Append a `settings.applied` fact for each tenant whose current configuration is not in the log; return how many facts.

    Calendars that have changed go before it, each as a `calendar.set` fact. Workers that start at once each do this; one appends, the
    others find nothing missing. Raises Unavailable when Kafka does not answer.
    """

    async def missing() -> list[TopicRecord]:
        now = datetime.now(UTC)
        facts: list[Fact] = []
        for name, tenant in sorted(tenancy.tenants.items()):
            before = await find_understood(kafka, avro, name, {TYPE, calendars.TYPE})
            facts += _calendar_facts(tenant, before, now)
            if (fact := settings_fact(tenancy, name, before, now=int(now.timestamp() * 1000))) is not None:
                facts.append(fact)
        return [TopicRecord(TOPIC, *fact_record(avro, fact)) for fact in facts]

    return await append_once(kafka, "announce", missing)


async def monitored(kafka: KafkaSettings, avro: Avro, tenancy: Tenancy) -> Tenancy:
    """Return the tenancy without workspaces that an operator has archived or deleted, although the configuration still names them."""
    gone = {name for name, each in (await states(kafka, avro)).items() if each.state in _UNMONITORED}
    if not gone & set(tenancy.workspaces):
        return tenancy
    tenants = [
        msgspec.structs.replace(
            tenant, workspaces=tuple(workspace for workspace in tenant.workspaces if workspace.app_id not in gone)
        )
        for tenant in tenancy.tenants.values()
    ]
    return Tenancy.of(tenancy.apps.values(), tenants)


def _calendar_facts(tenant: Tenant, before: list[Fact], now: datetime) -> list[Fact]:
    if not tenant.calendars:
        return []
    from connectors.calendars.expand import expand  # noqa: PLC0415 - it costs a tenth of a second, and few need it

    facts = [calendars.calendar_fact(tenant.id, expand(each, now.date()), before) for each in tenant.calendars]
    return [fact for fact in facts if fact is not None]
