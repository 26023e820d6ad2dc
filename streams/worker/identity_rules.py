"""At a worker's start, write each tenant's rules for people and organisations to `identity.rules`, once per change."""

import time
from collections.abc import Iterator
from typing import Any, Final

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from connectors.kafka.transaction import TopicRecord, append_once
from schemas.cloudevents import EventContext, Origin
from schemas.ids import derived
from schemas.profiles.identity import RULES, IdentityRules, Scope
from schemas.tenancy import Tenancy, Tenant
from streams.settings.identity import identity_rules, identity_settings

_TOPIC: Final = "identity.rules"


async def sync_identity_rules(kafka: KafkaSettings, tenancy: Tenancy, *, encoding: int) -> int:
    """Write the rules of each tenant where those in the topic are others, and return how many were written.

    Workers that start at once each do this; one writes, the others find nothing to write. Raises Unavailable when Kafka does not answer.
    """
    configured = {
        scope.key().encode(): (scope, rules)
        for tenant in sorted(tenancy.tenants)
        for scope, rules in _rules_of(tenancy.tenants[tenant])
    }

    async def missing() -> list[TopicRecord]:
        before = {
            record.key: record for record in await read_to_end(kafka, _TOPIC, lambda record: record, keys=configured.keys())
        }
        return [
            _record(scope, rules, encoding, before=last.offset if last else None)
            for key, (scope, rules) in configured.items()
            if not _says(last := before.get(key), rules)
        ]

    return await append_once(kafka, "identity-rules", missing)


def _rules_of(tenant: Tenant) -> Iterator[tuple[Scope, IdentityRules]]:
    for profile_type, settings in identity_settings(tenant).values():
        yield Scope(tenant.id, profile_type), identity_rules(settings, profile_type)


def _says(record: Any, rules: IdentityRules) -> bool:
    return record is not None and bool(record.value) and RULES.decode(record.value) == rules


def _record(scope: Scope, rules: IdentityRules, encoding: int, *, before: int | None) -> TopicRecord:
    context = EventContext(
        id=derived(scope.key(), _TOPIC, before),
        source="/intercom-streams/configuration",
        type="identity.rules.changed.v1",
        origin=Origin.OPERATOR,
        time=time.time_ns() // 1_000_000,
        subject=scope.key(),
        partition_key=scope.tenant,
    )
    return TopicRecord(_TOPIC, scope.key().encode(), RULES.encode(rules, encoding), context.headers())
