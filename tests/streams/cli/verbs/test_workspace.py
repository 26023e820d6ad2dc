"""Workspaces paused, resumed, archived, restored and deleted, over an ingress and on a real Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.intercom.ingress.app import IngressProcess
from connectors.intercom.ingress.config import IngressConfig
from connectors.intercom.ingress.endpoint import WEBHOOK_PATH
from connectors.kafka.settings import KafkaSettings
from schemas.access import fact_records
from schemas.codec import Avro
from schemas.message import header
from schemas.topics import TOPICS
from schemas.workspaces import HELD, HELD_FOR
from tests.patience import DEADLINE_S
from tests.streams.cli.installation import Installation
from tests.support.config import config_text
from tests.support.posts import TENANCY, notification, signed

APPS = {"support": ("support-secret",), "sales": ("sales-secret",)}


@pytest.fixture
def installation(kafka: str, prefix: str, tmp_path: Path) -> Installation:
    made = Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1), tmp_path, list(TOPICS))
    servers = {"bootstrap": kafka, "topic_prefix": prefix}
    made.config.write_text(config_text(kafka=servers, apps=APPS, tenants={"acme": {"ws1": "support", "ws2": "sales"}}))
    return made


class Poster:
    """Posts to an ingress of the installation."""

    def __init__(self, process: IngressProcess, client: httpx.AsyncClient) -> None:
        self._process = process
        self._client = client

    async def post(self, number: int, **fields: Any) -> None:
        body = notification(number, **fields)
        answer = await self._client.post(WEBHOOK_PATH, content=body, headers=signed(body))
        assert answer.status_code == 200
        async with asyncio.timeout(DEADLINE_S):
            while self._process._status().spooled_bytes:  # noqa: ASYNC110  # a slow broker sends posts over the spool
                await asyncio.sleep(0.05)

    async def knows(self, states: dict[str, str]) -> None:
        """Wait until the ingress has followed."""
        async with asyncio.timeout(DEADLINE_S):
            while self._process._states.inactive != states:  # noqa: ASYNC110  # it sets no event
                await asyncio.sleep(0.05)


@asynccontextmanager
async def posting(kafka: KafkaSettings, spool: Path) -> AsyncIterator[Poster]:
    config = IngressConfig(host="127.0.0.1", port=0, tenancy=TENANCY, kafka=kafka, spool=spool)
    process = IngressProcess(config, 0)
    async with (
        process.running() as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingress") as client,
    ):
        async with asyncio.timeout(DEADLINE_S):
            while not process.publisher.connected:  # noqa: ASYNC110  # it sets no event
                await asyncio.sleep(0.05)
        yield Poster(process, client)
        async with asyncio.timeout(DEADLINE_S):
            while process._status().spooled_bytes:  # noqa: ASYNC110  # a slow broker sends posts over the spool
                await asyncio.sleep(0.05)


async def acts(installation: Installation, *words: str) -> list[dict[str, Any]]:
    return await asyncio.to_thread(installation.printed, "workspace", *words)


def ids(installation: Installation, topic: str) -> list[str | None]:
    """Return the ids on a topic in order, each once: an ingress may write a record twice, which is harmless."""
    return list(dict.fromkeys(header(record.headers, "ce_id") for record in installation.read(topic)))


def test_posts_of_a_paused_workspace_are_held_and_applied_in_full_when_it_is_resumed(installation: Installation, tmp_path: Path):
    async def story() -> None:
        async with posting(installation.kafka, tmp_path / "spool") as poster:
            await poster.post(1)
            await acts(installation, "pause", "ws1", "--reason", "migration")
            await poster.knows({"ws1": "paused"})
            for number in range(2, 5):
                await poster.post(number)
            await poster.post(5, topic="admin.added_to_workspace", item={"type": "admin", "id": "7"})
            (row,) = [each for each in await acts(installation, "list") if each["app_id"] == "ws1"]
            assert (row["state"], row["reason"]) == ("paused", "migration")
            assert row["held"] >= 3
            (report,) = await acts(installation, "resume", "ws1")
            assert report == {"app_id": "ws1", "state": "active", "released": row["held"], "erased": 0}
            await poster.knows({})
            await poster.post(6)
            (again,) = await acts(installation, "resume", "ws1")
            assert again["released"] == 0

    asyncio.run(story())
    assert ids(installation, "intercom.contacts") == [f"notif_{number}" for number in (1, 2, 3, 4, 6)], "all, each at its topic"
    assert ids(installation, "intercom.admins") == ["notif_5"], "access is evaluated while a workspace is paused"
    held = installation.read(HELD)
    assert {header(record.headers, HELD_FOR) for record in held} == {"intercom.contacts"}
    released = {record.value: record for record in installation.read("intercom.contacts")}
    for record in held:
        sent = released[record.value]
        assert (sent.key, list(sent.headers)) == (record.key, [each for each in record.headers if each[0] != HELD_FOR])
    kinds = [operation.details.get("act") for operation in installation.operations() if operation.kind == "workspace.changed"]
    assert kinds == ["pause", "resume"]


def test_an_archived_workspace_is_held_whole_and_not_monitored_until_it_is_restored(installation: Installation, tmp_path: Path):
    async def story() -> None:
        async with posting(installation.kafka, tmp_path / "spool") as poster:
            await acts(installation, "archive", "ws1")
            await poster.knows({"ws1": "archived"})
            await poster.post(1, topic="admin.added_to_workspace", item={"type": "admin", "id": "7"})
            assert await asyncio.to_thread(monitored_in, installation) == ["ws2"]
            await acts(installation, "restore", "ws1")
            assert await asyncio.to_thread(monitored_in, installation) == ["ws1", "ws2"]
            await poster.knows({"ws1": "paused"})
            (report,) = await acts(installation, "resume", "ws1")
            assert report["released"] >= 1

    asyncio.run(story())
    assert ids(installation, "intercom.admins") == ["notif_1"]


def monitored_in(installation: Installation) -> list[str]:
    """Return the workspaces that the latest settings in the log of facts name."""
    facts = [fact_records.decode(Avro.local(), record.value) for record in installation.read("access.facts")]
    return sorted(next(fact for fact in reversed(facts) if fact.settings is not None).settings.workspaces)


def test_only_what_is_archived_is_deleted_and_only_when_its_name_is_typed(installation: Installation, tmp_path: Path):
    assert "delete is for one that is archived" in str(
        installation.types("workspace", "delete", "ws1", "--confirm", "ws1").exception
    )
    installation.printed("workspace", "archive", "ws1")
    assert "typed once more" in installation.types("workspace", "delete", "ws1", "--confirm", "ws2").output
    installation.printed("workspace", "delete", "ws1", "--confirm", "ws1")
    assert "workspace ws1 is deleted" in str(installation.types("workspace", "resume", "ws1").exception)

    async def story() -> None:
        async with posting(installation.kafka, tmp_path / "spool") as poster:
            await poster.knows({"ws1": "deleted"})
            await poster.post(1)

    asyncio.run(story())
    assert ids(installation, "intercom.other") == ["notif_1"]


def test_an_ingress_that_starts_without_kafka_remembers_what_is_paused(installation: Installation, tmp_path: Path):
    installation.printed("workspace", "pause", "ws1")

    async def follow() -> None:
        async with posting(installation.kafka, tmp_path / "spool") as poster:
            await poster.knows({"ws1": "paused"})

    asyncio.run(follow())
    config = IngressConfig(
        host="127.0.0.1", port=0, tenancy=TENANCY, kafka=KafkaSettings(bootstrap="127.0.0.1:1"), spool=tmp_path / "spool"
    )
    assert IngressProcess(config, 0)._states.inactive == {"ws1": "paused"}


def test_an_uninstalled_app_and_a_revoked_token_show_in_the_list(installation: Installation, tmp_path: Path):
    async def story() -> None:
        async with posting(installation.kafka, tmp_path / "spool") as poster:
            item = {
                "type": "activity_log_event",
                "id": "e1",
                "activity_type": "oauth_token_revocation",
                "created_at": 1_772_090_548,
            }
            await poster.post(1, topic="admin.activity_log_event.created", item=item)

    asyncio.run(story())
    (row,) = [each for each in installation.printed("workspace", "list") if each["app_id"] == "ws1"]
    assert row["reported"]["what"] == "token revoked"
    assert "token revoked" in installation.types("workspace", "list").output
