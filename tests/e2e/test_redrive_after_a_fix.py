"""Records that a faulty release could not process are redriven after the fix: the tables are those of a release without the fault.

`scripts/faults --kind redrive` is the long form.
"""

import asyncio
import random
from collections import Counter
from typing import NamedTuple

import msgspec
import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import transactions
from schemas.codec import Avro
from schemas.errors import InvalidRecord, MustStop
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
from tests.patience import DEADLINE_S
from tests.support.counting_agent import read_all
from tests.support.engines import QUICK, append_posts, rows_of, until, until_published
from tests.support.histories import contact_events
from tests.support.oracle import pipeline_of
from tests.support.tenancy import TENANCY

pytestmark = pytest.mark.asyncio

APP = "abc12345"
AVRO = Avro.local()
AGENTS = (contacts(TENANCY, AVRO), people(TENANCY, AVRO), identity(), memberships(TENANCY, AVRO))
CAUSES, AT_ONCE = 3, 500


class PoisonScale(NamedTuple):
    """How many events about how many persons, how many of them are poison, and how long (s) all of it may take."""

    events: int
    persons: int
    poisoned: int
    seconds: float = DEADLINE_S


SHORT = PoisonScale(1_500, 120, 90)
LONG = PoisonScale(100_000, 10_000, 1_002, 1_800.0)


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


async def posted(settings: KafkaSettings, seed: int, scale: PoisonScale) -> tuple[list[bytes], dict[bytes, int]]:
    """Post a history, and return its bodies and those that are poison, each with its cause."""
    bodies = contact_events(scale.events, scale.persons, seed, APP)
    poison = random.Random(seed).sample(sorted(set(bodies)), scale.poisoned)
    await topics.apply(settings, Naming(prefix=settings.topic_prefix).changelogs(AGENTS))
    async with transactions(settings, "ingress") as producer:
        for start in range(0, len(bodies), AT_ONCE):
            await append_posts(producer, "intercom.contacts", bodies[start : start + AT_ONCE])
    return bodies, {body: number % CAUSES for number, body in enumerate(poison)}


async def poison_is_redriven(settings: KafkaSettings, seed: int, scale: PoisonScale) -> None:
    """Raise AssertionError where poison is not grouped by cause, or tables after the fix are not the oracle's."""
    bodies, poisoned = await posted(settings, seed, scale)
    await read_by(settings, poisoned, scale.seconds)
    rows = await summaries(settings, AVRO, lambda _: True)
    assert Counter(row.pending for row in rows) == Counter({scale.poisoned // CAUSES: CAUSES}), rows
    assert {row.agent for row in rows} == {"contacts"}
    assert await redriven(settings) == scale.poisoned
    await fixed(settings, bodies, scale.seconds)
    assert [row.pending for row in await summaries(settings, AVRO, lambda _: True)] == [0] * CAUSES


async def read_by(settings: KafkaSettings, poisoned: dict[bytes, int], seconds: float) -> None:
    """Let the faulty release read all posts."""
    async with running((faulty(AGENTS[0], poisoned), *AGENTS[1:]), kafka=settings, limits=QUICK) as work:
        await until(
            lambda: work.engine.ready.is_set() and _read_all_posts(work), "the faulty release has read all posts", seconds
        )


async def redriven(settings: KafkaSettings) -> int:
    """Redrive every letter, and return how many were."""
    return (await resolve(settings, AVRO, lambda _: True, Resolution(kind=REDRIVEN, time=0), lambda _: None)).done


async def fixed(settings: KafkaSettings, bodies: list[bytes], seconds: float) -> None:
    """Let the release without faults work until tables and people are the oracle's."""
    expected = pipeline_of(bodies, TENANCY)
    rows = expected.tables["contacts"].rows()
    async with running(AGENTS, kafka=settings, limits=QUICK) as work:
        await until(lambda: work.engine.ready.is_set() and rows_of(work, "contacts") == rows, "the right contacts", seconds)
        await until_published(settings, "people", expected.latest("people"), seconds)


async def test_poison_of_three_causes_is_grouped_and_redriven_after_the_fix(kafka: str, prefix: str) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # shown by pytest when the test fails
    await poison_is_redriven(KafkaSettings(bootstrap=kafka, topic_prefix=prefix), seed, SHORT)


async def test_a_redrive_before_the_fix_stops_the_worker_and_loses_no_letter(kafka: str, prefix: str) -> None:
    settings, scale = KafkaSettings(bootstrap=kafka, topic_prefix=prefix), SHORT
    bodies, poisoned = await posted(settings, 7, scale)
    await read_by(settings, poisoned, scale.seconds)
    assert await redriven(settings) == scale.poisoned
    strict = msgspec.structs.replace(QUICK, dead_letter_consecutive=10)
    async with running((faulty(AGENTS[0], poisoned), *AGENTS[1:]), kafka=settings, limits=strict) as work:
        stopped = await asyncio.wait_for(work.failed(), DEADLINE_S)
    assert isinstance(stopped, MustStop)
    assert "the contacts agent could not process 10 records in a row" in str(stopped)
    letters = Counter(record.value for record in await read_all(settings, "dead.letters"))
    assert letters.keys() == poisoned.keys()
    assert letters.total() < scale.poisoned + 4 * 10  # of each partition at most what the limit lets pass
    await fixed(settings, bodies, scale.seconds)


def _read_all_posts(work: Running) -> bool:
    return all(processor.caught_up for processor in work.engine.all_processors() if processor.agent.name == "contacts")
