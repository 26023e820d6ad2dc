"""At a worker's start: bring the configuration that decides answers into the log of facts, once per change."""

import time

from connectors.access_log import append, find
from connectors.kafka import KafkaSettings
from schemas import facts
from schemas.codec import Avro
from schemas.tenancy import Tenancy
from streams.access_settings import TYPE, settings_fact
from streams.fact_entries import entry


async def announce(kafka: KafkaSettings, avro: Avro, tenancy: Tenancy) -> int:
    """Append a `settings.applied` fact for each tenant whose configuration is not in the log as it is; return how many.

    Raises Unavailable when Kafka does not answer. Two workers that start at once may both append the same fact, under the same id;
    the second is stale and changes nothing. One of them should be told to do it.
    """
    wanted = []
    for tenant in sorted(tenancy.tenants):
        before = [facts.decode(avro, value) for value in await find(kafka, tenant, {TYPE})]
        fact = settings_fact(tenancy, tenant, before, now=time.time_ns() // 1_000_000)
        if fact is not None:
            wanted.append(entry(avro, fact))
    return await append(kafka, wanted) if wanted else 0
