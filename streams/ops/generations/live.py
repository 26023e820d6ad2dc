"""Names, lag and topics of the live generations, for everything that looks at a running installation."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Final

import msgspec

from connectors.kafka.clients import Consumer, started
from connectors.kafka.group_lag import group_lag
from connectors.kafka.ranges import partitions_of
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import Report
from schemas.codec import Avro
from schemas.errors import TopicMissing
from schemas.generations import TableGeneration
from schemas.tenancy import Tenancy
from schemas.topics import TOPICS, Encoding, Topic
from streams.agents.topology import agents_of
from streams.engine.agent import Agent
from streams.engine.naming import Naming, inputs_agent
from streams.ops.generations.state import GenerationsState, read_generations

_COPIES_KEPT_MS: Final = TOPICS["person.patches"].retention_ms


@cache
def _agents() -> tuple[Agent, ...]:
    """Return the agents; their names and sources do not depend on the configuration."""
    return agents_of(Tenancy.of((), ()), Avro.local())


async def live_generations(kafka: KafkaSettings) -> GenerationsState:
    """Return what is written of the generations; nothing, where the topic is not there yet."""
    try:
        return await read_generations(kafka)
    except TopicMissing:
        return GenerationsState()


async def live_names(kafka: KafkaSettings) -> Naming:
    """Return the names of the live generations."""
    return (await live_generations(kafka)).names(kafka.topic_prefix)


async def changelog_of(kafka: KafkaSettings, agent: str) -> str:
    """Return the broker's topic that keeps an agent's table now."""
    names = await live_names(kafka)
    return names.topic(names.changelog(agent))


def location(names: Naming, topic: str) -> str:
    """Return the broker's topic that has what agents send each other now; every other topic has one place."""
    if TOPICS[topic].encoding is Encoding.INTERNAL:
        for agent in _agents():
            if topic in agent.sources:
                return names.source(agent.name, topic)
    return names.topic(topic)


def reading_groups(names: Naming, topic: str) -> set[tuple[str, str]]:
    """Return the groups that have positions in a topic, each with the broker's topic: a grown generation reads a copy too."""
    found = set()
    for agent in (agent for agent in _agents() if topic in agent.sources):
        source, group = names.source(agent.name, topic), names.offsets_group(agent.name)
        found.add((group, source))
        if (
            inputs_agent(names.generation(agent.name).number) in names.generations
            and TOPICS[topic].encoding is not Encoding.INTERNAL
        ):
            found.add((group, names.topic(topic)))
    return found


@asynccontextmanager
async def agents_lag(kafka: KafkaSettings, sources: Iterable[str]) -> AsyncIterator[Callable[[], Awaitable[dict[str, int]]]]:
    """Yield a function that returns how many offsets the agents have not read of each topic, by plain name."""
    names = await live_names(kafka)
    wanted = {topic: reading_groups(names, topic) for topic in sources}
    places: dict[str, set[str]] = {}
    for group, place in {each for found in wanted.values() for each in found}:
        places.setdefault(group, set()).add(place)
    async with AsyncExitStack() as stack:
        lags = {
            group: await stack.enter_async_context(group_lag(kafka, group, *sorted(found))) for group, found in places.items()
        }

        async def lag() -> dict[str, int]:
            behind = {group: await each() for group, each in lags.items()}
            return {topic: sum(behind[group].get(place, 0) for group, place in found) for topic, found in wanted.items()}

        yield lag


@asynccontextmanager
async def written_ends(kafka: KafkaSettings, sources: Iterable[str]) -> AsyncIterator[Callable[[], Awaitable[dict[str, int]]]]:
    """Yield a function that returns how many offsets there are to read of each topic, over the same places as `agents_lag`."""
    names = await live_names(kafka)
    places = {topic: [place for _, place in reading_groups(names, topic)] for topic in sources}
    async with started(Consumer(kafka, isolation_level="read_committed", enable_auto_commit=False)) as consumer:
        partitions = await partitions_of(consumer, *sorted({place for found in places.values() for place in found}))

        async def ends() -> dict[str, int]:
            by_place: Counter[str] = Counter()
            for each, end in (await consumer.end_offsets(partitions)).items():
                by_place[each.topic] += end
            return {topic: sum(by_place[place] for place in found) for topic, found in places.items()}

        yield ends


async def each_live_topic(
    kafka: KafkaSettings, act: Callable[[KafkaSettings, Collection[Topic], Collection[str] | None], Awaitable[Report]]
) -> Report:
    """Apply or check all topics of the table, changelogs, and the own topics of generations, each with its partitions."""
    state = await live_generations(kafka)
    names = state.names(kafka.topic_prefix)
    grown = {name: each.partitions for each in state.live.generations if each.partitions for name in each.agents}
    report = await act(kafka, names.changelogs([each for each in _agents() if each.name not in grown]), None)
    for generation in state.live.generations:
        settings = msgspec.structs.replace(kafka, partitions=generation.partitions or kafka.partitions)
        members = [each for each in _agents() if each.name in generation.agents and each.name in grown]
        own = [own_topic(generation, name, names) for name in generation.own_topics if _is_read(generation, name, names)]
        further = await act(settings, [*names.changelogs(members), *own], ())
        report = Report(report.topics + further.topics, (*report.created, *further.created), (*report.drift, *further.drift))
    return report


def _is_read(generation: TableGeneration, name: str, names: Naming) -> bool:
    """Say whether a generation's own copy is in use: a part of its agents may be in a later generation."""
    place = names.topic(names.own(generation.number, name))
    return any(names.source(agent.name, name) == place for agent in _agents() if name in agent.sources)


def own_topic(generation: TableGeneration, name: str, names: Naming) -> Topic:
    """Return the topic that is a generation's own copy of one of the table. Copies of inputs are kept as what agents send each other is."""
    topic = TOPICS[name]
    kept = _COPIES_KEPT_MS if name in generation.inputs and not topic.compact else topic.retention_ms
    return msgspec.structs.replace(topic, name=names.own(generation.number, name), retention_ms=kept, log_append_time=False)
