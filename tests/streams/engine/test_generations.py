"""Two generations of an agent side by side, on a real broker: names, how far one reads, and who may write."""

import asyncio

import msgspec
import pytest
from aiokafka import TopicPartition

from connectors.kafka.settings import KafkaSettings
from schemas.errors import MustStop
from streams.engine.naming import Generation, Naming, inputs_agent
from streams.engine.partition.processor import PartitionStatus
from streams.engine.recovery.fencing import fenced_producer
from streams.engine.runner import Running
from streams.engine.runner import running as run_engine
from tests.patience import DEADLINE_S
from tests.support.counting_agent import OUT, PARTITIONS, SOURCE, counting, create_topics, read_all
from tests.support.engines import KEYS, QUICK, count_of, counts, exactly, processed, send, until

SECOND = Generation(number=2, own_topics=frozenset({"person.patches"}), live=False)


def test_a_generation_has_its_own_changelogs_internal_topics_ids_and_offsets() -> None:
    names = Naming(prefix="p.", generations={"people": SECOND})
    assert names.changelog("people") == "intercom-streams.g2.people.changelog"
    assert names.output("people", "person.patches") == "p.intercom-streams.g2.person.patches"
    assert names.output("people", "people") == "p.people"
    assert names.transactional_id("people", 3) == "p.intercom-streams.g2.people.3"
    assert names.offsets_group("people") == "p.intercom-streams.g2"
    assert names.plain("p.intercom-streams.g2.person.patches") == "person.patches"
    assert names.changelog("contacts") == "intercom-streams.g1.contacts.changelog"
    assert names.group == Naming(prefix="p.").group


def test_a_generation_that_is_not_live_sends_to_its_own_topics_only() -> None:
    names = Naming(generations={"people": SECOND})
    assert names.sends("people", "person.patches")
    assert not names.sends("people", "people")
    live = Naming(generations={"people": msgspec.structs.replace(SECOND, live=True)})
    assert live.sends("people", "people")


def test_the_agent_that_copies_inputs_reads_what_all_generations_share() -> None:
    copies = Generation(number=2, own_topics=frozenset({SOURCE}))
    names = Naming(generations={"count": copies, inputs_agent(2): copies})
    assert (names.source(inputs_agent(2), SOURCE), names.output(inputs_agent(2), SOURCE)) == (
        SOURCE,
        names.source("count", SOURCE),
    )


@pytest.mark.asyncio
async def test_nothing_is_read_beyond_a_stop_and_the_rest_once_it_is_lifted(settings: KafkaSettings) -> None:
    agent = counting()
    await create_topics(settings, agent)
    await send(settings, ["k0"] * 30)
    (partition,) = {record.partition for record in await read_all(settings, SOURCE)}
    stops = {TopicPartition(settings.topic(SOURCE), partition): 12}
    async with run_engine((agent,), kafka=settings, limits=QUICK, stops=stops) as work:
        await until(lambda: processed(work) == 12, "the stop is reached")
        await asyncio.sleep(0.5)  # what it would read beyond the stop, it would have read by now
        assert processed(work) == 12
        stops[TopicPartition(settings.topic(SOURCE), partition)] = 20
        await until(lambda: processed(work) == 20, "the next stop is reached")
        stops.clear()
        await send(settings, ["k0"])
        await until(lambda: processed(work) == 31, "the rest is read")
    assert await counts(settings) == exactly(["k0"] * 31)


@pytest.mark.asyncio
async def test_a_second_generation_works_beside_the_live_one_and_sends_nothing(settings: KafkaSettings) -> None:
    agent = counting()
    names = Naming(prefix=settings.topic_prefix, generations={agent.name: Generation(number=2, live=False)}, role="rebuild")
    await create_topics(settings, agent)
    await create_topics(settings, agent, names=names)
    await send(settings, KEYS)
    async with run_engine((agent,), kafka=settings, limits=QUICK) as first:
        await until(lambda: processed(first) == len(KEYS), "the live one has read all")
        async with run_engine((agent,), kafka=settings, names=names, limits=QUICK) as second:
            await until(lambda: processed(second) == len(KEYS), "the other one has read all")
            assert {count_of(second, key) for key in KEYS} == {1}
            await send(settings, KEYS)
            await until(lambda: processed(first) == processed(second) == 2 * len(KEYS), "both have read all")
    assert await counts(settings) == exactly(KEYS * 2)
    assert len(await read_all(settings, OUT)) == 2 * len(KEYS)


class Guard:
    """A guard whose knowledge a test sets."""

    def __init__(self, settings: KafkaSettings) -> None:
        self.control = TopicPartition(settings.topic("dead.letters"), 0)  # any topic that has this partition
        self.held: set[str] = set()
        self.held_at_end: set[str] = set()
        self.changed = False

    def is_held(self, agent: str) -> bool:
        return agent in self.held

    async def read_to(self, end: int) -> None:
        self.held |= self.held_at_end
        if self.changed:
            raise MustStop("another generation is live")


async def _fence_all(settings: KafkaSettings) -> None:
    for partition in range(PARTITIONS):
        name = Naming(prefix=settings.topic_prefix).transactional_id("count", partition)
        await (await fenced_producer(settings, name, QUICK)).stop()


def _statuses(work: Running) -> set[PartitionStatus]:
    return {processor.status for processor in work.engine.all_processors()}


@pytest.mark.asyncio
async def test_a_fenced_agent_that_is_held_stands_still_and_continues_afterwards(settings: KafkaSettings) -> None:
    agent, guard = counting(), Guard(settings)
    await create_topics(settings, agent)
    async with run_engine((agent,), kafka=settings, limits=QUICK, guard=guard) as work:
        await send(settings, KEYS)
        await until(lambda: processed(work) == len(KEYS), "before")
        guard.held_at_end = {agent.name}  # it learns of it only when it has fenced again, as a frozen worker would
        await _fence_all(settings)
        await send(settings, [f"k{number}" for number in range(40)])
        await until(lambda: _statuses(work) == {PartitionStatus.FAILED}, "all stand still")
        guard.held, guard.held_at_end = set(), set()
        await until(lambda: processed(work) == len(KEYS) + 40 and _statuses(work) == {PartitionStatus.LIVE}, "after")
    assert await counts(settings) == exactly([*KEYS, *(f"k{number}" for number in range(40))])


@pytest.mark.asyncio
async def test_a_fenced_agent_whose_generation_was_replaced_stops_the_engine(settings: KafkaSettings) -> None:
    agent, guard = counting(), Guard(settings)
    await create_topics(settings, agent)
    async with run_engine((agent,), kafka=settings, limits=QUICK, guard=guard) as work:
        await until(work.engine.ready.is_set, "ready")
        guard.changed = True
        await _fence_all(settings)
        await send(settings, KEYS)
        assert isinstance(await asyncio.wait_for(work.failed(), DEADLINE_S), MustStop)
    assert await counts(settings) == {}
