"""The sync process on a real broker: requests of agents are served, what is due is read, and what fails is tried again or named."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.rate_limit import ProcessBudget
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.access import fact_records, read_requests
from schemas.access.read_requests import ReadRequest
from schemas.codec import Avro
from schemas.intercom.rest_objects import how_read
from schemas.message import header
from schemas.profiles import read_requests as contact_requests
from schemas.profiles.read_requests import LIST_TRUNCATED, MERGED_FROM_UNKNOWN, UNSETTLED, ContactReadRequest
from schemas.tenancy import App, Secret, Tenancy, Tenant, Workspace
from streams.ops.sync.catch_up import SyncSchedule
from streams.ops.sync.process import SyncProcess
from tests.patience import DEADLINE_S
from tests.streams.cli.installation import Installation, append_visibly
from tests.support.counting_agent import read_all
from tests.support.simulator.small_intercom import SmallIntercom

AVRO = Avro.local()
CONVERSATION_REQUESTS = "conversation.read.requests"
TOPICS = [
    "intercom.contacts", "intercom.companies", "intercom.conversations", "intercom.directory", "access.facts", "operations", read_requests.TOPIC, contact_requests.TOPIC,
    CONVERSATION_REQUESTS,
]  # fmt: skip
WORKSPACES = tuple(Workspace(app_id=name, app="support", access_token=Secret("t")) for name in ("abc12345", "xyz67890"))
TENANCY = Tenancy.of([App(name="support", client_secrets=(Secret("s"),))], [Tenant(id="acme", workspaces=WORKSPACES)])
NEVER = SyncSchedule(teammates_s=0, resync_s=0)


@pytest.fixture
def kafka_settings(kafka: str, prefix: str, tmp_path: Path) -> KafkaSettings:
    return Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=3), tmp_path, TOPICS).kafka


@asynccontextmanager
async def syncing(
    kafka: KafkaSettings, intercoms: dict[str, Callable[[httpx.Request], httpx.Response]], schedule: SyncSchedule = NEVER
) -> AsyncIterator[None]:
    def client(app_id: str) -> RestClient:
        transport = httpx.MockTransport(intercoms[app_id])
        return RestClient(
            TENANCY.workspaces[app_id], ProcessBudget(time.monotonic), transport=transport, sleep=lambda _: asyncio.sleep(0)
        )

    stop = asyncio.Event()
    task = asyncio.create_task(SyncProcess(kafka, AVRO, TENANCY, schedule, client).run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


def teammates_request(app_id: str = "abc12345", number: int = 1) -> TopicRecord:
    request = ReadRequest(tenant="acme", app_id=app_id, reason="contradiction", not_before=0, fact=f"f{number}")
    value = AVRO.encode(read_requests.READ_REQUEST, msgspec.structs.asdict(request))
    return TopicRecord(read_requests.TOPIC, app_id.encode(), value, [])


def contact_request(contact: str, reason: str) -> TopicRecord:
    request = ContactReadRequest(tenant="acme", app_id="abc12345", contact=contact, reason=reason, not_before=0, event="e1")
    value = AVRO.encode(contact_requests.READ_REQUEST, msgspec.structs.asdict(request))
    return TopicRecord(contact_requests.TOPIC, f"abc12345:{contact}".encode(), value, [])


def conversation_request(conversation: str, kind: str) -> TopicRecord:
    request = {
        "tenant": "acme",
        "app_id": "abc12345",
        "conversation": conversation,
        "kind": kind,
        "reason": "parts_missing",
        "not_before": 0,
        "event": "e",
    }
    value = AVRO.encode("conversation_read_request", request)
    return TopicRecord(CONVERSATION_REQUESTS, f"abc12345:{conversation}".encode(), value, [])


async def until(kafka: KafkaSettings, topic: str, count: int) -> list[Any]:
    """Return the topic's records once there are so many."""
    async with asyncio.timeout(DEADLINE_S):
        while len(records := await read_all(kafka, topic)) < count:  # noqa: ASYNC110  # Kafka sets no event
            await asyncio.sleep(0.1)
    return records


def snapshots(records: list[Any]) -> list[str]:
    facts = [fact_records.decode(AVRO, record.value) for record in records]
    return [fact.app_id for fact in facts if fact.kind == "admins.snapshot.ended"]


@pytest.mark.asyncio
async def test_requests_for_teammates_become_one_snapshot_of_each_workspace(kafka_settings: KafkaSettings):
    one, other = SmallIntercom(), SmallIntercom(app_id="xyz67890")
    await append_visibly(kafka_settings, [*(teammates_request(number=n) for n in range(5)), teammates_request("xyz67890")])
    async with syncing(kafka_settings, {"abc12345": one, "xyz67890": other}):
        records = await until(kafka_settings, "access.facts", 8)
    assert sorted(snapshots(records)) == ["abc12345", "xyz67890"]
    assert one.asked.count("/admins") == 1


@pytest.mark.asyncio
async def test_a_request_that_was_served_is_not_served_by_the_next_process(kafka_settings: KafkaSettings):
    intercom = SmallIntercom()
    intercoms = {"abc12345": intercom}
    await append_visibly(kafka_settings, [teammates_request()])
    async with syncing(kafka_settings, intercoms):
        await until(kafka_settings, "access.facts", 4)
        await asyncio.sleep(0.5)  # to its commit
    await append_visibly(kafka_settings, [contact_request("c1", LIST_TRUNCATED)])
    intercom.asked.clear()
    async with syncing(kafka_settings, intercoms):
        async with asyncio.timeout(DEADLINE_S):
            while "/contacts/c1" not in intercom.asked:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert "/admins" not in intercom.asked


