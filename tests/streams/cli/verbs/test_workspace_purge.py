"""`workspace delete --purge` on a real Kafka: all contacts of a workspace are erased, and nobody else's."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.tenancy import App, ErasureSettings, Secret, Tenancy, Tenant, Workspace
from schemas.topics import TOPICS
from streams.agents.topology import agents_of
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.ops.workspaces import purge as purge_module
from streams.ops.workspaces.purge import contacts_to_erase
from tests.streams.cli.installation import Installation
from tests.streams.cli.verbs.test_trace import records
from tests.support.config import config_text
from tests.support.engines import QUICK, caught_up, latest, until
from tests.support.intercom_bodies import AT, contact, posted

KEY = "a secret of the tenant, by which contacts are erased"
GONE, STAYS = "ws1", "ws2"
TENANCY = Tenancy.of(
    [App(name="support", client_secrets=(Secret("support-secret"),))],
    [
        Tenant(
            id="acme",
            workspaces=(Workspace(app_id=GONE, app="support"), Workspace(app_id=STAYS, app="support")),
            erasure=ErasureSettings(keys=(Secret(KEY),)),
        )
    ],
)
AVRO = Avro.local()
AGENTS = tuple(
    agent
    for agent in agents_of(TENANCY, AVRO)
    if agent.name in ("contacts", "companies", "people", "orgs", "identity", "memberships")
)


def saved(app_id: str, identifier: str, number: int, **fields: str) -> bytes:
    values = {"created_at": AT, "role": "user", "workspace_id": app_id, **fields}
    item = contact(identifier, updated=(AT + number) * 1000, **values)
    return posted("contact.user.updated", item, number=number, at=AT + number, app_id=app_id)


HISTORY = (
    *(saved(GONE, f"c{number}", number, name=f"Gone {number}") for number in range(5)),
    saved(GONE, "ada", 10, name="Ada", email="ada@example.com"),
    saved(STAYS, "ada", 11, name="Ada of two", email="ada@example.com"),
    saved(STAYS, "bob", 12, name="Bob"),
)


@pytest.fixture
def installation(kafka: str, prefix: str, tmp_path: Path) -> Installation:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2)
    made = Installation(settings, tmp_path, list(TOPICS))
    servers = {"bootstrap": kafka, "topic_prefix": prefix}
    text = config_text(
        kafka=servers, apps={"support": ("support-secret",)}, tenants={"acme": {GONE: "support", STAYS: "support"}}
    )
    made.config.write_text(text.replace('id = "acme"\n', f'id = "acme"\n[tenants.erasure]\nkeys = ["{KEY}"]\n'))
    asyncio.run(topics.apply(settings, Naming(prefix=prefix).changelogs(AGENTS), only=[]))
    for body in HISTORY:
        made.append(*records(body))
    return made


async def process(installation: Installation, done: Callable[[dict[str, bytes]], bool]) -> None:
    """Run the agents until the people are as expected."""
    async with running(AGENTS, kafka=installation.kafka, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "the agents are ready")
        async with asyncio.timeout(120):
            while not (caught_up(work) and done(await people(installation))):  # noqa: ASYNC110  # Kafka sets no event
                await asyncio.sleep(0.1)


async def people(installation: Installation) -> dict[str, bytes]:
    return await latest(installation.kafka, "people")


def names(values: dict[str, bytes]) -> list[str]:
    return sorted(AVRO.decode(value)[1]["name"] for value in values.values())


def test_a_deleted_workspace_is_purged_of_its_contacts_and_of_nobody_elses(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purge_module, "_CONTACTS", 4)  # so that there are several parts
    asyncio.run(process(installation, lambda values: len(values) == 7))
    installation.printed("workspace", "archive", GONE)
    (report,) = installation.printed("workspace", "delete", GONE, "--confirm", GONE, "--purge", "--reason", "contract ended")
    assert report == {"app_id": GONE, "state": "deleted", "released": 0, "erased": 6}
    assert [len(each["marks"]) for each in installation.printed("profiles", "erasures")] == [4, 2]
    installation.append(*records(HISTORY[0]))  # a replay, or a late post
    asyncio.run(process(installation, lambda values: len(values) == 2))
    assert names(asyncio.run(people(installation))) == ["Ada of two", "Bob"]
    (again,) = installation.printed("workspace", "delete", GONE, "--confirm", GONE, "--purge")
    assert again["erased"] == 0, "a purge that is broken off continues with what is left, and here nothing is"


def test_a_purge_without_an_erasure_key_changes_nothing(installation: Installation) -> None:
    installation.config.write_text(installation.config.read_text().replace(f'[tenants.erasure]\nkeys = ["{KEY}"]\n', ""))
    installation.printed("workspace", "archive", GONE)
    result = installation.types("workspace", "delete", GONE, "--confirm", GONE, "--purge")
    assert "has no erasure key" in str(result.exception)
    (row,) = [each for each in installation.printed("workspace", "list") if each["app_id"] == GONE]
    assert row["state"] == "archived"


def test_a_workspace_whose_agents_never_ran_has_nothing_to_erase(kafka: str, prefix: str) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1)
    assert asyncio.run(contacts_to_erase(settings, "acme", GONE)) == {}
