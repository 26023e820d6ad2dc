"""At a worker's start, write each tenant's rules for people to `identity.rules`, once per change."""

import time
from typing import Final

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from connectors.kafka.transaction import TopicRecord, transactions
from schemas.cloudevents import EventContext, Origin
from schemas.ids import derived
from schemas.profiles.identity import RULES
from schemas.tenancy import Tenancy
from streams.settings.identity import identity_rules

_TOPIC: Final = "identity.rules"


async def sync_identity_rules(kafka: KafkaSettings, tenancy: Tenancy, *, encoding: int) -> int:
    """Write the rules of each tenant where those in the topic are others, and return how many were written.

    Workers that start at once each do this; one writes, the others find nothing to write. Raises Unavailable when Kafka does not
    answer, or when another worker has begun the same a moment later: then try again.
    """
    async with transactions(kafka, "identity-rules") as producer:
        records = [
            record
            for tenant in sorted(tenancy.tenants)
            if (record := await _missing(kafka, tenant, tenancy, encoding)) is not None
        ]
        await producer.append(records)
    return len(records)


async def _missing(kafka: KafkaSettings, tenant: str, tenancy: Tenancy, encoding: int) -> TopicRecord | None:
    key, rules = tenant.encode(), identity_rules(tenancy.tenants[tenant].identity)
    before = await read_to_end(kafka, _TOPIC, lambda record: record, key=key)
    if before and before[-1].value and RULES.decode(before[-1].value) == rules:
        return None
    context = EventContext(
        id=derived(tenant, _TOPIC, before[-1].offset if before else None),
        source="/intercom-streams/configuration",
        type="identity.rules.changed.v1",
        origin=Origin.OPERATOR,
        time=time.time_ns() // 1_000_000,
        subject=tenant,
        partition_key=tenant,
    )
    return TopicRecord(_TOPIC, key, RULES.encode(rules, encoding), context.headers())
