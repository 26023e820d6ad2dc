"""At a worker's start, put the policies of the configuration in force, once per change."""

import time

from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.profiles.policy_events import CONFIGURATION
from schemas.tenancy import Tenancy
from streams.ops.policies.apply import PolicyApplication, apply
from streams.settings.profile_policy import configured, policy_of


async def sync_profile_policies(kafka: KafkaSettings, avro: Avro, tenancy: Tenancy, *, encoding: int) -> int:
    """Apply each policy of the configuration that was not applied yet, and return how many.

    Workers that start at once each do this; one applies, the others find nothing to do. Raises Unavailable when Kafka does not answer.
    """
    applied = 0
    for name, tenant in sorted(tenancy.tenants.items()):
        for kind, text in configured(tenant):
            now = time.time_ns() // 1_000_000
            application = PolicyApplication(name, kind, CONFIGURATION, None, now, encoding)
            applied += (await apply(kafka, avro, policy_of(text), application)).changed
    return applied
