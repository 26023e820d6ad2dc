"""At a worker's start, write each tenant's rules for people and organisations to `identity.rules`, once per change."""

import time
from collections.abc import Iterator
from typing import Final

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from connectors.kafka.transaction import TopicRecord, transactions
from schemas.cloudevents import EventContext, Origin
from schemas.ids import derived
from schemas.profiles.identity import RULES, IdentityRules, Scope
from schemas.tenancy import Tenancy, Tenant
from streams.settings.identity import identity_rules, identity_settings

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
            for scope, rules in _rules_of(tenancy.tenants[tenant])
            if (record := await _missing(kafka, scope, rules, encoding)) is not None
        ]
        await producer.append(records)
    return len(records)


def _rules_of(tenant: Tenant) -> Iterator[tuple[Scope, IdentityRules]]:
    for profile_type, settings in identity_settings(tenant).values():
        yield Scope(tenant.id, profile_type), identity_rules(settings, profile_type)


async def _missing(kafka: KafkaSettings, scope: Scope, rules: IdentityRules, encoding: int) -> TopicRecord | None:
    key = scope.key().encode()
    before = await read_to_end(kafka, _TOPIC, lambda record: record, keys=[key])
    if before and before[-1].value and RULES.decode(before[-1].value) == rules:
        return None
    context = EventContext(
        id=derived(scope.key(), _TOPIC, before[-1].offset if before else None),
        source="/intercom-streams/configuration",
        type="identity.rules.changed.v1",
        origin=Origin.OPERATOR,
        time=time.time_ns() // 1_000_000,
        subject=scope.key(),
        partition_key=scope.tenant,
    )
    return TopicRecord(_TOPIC, key, RULES.encode(rules, encoding), context.headers())
