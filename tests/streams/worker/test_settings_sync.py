"""The configuration is appended to the log of facts once, however many workers start at the same moment."""

import asyncio
from collections import Counter

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.message import header
from schemas.tenancy import App, Secret, Tenancy, Tenant, Workspace
from streams.worker.settings_sync import sync_settings_facts
from tests.support.counting_agent import read_all

pytestmark = pytest.mark.asyncio


def tenancy(*app_ids: str) -> Tenancy:
    workspaces = tuple(Workspace(app_id=app_id, app="support") for app_id in app_ids)
    return Tenancy.of([App(name="support", client_secrets=(Secret("s"),))], [Tenant(id="acme", workspaces=workspaces)])


async def test_workers_that_start_at_once_append_one_fact(kafka: str, prefix: str) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    await topics.apply(settings, only={"access.facts"})
    await asyncio.gather(*(sync_settings_facts(settings, Avro.local(), tenancy("ws1")) for _ in range(4)))
    await sync_settings_facts(settings, Avro.local(), tenancy("ws1"))
    await asyncio.gather(*(sync_settings_facts(settings, Avro.local(), tenancy("ws1", "ws2")) for _ in range(3)))
    ids = Counter(header(record.headers, "ce_id") for record in await read_all(settings, "access.facts"))
    assert list(ids.values()) == [1, 1]
