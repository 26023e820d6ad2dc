"""Names the engine uses on the cluster. Each contains the generation, so that a rebuild can run beside the live one."""

from collections.abc import Mapping

import msgspec
from aiokafka import TopicPartition

from schemas.topics import Encoding, Topic
from streams.engine.agent import Agent


class Naming(msgspec.Struct, frozen=True, kw_only=True):
    """Names of one application in one generation, with the configured topic prefix before each."""

    prefix: str = ""
    application: str = "intercom-streams"
    generation: int = 1

    @property
    def group(self) -> str:
        """The consumer group whose membership decides who owns which partition."""
        return f"{self.prefix}{self.application}.g{self.generation}"

    def topic(self, name: str) -> str:
        """A topic's name on the broker."""
        return f"{self.prefix}{name}"

    def plain(self, topic: str) -> str:
        """A broker topic's name without the prefix, as agents know it."""
        return topic.removeprefix(self.prefix)

    def changelog(self, agent: str) -> str:
        """The name, without prefix, of the topic that keeps an agent's table."""
        return f"{self.application}.g{self.generation}.{agent}.changelog"

    def changelog_partition(self, agent: str, partition: int) -> TopicPartition:
        """The broker's changelog partition of an agent's partition."""
        return TopicPartition(self.topic(self.changelog(agent)), partition)

    def source_partitions(self, agent: Agent, partition: int) -> Mapping[str, TopicPartition]:
        """The broker's source partitions of an agent's partition, by plain topic name."""
        return {topic: TopicPartition(self.topic(topic), partition) for topic in agent.sources}

    def transactional_id(self, agent: str, partition: int) -> str:
        """The id by which a partition's owner is fenced: the next owner's producer ends the transactions of the previous one."""
        return f"{self.group}.{agent}.{partition}"

    def changelogs(self, agents: tuple[Agent, ...]) -> tuple[Topic, ...]:
        """The changelog topics of some agents, to be created like all others."""
        return tuple(
            Topic(
                name=self.changelog(agent.name), key="group|item", encoding=Encoding.INTERNAL, compact=True,
                written_by=(agent.name,), read_by=(agent.name,), about=f"the table of the {agent.name} agent",
            )
            for agent in agents
        )  # fmt: skip
