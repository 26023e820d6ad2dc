"""What a rebuild is done with, and the engines of the two generations it runs."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec
from aiokafka import TopicPartition

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.generations import RebuildEntry, TableGeneration
from schemas.tenancy import Tenancy
from schemas.versioned import OLDEST
from streams.agents.rebuilt.inputs import inputs
from streams.engine.agent import Agent
from streams.engine.encodings import Encodings
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.runner import Running, running
from streams.engine.tables.rocksdb import RocksStores
from streams.engine.tables.store import OpenStore, open_memory_store
from streams.ops.generations.live import own_topic
from streams.ops.generations.state import GenerationsState
from streams.ops.generations.units import Unit


class RebuildJob(msgspec.Struct, frozen=True, kw_only=True):
    """The installation a rebuild is for. Tables of the agents in `on_disk` are kept below `folder` meanwhile."""

    kafka: KafkaSettings
    avro: Avro
    tenancy: Tenancy
    agents: tuple[Agent, ...]
    limits: Limits = Limits()
    encoding: int = 0
    on_disk: frozenset[str] = frozenset()
    folder: Path = Path()

    def members(self, generation: TableGeneration) -> tuple[Agent, ...]:
        """Return the agents of a generation; none of them wakes itself, which only the live owner may."""
        return tuple(
            msgspec.structs.replace(agent, wake=None)
            for agent in with_inputs(self.agents, (generation,))
            if agent.name in generation.agents or agent not in self.agents
        )

    def live_members(self, unit: Unit, state: GenerationsState) -> tuple[Agent, ...]:
        """Return the agents of a unit, and those that copy inputs for their live generations."""
        generations = tuple(each for each in state.live.generations if set(each.agents) & set(unit.agents))
        return tuple(
            msgspec.structs.replace(agent, wake=None)
            for agent in with_inputs(self.agents, generations)
            if agent.name in unit.agents or agent not in self.agents
        )

    def engine(
        self, agents: tuple[Agent, ...], names: Naming, stops: Mapping[TopicPartition, int], folder: str
    ) -> AbstractAsyncContextManager[Running]:
        """Run agents under these names, not beyond the stops."""
        return running(
            agents,
            kafka=self.kafka,
            names=names,
            limits=self.limits,
            store_of=self._stores(folder),
            encodings=Encodings(configured=self.encoding or OLDEST),
            stops=stops,
        )

    def _stores(self, folder: str) -> OpenStore:
        return RocksStores(self.folder / folder, self.on_disk) if self.on_disk else open_memory_store


def with_inputs(agents: tuple[Agent, ...], generations: tuple[TableGeneration, ...]) -> tuple[Agent, ...]:
    """Return the agents, and those that copy the inputs of these generations."""
    copying = []
    for generation in generations:
        read = {source for agent in agents if agent.name in generation.agents for source in agent.sources}
        if copied := tuple(topic for topic in generation.inputs if topic in read):
            copying.append(inputs(generation.number, copied, generation.partitions))
    return (*agents, *copying)


async def create_topics(job: RebuildJob, entry: RebuildEntry, names: Naming, partitions: int) -> None:
    """Create the topics of a generation: changelogs, and its own copies of topics."""
    generation = entry.generation
    kafka = msgspec.structs.replace(job.kafka, partitions=partitions)
    shared = [agent for agent in job.members(generation) if agent.name not in generation.agents]
    members = [agent for agent in job.members(generation) if agent.name in generation.agents]
    own = [own_topic(generation, name, names) for name in generation.own_topics]
    await topics.apply(kafka, [*names.changelogs(members), *own], only=())
    await topics.apply(job.kafka, names.changelogs(shared), only=())


def own_topics(job: RebuildJob, generation: TableGeneration, names: Naming) -> list[str]:
    """Return the broker topics that only this generation has."""
    changelogs = [names.topic(topic.name) for topic in names.changelogs(job.members(generation))]
    return [*changelogs, *(names.topic(names.own(generation.number, name)) for name in generation.own_topics)]
