"""At a worker's start, append the configuration that affects answers to the log of facts, once per change."""

from datetime import UTC, datetime

from connectors.kafka.fact_log import FactRecord, append_once, fact_record, find_facts
from connectors.kafka.settings import KafkaSettings
from schemas.access import fact_records
from schemas.access.facts import Fact
from schemas.codec import Avro
from schemas.tenancy import Tenancy, Tenant
from streams.core.access.facts.policy import calendars
from streams.core.access.facts.settings import KIND, TYPE, settings_fact


async def sync_settings_facts(kafka: KafkaSettings, avro: Avro, tenancy: Tenancy) -> int:
    """Append a `settings.applied` fact for each tenant whose current configuration is not in the log; return how many facts.

    Calendars that have changed go before it, each as a `calendar.set` fact. Workers that start at once each do this; one appends, the
    others find nothing missing. Raises Unavailable when Kafka does not answer, or when another worker has begun the same a moment later:
    then try again.
    """

    async def missing() -> list[FactRecord]:
        now = datetime.now(UTC)
        facts: list[Fact] = []
        for name, tenant in sorted(tenancy.tenants.items()):
            types = {TYPE, calendars.TYPE} if tenant.calendars else {TYPE}
            before = [fact_records.decode(avro, value) for value in await find_facts(kafka, name, types)]
            facts += _calendar_facts(tenant, before, now)
            decided = [fact for fact in before if fact.kind == KIND]
            if (fact := settings_fact(tenancy, name, decided, now=int(now.timestamp() * 1000))) is not None:
                facts.append(fact)
        return [fact_record(avro, fact) for fact in facts]

    return await append_once(kafka, "announce", missing)


def _calendar_facts(tenant: Tenant, before: list[Fact], now: datetime) -> list[Fact]:
    if not tenant.calendars:
        return []
    from connectors.calendars.expand import expand  # noqa: PLC0415 - it costs a tenth of a second, and few need it

    facts = [calendars.calendar_fact(tenant.id, expand(each, now.date()), before) for each in tenant.calendars]
    return [fact for fact in facts if fact is not None]
