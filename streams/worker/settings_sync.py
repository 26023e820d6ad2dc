"""At a worker's start, append the configuration that affects answers to the log of facts, once per change."""

import time

from connectors.kafka.fact_log import FactRecord, append_once, fact_record, find_facts
from connectors.kafka.settings import KafkaSettings
from schemas.access import fact_records
from schemas.codec import Avro
from schemas.tenancy import Tenancy
from streams.core.access.facts.settings import TYPE, settings_fact


async def sync_settings_facts(kafka: KafkaSettings, avro: Avro, tenancy: Tenancy) -> int:
    """Append a `settings.applied` fact for each tenant whose current configuration is not in the log; return how many.

    Workers that start at once each do this; one appends, the others find nothing missing. Raises Unavailable when Kafka does not
    answer, or when another worker has begun the same a moment later: then try again.
    """

    async def missing() -> list[FactRecord]:
        records = []
        for tenant in sorted(tenancy.tenants):
            before = [fact_records.decode(avro, value) for value in await find_facts(kafka, tenant, {TYPE})]
            fact = settings_fact(tenancy, tenant, before, now=time.time_ns() // 1_000_000)
            if fact is not None:
                records.append(fact_record(avro, fact))
        return records

    return await append_once(kafka, "announce", missing)
