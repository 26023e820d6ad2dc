"""A tenant's rules for people are written once, however many workers start at the same moment."""

import asyncio

import msgspec
import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.profiles.identity import DEFAULT_RULES, ORG, RULES
from schemas.tenancy import App, IdentitySettings, Secret, Tenancy, Tenant
from schemas.versioned import OLDEST
from streams.settings.identity import identity_rules
from streams.worker.identity_rules import sync_identity_rules
from tests.support.counting_agent import read_all

pytestmark = pytest.mark.asyncio

FIRST, SECOND = IdentitySettings(), IdentitySettings(mode="next")


def tenancy(*settings: IdentitySettings) -> Tenancy:
    tenants = [Tenant(id=f"t{at}", identity=each) for at, each in enumerate(settings)]
    return Tenancy.of([App(name="support", client_secrets=(Secret("s"),))], tenants)


async def test_rules_are_written_once_for_each_change(kafka: str, prefix: str) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    await topics.apply(settings, only={"identity.rules"})
    await asyncio.gather(*(sync_identity_rules(settings, tenancy(FIRST, FIRST), encoding=OLDEST) for _ in range(4)))
    await asyncio.gather(*(sync_identity_rules(settings, tenancy(FIRST, SECOND), encoding=OLDEST) for _ in range(4)))
    records = await read_all(settings, "identity.rules")
    written = sorted((record.key, msgspec.to_builtins(RULES.decode(record.value))) for record in records)
    expected = [(b"t0", identity_rules(FIRST)), (b"t1", identity_rules(FIRST)), (b"t1", identity_rules(SECOND))]
    expected += [(b"t0|org", DEFAULT_RULES[ORG]), (b"t1|org", DEFAULT_RULES[ORG])]
    assert written == sorted((key, msgspec.to_builtins(each)) for key, each in expected)
