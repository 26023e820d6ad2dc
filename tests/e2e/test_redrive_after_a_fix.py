"""Records that a faulty release could not process are redriven after the fix: the tables are those of a release without the fault."""

import random
from collections import Counter

import msgspec
import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import transactions
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.operations import REDRIVEN
from streams.agents.contacts import contacts
from streams.agents.identity.agent import identity
from streams.agents.membership.agent import memberships
from streams.agents.people import people
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.naming import Naming
from streams.engine.runner import Running, running
from streams.ops.dead_letters.causes import summaries
from streams.ops.dead_letters.resolve import Resolution, resolve
from tests.support.engines import QUICK, append_posts, rows_of, until, until_published
from tests.support.histories import contact_events
from tests.support.oracle import pipeline_of
from tests.support.tenancy import TENANCY

pytestmark = pytest.mark.asyncio

APP = "abc12345"
AVRO = Avro.local()
EVENTS, PERSONS, POISONED = 1_500, 120, 90
TOPICS = [
    "intercom.contacts", "person.patches", "people", "people.changes", "people.aliases", "memberships", "dead.letters", "operations",
    "identity.claims", "identity.rules", "contact.assignments", "contact.read.requests", "membership.edges",
    "membership.founders",
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
    agents = (contacts(TENANCY, AVRO), people(TENANCY, AVRO), identity(), memberships(TENANCY, AVRO))
    await topics.apply(settings, Naming(prefix=prefix).changelogs(agents), only=TOPICS)
    async with transactions(settings, "ingress") as producer:
        await append_posts(producer, "intercom.contacts", bodies)

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
            lambda: work.engine.ready.is_set() and rows_of(work, "contacts") == expected.tables["contacts"].rows(),
            "the right contacts",
        )
        await until_published(settings, "people", expected.latest("people"))
    assert [row.pending for row in await summaries(settings, AVRO, lambda _: True)] == [0, 0, 0]


def _read_all_posts(work: Running) -> bool:
    return all(processor.caught_up for processor in work.engine.all_processors() if processor.agent.name == "contacts")
