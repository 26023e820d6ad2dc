"""Records that a faulty release could not process are redriven after the fix: the tables are those of a release without the fault."""

import asyncio
import random
from collections import Counter

import msgspec
import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.intercom.envelope import envelope
from schemas.intercom.routes import destinations
from schemas.operations import REDRIVEN
from schemas.tenancy import App, Secret, Tenancy, Tenant, Workspace
from streams.agents.contacts import contacts
from streams.agents.identity.agent import identity
from streams.agents.people import people
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.naming import Naming
from streams.engine.runner import Running, running
from streams.engine.tables.store import MemoryStore
from streams.ops.dead_letters.causes import summaries
from streams.ops.dead_letters.resolve import Resolution, resolve
from tests.support.counting_agent import read_all
from tests.support.engines import QUICK, until
from tests.support.histories import contact_events
from tests.support.oracle import pipeline_of

pytestmark = pytest.mark.asyncio

APP = "abc12345"
AVRO = Avro.local()
TENANCY = Tenancy.of(
    [App(name="support", client_secrets=(Secret("s"),))],
    [Tenant(id="acme", workspaces=(Workspace(app_id=APP, app="support"),))],
)
EVENTS, PERSONS, POISONED = 1_500, 120, 90
TOPICS = [
    "intercom.contacts", "person.patches", "people", "people.changes", "people.aliases", "memberships", "dead.letters", "operations",
    "identity.claims", "identity.rules", "contact.assignments", "contact.read.requests",
]  # fmt: skip


def faulty(agent: Agent, poisoned: dict[bytes, int]) -> Agent:
    """Return the agent of a release with three faults, each of which meets a part of the poisoned bodies."""

    def step(batch: Batch, table: Table, out: Outbox) -> object:
        for record in batch.records:
            match poisoned.get(record.value):
                case 0:
                    raise KeyError("a field that this release expects")
                case 1:
                    raise InvalidRecord(f"the contact has {len(record.value)} bytes, which this release takes for too many")
                case 2:
                    raise ZeroDivisionError
        return agent.step(batch, table, out)

    return msgspec.structs.replace(agent, step=step)


async def test_poison_of_three_causes_is_grouped_and_redriven_after_the_fix(kafka: str, prefix: str) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # shown by pytest when the test fails
    bodies = contact_events(EVENTS, PERSONS, seed, APP)
    poisoned = {body: number % 3 for number, body in enumerate(random.Random(seed).sample(sorted(set(bodies)), POISONED))}
    agents = (contacts(TENANCY, AVRO), people(AVRO), identity())
    await topics.apply(settings, Naming(prefix=prefix).changelogs(agents), only=TOPICS)
    async with transactions(settings, "ingress") as producer:
        await producer.append([record for body in bodies for record in _records(body)])

    async with running((faulty(agents[0], poisoned), *agents[1:]), kafka=settings, limits=QUICK) as work:
        await until(lambda: work.engine.ready.is_set() and _read_all_posts(work), "the faulty release has read all posts")
    rows = await summaries(settings, AVRO, lambda _: True)
    assert Counter(row.pending for row in rows) == Counter({POISONED // 3: 3}), rows
    assert {row.agent for row in rows} == {"contacts"}

    counts = await resolve(settings, AVRO, lambda _: True, Resolution(kind=REDRIVEN, time=0), lambda _: None)
    assert counts.done == sum(row.pending for row in rows)
    expected = pipeline_of(bodies, TENANCY)
    async with running(agents, kafka=settings, limits=QUICK) as work:
        await until(
            lambda: work.engine.ready.is_set() and _rows(work) == expected.tables["contacts"].rows(), "the right contacts"
        )
        async with asyncio.timeout(60):
            while await _latest(settings, "people") != expected.latest("people"):  # noqa: ASYNC110  # Kafka sets no event
                await asyncio.sleep(0.2)
    assert [row.pending for row in await summaries(settings, AVRO, lambda _: True)] == [0, 0, 0]


def _records(body: bytes) -> list[TopicRecord]:
    """Return the records of a post, as the ingress routes it."""
    return [
        TopicRecord(
            destination.topic,
            destination.key.encode(),
            body,
            [
                ("ce_id", destination.id.encode()),
                *([("ce_causationid", destination.causation.encode())] if destination.causation else []),
            ],
        )
        for destination in destinations(envelope(body))
        if destination.topic == "intercom.contacts"
    ]


def _read_all_posts(work: Running) -> bool:
    return all(processor.caught_up for processor in work.engine.all_processors() if processor.agent.name == "contacts")


def _rows(work: Running) -> dict[str, bytes]:
    """Return the rows of the contacts agent's table, by key."""
    stores = [processor.store for processor in work.engine.all_processors() if processor.agent.name == "contacts"]
    return dict(sorted(row for store in stores if isinstance(store, MemoryStore) for row in store.items()))


async def _latest(settings: KafkaSettings, topic: str) -> dict[str, bytes]:
    values = {record.key.decode(): record.value for record in await read_all(settings, topic)}
    return {key: value for key, value in sorted(values.items()) if value is not None}