@pytest.mark.asyncio
async def test_teammates_are_read_when_they_are_due(kafka_settings: KafkaSettings):
    async with syncing(
        kafka_settings,
        {"abc12345": SmallIntercom(), "xyz67890": SmallIntercom(app_id="xyz67890")},
        SyncSchedule(teammates_s=1, resync_s=0),
    ):
        records = await until(kafka_settings, "access.facts", 16)
    assert {"abc12345", "xyz67890"} == set(snapshots(records))


class MergedAndLong:
    """A contact with a merge history and more companies than its object shows."""

    def __call__(self, request: httpx.Request) -> httpx.Response:  # noqa: PLR0911  # one for each endpoint
        page = int(request.url.params.get("page", 1))
        match request.url.path:
            case "/me":
                return httpx.Response(200, json={"app": {"id_code": "abc12345"}})
            case "/contacts/c1/merge_history":
                return httpx.Response(200, json={"data": [{"source_contact_id": "lead", "merged_at": 5}], "has_more": False})
            case "/contacts/c1":
                companies = {"data": [{"id": "o0"}, {"id": "o1"}], "total_count": 5, "has_more": True}
                return httpx.Response(200, json={"id": "c1", "name": "Ada", "updated_at": 7, "companies": companies})
            case "/contacts/c1/companies":
                data = [{"id": f"o{n}", "name": "x"} for n in range(2 * page - 2, min(5, 2 * page))]
                return httpx.Response(200, json={"data": data, "pages": {"page": page, "per_page": 2, "total_pages": 3}})
            case "/conversations/7" | "/tickets/8":
                return httpx.Response(200, json={"id": request.url.path[-1], "conversation_parts": {"conversation_parts": []}})
            case "/contacts/gone":
                return httpx.Response(
                    410, json={"errors": [{"code": "contact_merged"}]}, headers={"Link": '</contacts/c1>; rel="canonical"'}
                )
        return httpx.Response(404, json={"errors": [{"code": "not_found"}]})


@pytest.mark.asyncio
async def test_contacts_are_read_again_for_what_an_event_left_open(kafka_settings: KafkaSettings):
    requests = [("c1", MERGED_FROM_UNKNOWN), ("c1", LIST_TRUNCATED), ("gone", UNSETTLED), ("missing", LIST_TRUNCATED)]
    await append_visibly(kafka_settings, [contact_request(*each) for each in requests])
    async with syncing(kafka_settings, {"abc12345": MergedAndLong()}):
        records = {record.key.decode(): record for record in await until(kafka_settings, "intercom.contacts", 3)}
    assert set(records) == {"abc12345:lead", "abc12345:c1", "abc12345:gone"}
    how = {key: (how_read(record.headers)[0], how_read(record.headers)[2]) for key, record in records.items()}
    assert how == {"abc12345:lead": ("merged", "c1"), "abc12345:c1": ("by_id", None), "abc12345:gone": ("merged", "c1")}
    companies = json.loads(records["abc12345:c1"].value)["companies"]
    assert ([each["id"] for each in companies["data"]], companies["has_more"]) == ([f"o{n}" for n in range(5)], False)


@pytest.mark.asyncio
async def test_conversations_and_tickets_are_read_again_by_their_ids(kafka_settings: KafkaSettings):
    asked = [("7", "conversation"), ("8", "ticket"), ("9", "conversation"), ("10", "nonsense")]
    await append_visibly(kafka_settings, [conversation_request(*each) for each in asked])
    async with syncing(kafka_settings, {"abc12345": MergedAndLong()}):
        records = await until(kafka_settings, "intercom.conversations", 3)
    found = {record.key.decode(): (header(record.headers, "ce_type"), how_read(record.headers)[0]) for record in records}
    assert found == {
        "abc12345:7": ("intercom.rest.conversation", "by_id"),
        "abc12345:8": ("intercom.rest.ticket", "by_id"),
        "abc12345:9": ("intercom.rest.conversation", "missing"),
    }


@pytest.mark.asyncio
async def test_a_refused_workspace_does_not_hold_up_another_and_what_is_no_request_is_passed(kafka_settings: KafkaSettings):
    refused, other = SmallIntercom(), SmallIntercom(app_id="xyz67890")
    refused.before = lambda _: 401
    nonsense = TopicRecord(read_requests.TOPIC, b"abc12345", b"nonsense", [])
    await append_visibly(kafka_settings, [nonsense, teammates_request(), teammates_request("xyz67890")])
    async with syncing(kafka_settings, {"abc12345": refused, "xyz67890": other}):
        assert snapshots(await until(kafka_settings, "access.facts", 4)) == ["xyz67890"]


@pytest.mark.asyncio
async def test_what_fails_for_a_while_is_read_once_intercom_answers(
    kafka_settings: KafkaSettings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("streams.ops.sync.process._RETRY_S", 0.05)
    intercom = SmallIntercom()
    intercom.before = lambda _: 500 if len(intercom.asked) < 20 else None
    await append_visibly(kafka_settings, [teammates_request()])
    async with syncing(kafka_settings, {"abc12345": intercom}):
        assert snapshots(await until(kafka_settings, "access.facts", 4)) == ["abc12345"]
