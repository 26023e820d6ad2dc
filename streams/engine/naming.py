"""Names the engine uses on the cluster. Each contains the generation, so that a rebuild can run beside the live one."""

from collections.abc import Collection, Mapping
from typing import Final

import msgspec
from aiokafka import TopicPartition

from schemas.topics import Encoding, Topic
from streams.engine.agent import Agent

_INPUTS: Final = "inputs-"


def inputs_agent(number: int) -> str:
    """Return the name of the agent that copies a generation's inputs into topics of its own, where these have other partitions."""
    return f"{_INPUTS}{number}"


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """One build of the tables of some agents, with the topics (plain names) of which it has its own.

    One that is not `live` sends to its own topics only: nobody but its own agents sees what it does.
    """

    number: int = 1
    own_topics: frozenset[str] = frozenset()
    live: bool = True


_FIRST: Final = Generation()


class Naming(msgspec.Struct, frozen=True, kw_only=True):
    """Names of one application, with the configured topic prefix before each. Agents that `generations` lacks are in the first.

    `role` distinguishes the members of one group from others of the same agents, such as those of a rebuild.
    """

    prefix: str = ""
    application: str = "intercom-streams"
    generations: Mapping[str, Generation] = msgspec.field(default_factory=dict)
    role: str = ""

    @property
    def group(self) -> str:
        """The consumer group whose membership decides who owns which partition."""
        return f"{self.prefix}{self.application}.g1{self.role and '.'}{self.role}"

    def offsets_group(self, agent: str) -> str:
        """The consumer group that an agent's positions are committed for: another one in each generation."""
        return self.group_of(self.generation(agent).number)

    def group_of(self, number: int) -> str:
        """The consumer group that has the positions of all agents of a generation."""
        return f"{self.prefix}{self.application}.g{number}"

    def generation(self, agent: str) -> Generation:
        """The generation of an agent."""
        return self.generations.get(agent, _FIRST)

    def topic(self, name: str) -> str:
        """The name on the broker of a topic that all generations share."""
        return f"{self.prefix}{name}"

    def own(self, number: int, name: str) -> str:
        """The name, without prefix, of a generation's own copy of a topic."""
        return f"{self.application}.g{number}.{name}"

    def output(self, agent: str, name: str) -> str:
        """The broker's topic that an agent's records for a topic go to."""
        generation = self.generation(agent)
        return self.topic(self.own(generation.number, name) if name in generation.own_topics else name)

    def source(self, agent: str, name: str) -> str:
        """The broker's topic that an agent reads as one of its sources."""
        return self.topic(name) if agent.startswith(_INPUTS) else self.output(agent, name)

    def sends(self, agent: str, name: str) -> bool:
        """Say whether an agent's records for a topic are sent at all."""
        generation = self.generation(agent)
        return generation.live or name in generation.own_topics

    def plain(self, topic: str) -> str:
        """A broker topic's name without prefix and generation, as agents know it."""
        name = topic.removeprefix(self.prefix)
        for number in {generation.number for generation in self.generations.values()}:
            name = name.removeprefix(self.own(number, ""))
        return name

    def changelog(self, agent: str) -> str:
        """The name, without prefix, of the topic that keeps an agent's table."""
        return self.own(self.generation(agent).number, f"{agent}.changelog")

    def changelog_partition(self, agent: str, partition: int) -> TopicPartition:
        """The broker's changelog partition of an agent's partition."""
        return TopicPartition(self.topic(self.changelog(agent)), partition)

    def source_partitions(self, agent: Agent, partition: int) -> Mapping[str, TopicPartition]:
        """The broker's source partitions of an agent's partition, by plain topic name."""
        return {topic: TopicPartition(self.source(agent.name, topic), partition) for topic in agent.sources}

    def transactional_id(self, agent: str, partition: int) -> str:
        """The id by which a partition's owner is fenced: the next owner's producer ends the transactions of the previous one."""
        return f"{self.offsets_group(agent)}.{agent}.{partition}"

    def changelogs(self, agents: Collection[Agent]) -> tuple[Topic, ...]:
        """The changelog topics of some agents, to be created like all others."""
        return tuple(
            Topic(
                name=self.changelog(agent.name), key="group|item", encoding=Encoding.INTERNAL, compact=True,
                written_by=(agent.name,), read_by=(agent.name,), about=f"the table of the {agent.name} agent",
            )
            for agent in agents
        )  # fmt: skip
