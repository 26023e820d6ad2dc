"""An export has all that is held about one person, by every value of each of their records, and nothing about anybody else."""

import asyncio
import json
import secrets
from typing import Any

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.tenancy import App, Tenancy, Tenant, Workspace
from schemas.topics import TOPICS
from streams.agents.topology import agents_of
from streams.engine.naming import Naming
from streams.engine.runner import running
from tests.patience import DEADLINE_S
from tests.streams.cli.installation import Installation
from tests.streams.cli.verbs.test_trace import AVRO, records
from tests.support.engines import QUICK, caught_up, latest, until
from tests.support.intercom_bodies import APP, AT, contact, posted

OTHER_APP, BETA_APP = "other999", "beta0001"
TENANCY = Tenancy.of(
    [App(name="support", client_secrets=())],
    [
        Tenant(id="acme", workspaces=(Workspace(app_id=APP, app="support"), Workspace(app_id=OTHER_APP, app="support"))),
        Tenant(id="beta", workspaces=(Workspace(app_id=BETA_APP, app="support"),)),
    ],
)
NAMES = ("contacts", "identity", "people", "happenings", "activities", "timelines")
AGENTS = tuple(agent for agent in agents_of(TENANCY, AVRO) if agent.name in NAMES)
NINE, SECOND = "65f0c0ffee00000000000009", "65f0c0ffee0000000000000a"


def saved(identifier: str, number: int, app_id: str = APP, **fields: object) -> bytes:
    item = contact(identifier, updated=(AT + number) * 1000, created_at=AT + number, role="user", **fields)
    return posted("contact.user.updated", item, number=number, at=AT + number, app_id=app_id)


def wrote(conversation: str, number: int, author: dict[str, Any], app_id: str = APP, body: str = "Hello") -> bytes:
    item = {
        "type": "conversation", "id": conversation, "created_at": AT, "updated_at": AT + number, "state": "open",
        "contacts": {"contacts": []}, "source": {"type": "conversation", "id": "1", "body": body, "author": author},
    }  # fmt: skip
    return posted("conversation.user.created", item, number=number, at=AT + number, app_id=app_id)


BODIES = [
    saved(NINE, 1, external_id="9", email="ada.l@example.com", phone="0"),
    saved(SECOND, 2, OTHER_APP, external_id="10", email="ADA.L@example.com", phone="+353861234567"),
    saved("somebody", 3, external_id="99", email="lada.l@example.com"),
    saved("guest1", 4, external_id="guest", email="guest@example.com"),
    posted("event.created", {"type": "event", "event_name": "ordered", "user_id": "9", "created_at": AT}, number=5),
    posted("event.created", {"type": "event", "event_name": "ordered", "user_id": "99", "created_at": AT}, number=6),
    wrote("100", 7, {"type": "user", "external_id": "9"}),
    wrote("101", 8, {"type": "lead", "email": "Ada.L@Example.Com"}),
    wrote("102", 9, {"type": "lead", "id": "x"}, body="call +353861234567"),
    wrote("190", 10, {"type": "user", "external_id": "99", "email": "lada.l@example.com"}),
    wrote("109", 11, {"type": "user", "external_id": "9", "email": "ada.l@example.com"}, BETA_APP),
]


@pytest.fixture(scope="module")
def installation(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One person of two workspaces, somebody with a similar address and id, and the same address at another tenant."""
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=f"t{secrets.token_hex(4)}.", partitions=2)
    tenants = {"acme": {APP: "support", OTHER_APP: "support"}, "beta": {BETA_APP: "support"}}
    installation = Installation(settings, tmp_path_factory.mktemp("export"), list(TOPICS), tenants)
    asyncio.run(topics.apply(settings, Naming(prefix=settings.topic_prefix).changelogs(AGENTS), only=[]))
    installation.append(*(record for body in BODIES for record in records(body)))
    asyncio.run(process(settings))
    return installation


async def process(settings: KafkaSettings) -> None:
    """Run the agents until nothing waits any more and both of the events belong to somebody."""

    async def done() -> bool:
        return len([key for key in await latest(settings, "activity.assignments") if "@" in key]) == 2

    async with running(AGENTS, kafka=settings, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "the agents are ready")
        async with asyncio.timeout(DEADLINE_S):
            while not (await done() and caught_up(work)):  # noqa: ASYNC110  # Kafka sets no event
                await asyncio.sleep(0.1)


def held(installation: Installation, reference: str) -> dict[str, list[dict[str, Any]]]:
    (found,) = installation.printed("profiles", "export", reference, "--tenant", "acme")
    return {store["store"].removeprefix("topic "): store["records"] for store in found["stores"]}


def test_posts_that_name_only_a_value_of_any_of_the_records_are_held_too(installation: Installation) -> None:
    stores = held(installation, f"{OTHER_APP}:{SECOND}")
    assert {each["key"] for each in stores["intercom.activities"]} >= {f"{APP}:@external_id:9"}
    assert f"{APP}:@external_id:9" in {each["key"] for each in stores["activity.assignments"]}
    assert {each["key"].partition(":")[2] for each in stores["intercom.conversations"]} == {"100", "101", "102"}


def test_nothing_about_anybody_else_is_in_it(installation: Installation) -> None:
    text = json.dumps(held(installation, f"{APP}:{NINE}"))
    assert [each for each in ("lada.l@example.com", f"{APP}:190", BETA_APP, "@external_id:99") if each in text] == []


def test_a_value_that_somebody_else_has_too_is_no_mention(installation: Installation) -> None:
    installation.append(*records(saved("guest2", 20, external_id="guest", email="other@example.com")))
    installation.append(*records(wrote("200", 21, {"type": "user", "external_id": "guest"})))
    asyncio.run(process(installation.kafka))
    assert held(installation, f"{APP}:guest1")["intercom.conversations"] == []
