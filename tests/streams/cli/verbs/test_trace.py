"""`trace` on a real broker: one event from its topic to everything that came of it, or why nothing did."""

import asyncio
from pathlib import Path

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from schemas.cloudevents import EventContext, Origin
from schemas.codec import Avro
from schemas.intercom.envelope import envelope
from schemas.intercom.routes import destinations, event_type
from schemas.tenancy import App, Secret, Tenancy, Tenant, Workspace
from schemas.topics import TOPICS
from streams.agents.topology import agents_of
from streams.engine.agent import Agent
from streams.engine.naming import Naming
from streams.engine.runner import Running, running
from tests.streams.cli.installation import Installation
from tests.support.counting_agent import producing
from tests.support.engines import QUICK, until
from tests.support.intercom_bodies import APP, AT, contact, posted

TENANCY = Tenancy.of(
    [App(name="support", client_secrets=(Secret("s"),))],
    [Tenant(id="acme", workspaces=(Workspace(app_id=APP, app="support"),))],
)
AVRO = Avro.local()
AGENTS = agents_of(TENANCY, AVRO)


@pytest.fixture
def installation(kafka: str, prefix: str, tmp_path: Path) -> Installation:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=1)
    installation = Installation(settings, tmp_path, list(TOPICS))
    asyncio.run(topics.apply(settings, Naming(prefix=prefix).changelogs(AGENTS), only=[]))
    return installation


def records(body: bytes, *, recorded: int = AT * 1000 + 700) -> list[TopicRecord]:
    """Return a post's records as the ingress writes them."""
    notification = envelope(body)
    return [
        TopicRecord(
            to.topic,
            to.key.encode(),
            body,
            EventContext(
                id=to.id, source=f"/intercom/{APP}", type=event_type(notification.topic), origin=Origin.WEBHOOK,
                time=AT * 1000, recorded=recorded, causation_id=to.causation,
            ).headers(),
        )
        for to in destinations(notification)
    ]  # fmt: skip


def process(installation: Installation, count: int, topic: str, agents: tuple[Agent, ...] = AGENTS) -> None:
    """Run the agents until they have read so many offsets of a topic."""

    async def work() -> None:
        async with running(agents, kafka=installation.kafka, limits=QUICK) as work:
            await until(lambda: work.engine.ready.is_set() and _read(work, topic) >= count, f"{topic} is read")

    asyncio.run(work())


def _read(work: Running, topic: str) -> int:
    return sum(processor.positions.get(topic, 0) for processor in work.engine.all_processors())


def test_a_contacts_event_is_followed_to_the_person_and_what_changed(installation: Installation):
    installation.append(*records(posted("contact.user.updated", contact(email="ada@example.com"))))
    process(installation, 1, "person.patches")
    (found,) = installation.printed("trace", "notif_1")
    steps = [(record["topic"], record["depth"]) for record in found["records"]]
    assert steps[0] == ("intercom.contacts", 0)
    assert {topic for topic, _ in steps[1:]} >= {"person.patches", "people", "people.changes"}
    assert all(depth > 0 for _, depth in steps[1:])
    assert "records followed" in found["verdict"]
    text = installation.types("trace", "notif_1").output
    assert "received 2026-" in text
    assert "ada@example.com" not in text


def test_a_teammates_event_is_followed_to_the_violation_and_the_ledger(installation: Installation):
    admin = {"type": "admin", "id": "7", "email": "jo@acme.example", "name": "Jo"}
    installation.append(*records(posted("admin.added_to_workspace", admin)))
    process(installation, 1, "access.facts")
    (found,) = installation.printed("trace", "notif_1")
    by_topic = {record["topic"]: record for record in found["records"]}
    assert set(by_topic) >= {"intercom.admins", "access.facts", "access.violations", "access.state", "access.ledger"}
    assert (by_topic["access.facts"]["depth"], by_topic["access.violations"]["depth"]) == (1, 2)
    assert by_topic["access.ledger"]["detail"] == "outcome: applied"


def test_an_event_that_could_not_be_processed_says_so(installation: Installation):
    headers = EventContext(id="bad", source="/x", type="intercom.contact.user.updated", origin=Origin.WEBHOOK).headers()
    installation.append(TopicRecord("intercom.contacts", b"abc12345:1", b"no json", headers))
    process(installation, 1, "intercom.contacts")
    (found,) = installation.printed("trace", "bad")
    assert "could not be processed" in found["verdict"]
    assert found["records"][-1]["topic"] == "dead.letters"
    assert found["records"][-1]["detail"]


def test_an_event_without_effect_says_why(installation: Installation):
    body = posted("contact.user.updated", contact(email="ada@example.com"))
    installation.append(*records(body))
    (found,) = installation.printed("trace", "notif_1")
    assert "no worker has processed this topic yet" in found["verdict"]
    process(installation, 1, "person.patches")
    older = posted("contact.user.updated", contact(email="older@example.com", updated=(AT - 60) * 1000), at=AT - 60, number=2)
    installation.append(*records(older))
    (found,) = installation.printed("trace", "notif_2")
    assert "not processed yet" in found["verdict"]
    process(installation, 3, "intercom.contacts")  # a transaction's marker has an offset too
    (found,) = installation.printed("trace", "notif_2")
    assert [record["topic"] for record in found["records"]] in (["intercom.contacts"], ["intercom.contacts", "person.patches"])
    assert "changed nothing" in found["verdict"]


def test_what_no_agent_reads_is_kept_and_said_to_be(installation: Installation):
    installation.append(*records(posted("article.published", {"type": "article", "id": "7"})))
    (found,) = installation.printed("trace", "notif_1")
    assert "no agent reads intercom.articles" in found["verdict"]


def test_a_post_that_waited_in_the_spool_shows_for_how_long(installation: Installation):
    body = posted("contact.user.updated", contact())
    asyncio.run(_out_of_order(installation.kafka, records(body, recorded=AT * 1000)[0]))
    (found,) = installation.printed("trace", "notif_1")
    assert found["records"][0]["waited"] == 12_000
    assert "waited in the spool, about 12.0 s" in installation.types("trace", "notif_1").output


async def _out_of_order(kafka: KafkaSettings, late: TopicRecord) -> None:
    """Write a record received at a time, behind another that was received 12 s later."""
    async with producing(kafka) as producer:
        name = kafka.topic("intercom.contacts")
        await producer.send_and_wait(name, b"{}", key=b"abc12345:2", partition=0, timestamp_ms=AT * 1000 + 12_000)
        await producer.send_and_wait(
            name, late.value, key=late.key, headers=list(late.headers), partition=0, timestamp_ms=AT * 1000
        )


def test_an_unknown_event_is_exit_code_1(installation: Installation):
    result = installation.types("trace", "notif_none")
    assert (result.exit_code, "no inbound topic has this event" in result.output) == (1, True)
