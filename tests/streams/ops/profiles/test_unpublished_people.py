"""People whom a policy does not select are held all the same: they are exported and erased by address, record and id."""

import asyncio
import secrets
from pathlib import Path

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.ids import derived
from schemas.tenancy import App, ErasureSettings, Secret, Tenancy, Tenant, Workspace
from schemas.topics import TOPICS
from streams.agents.topology import agents_of
from streams.engine.naming import Naming
from streams.engine.runner import running
from tests.patience import DEADLINE_S
from tests.streams.cli.installation import Installation
from tests.streams.cli.verbs.test_trace import AVRO, records
from tests.support.engines import QUICK, caught_up, latest, until
from tests.support.intercom_bodies import APP, AT, contact, posted

KEY = "k" * 32
TENANCY = Tenancy.of(
    [App(name="support", client_secrets=())],
    [Tenant(id="acme", workspaces=(Workspace(app_id=APP, app="support"),), erasure=ErasureSettings(keys=(Secret(KEY),)))],
)
AGENTS = tuple(agent for agent in agents_of(TENANCY, AVRO) if agent.name in ("contacts", "identity", "people"))
FIRST, SECOND, USER = (f"{APP}:{name}" for name in ("first", "second", "user"))
PERSON = derived("acme", "person", FIRST)
POLICY = 'kind = "person"\nselect = \'person.role == "user"\'\n'


def saved(identifier: str, number: int, **fields: object) -> bytes:
    item = contact(identifier, updated=(AT + number) * 1000, created_at=AT + number, **fields)
    return posted("contact.user.updated", item, number=number, at=AT + number)


@pytest.fixture(scope="module")
def installation(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Two leads with one address, who are one person that the policy does not select; and a user."""
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=f"t{secrets.token_hex(4)}.", partitions=2)
    folder: Path = tmp_path_factory.mktemp("unpublished")
    installation = Installation(settings, folder, list(TOPICS), {"acme": {APP: "support"}})
    asyncio.run(topics.apply(settings, Naming(prefix=settings.topic_prefix).changelogs(AGENTS), only=[]))
    config = installation.config.read_text()
    installation.config.write_text(config.replace('id = "acme"\n', f'id = "acme"\n[tenants.erasure]\nkeys = ["{KEY}"]\n'))
    (folder / "people.toml").write_text(POLICY)
    assert installation.types("profiles", "policy", "apply", str(folder / "people.toml")).exit_code == 0
    for body in (
        saved("first", 1, role="lead", email="ada@example.com", name="Ada"),
        saved("second", 2, role="lead", email="ADA@example.com", phone="+353861234567"),
        saved("user", 3, role="user", name="Bob"),
    ):
        installation.append(*records(body))
    asyncio.run(process(settings, assigned=[SECOND]))
    return installation


async def process(settings: KafkaSettings, *, assigned: list[str]) -> None:
    """Run the agents until nothing waits any more and these records belong to another person than their own."""

    async def done() -> bool:
        return sorted(await latest(settings, "contact.assignments")) == assigned and len(await latest(settings, "people")) == 1

    async with running(AGENTS, kafka=settings, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "the agents are ready")
        async with asyncio.timeout(DEADLINE_S):
            while not (await done() and caught_up(work)):  # noqa: ASYNC110  # Kafka sets no event
                await asyncio.sleep(0.1)


@pytest.mark.parametrize("reference", ["ada@example.com", FIRST, SECOND, PERSON, derived("acme", "person", SECOND)])
def test_what_is_held_about_somebody_who_is_not_published_is_exported(installation: Installation, reference: str):
    assert "is not published by its tenant's policy" in str(installation.types("profiles", "show", reference).exception)
    (found,) = installation.printed("profiles", "export", reference)
    assert (found["profile"], found["published"], found["records"]) == (PERSON, False, [FIRST, SECOND])
    assert (found["present"]["name"], found["present"]["phone"]) == ("Ada", "+353861234567")
    held = {store["store"]: len(store["records"]) for store in found["stores"]}
    assert (held["topic intercom.contacts"], held["table contacts"]) == (2, 2)


def test_a_person_who_is_published_is_said_to_be(installation: Installation):
    (found,) = installation.printed("profiles", "export", USER)
    assert (found["published"], found["records"]) == (True, [USER])


def test_somebody_who_is_not_published_is_erased_with_all_records_by_address(installation: Installation):
    asked = installation.types("profiles", "erase", FIRST)
    assert f"Erase {FIRST}, {SECOND} of acme, for good?" in asked.output
    waiting = installation.types("profiles", "erase", "ada@example.com", "--yes", "--wait", "0")
    assert "no worker has come to it" in waiting.output
    assert sorted(record.key.decode() for record in installation.read("contact.erasures")) == [FIRST, SECOND]
    asyncio.run(process(installation.kafka, assigned=[]))
    assert "Nobody has this id or address" in str(installation.types("profiles", "erase", "ada@example.com", "--yes").exception)
    (receipt,) = installation.printed("profiles", "erase", SECOND, "--yes")
    assert (receipt["unknown"], len(receipt["marks"])) == (True, 1)
