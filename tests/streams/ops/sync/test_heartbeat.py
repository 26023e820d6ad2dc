"""A workspace ceases to talk, Intercom shows changes, and it talks again: on a real broker, with the facts that follow."""

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.access import fact_records
from schemas.access.findings import CheckState
from schemas.codec import Avro
from schemas.plain_values import plain
from schemas.tenancy import Secret, Workspace
from streams.ops.sync.heartbeat import Heartbeat
from tests.streams.cli.installation import Installation
from tests.support.intercom_bodies import contact, posted
from tests.support.oracle import routed
from tests.support.simulator.small_intercom import SmallIntercom

AVRO = Avro.local()
WORKSPACE = Workspace(app_id="abc12345", app="support", access_token=Secret("t"))
HOUR = 3_600_000


@pytest.fixture
def installation(kafka: str, prefix: str, tmp_path: Path) -> Installation:
    only = ["intercom.contacts", "intercom.conversations", "access.facts", "access.state"]
    return Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path, only)


def webhook(number: int) -> TopicRecord:
    ((topic, record),) = routed(posted("contact.user.updated", contact(f"c{number}", name="x"), number=number))
    return TopicRecord(topic, record.key, record.value, record.headers)


async def looked(heartbeat: Heartbeat, intercom: SmallIntercom, now: int) -> list[str]:
    """Return the kinds of the facts of one look."""
    async with RestClient(WORKSPACE, ProcessBudget(time.monotonic), transport=httpx.MockTransport(intercom)) as client:
        return [fact_records.decode(AVRO, each.value).kind for each in await heartbeat.look(client, now)]


def created(at_ms: int) -> dict[str, object]:
    return {"type": "contact", "id": "new", "created_at": at_ms // 1000, "updated_at": at_ms // 1000}


def test_silence_is_a_fact_once_and_so_is_its_end(installation: Installation):
    now = time.time_ns() // 1_000_000
    intercom, heartbeat = SmallIntercom(contacts=0), Heartbeat(installation.kafka, AVRO, "acme", "abc12345")
    assert asyncio.run(looked(heartbeat, intercom, now + HOUR)) == [], "a workspace without a webhook"
    installation.append(*(webhook(number) for number in range(5)))
    assert asyncio.run(looked(heartbeat, intercom, now + HOUR)) == [], "nothing happened meanwhile"
    intercom.contacts.append(created(now - HOUR))
    assert asyncio.run(looked(heartbeat, intercom, now + HOUR)) == [], "what happened before had its webhook"
    intercom.contacts.append(created(now + HOUR // 2))
    assert asyncio.run(looked(heartbeat, intercom, now + 60_000)) == [], "no pause that is unusual"
    assert asyncio.run(looked(heartbeat, intercom, now + HOUR)) == ["workspace.silent"]
    assert asyncio.run(looked(heartbeat, intercom, now + HOUR)) == []
    installation.append(webhook(9))
    assert asyncio.run(looked(heartbeat, intercom, time.time_ns() // 1_000_000)) == ["workspace.resumed"]


def test_a_process_that_starts_later_knows_from_the_access_agent_that_a_workspace_was_silent(installation: Installation):
    row = CheckState(
        tenant="acme", check="coverage", app_id="abc12345", result="UNKNOWN", reason="silent", since=5, rule_version="1"
    )  # fmt: skip
    installation.append(
        webhook(1), TopicRecord("access.state", b"acme|coverage|abc12345||", AVRO.encode("check_state", plain(row)), [])
    )
    heartbeat = Heartbeat(installation.kafka, AVRO, "acme", "abc12345")
    assert asyncio.run(looked(heartbeat, SmallIntercom(), time.time_ns() // 1_000_000)) == ["workspace.resumed"]
