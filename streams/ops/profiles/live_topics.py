"""The topics of the builds of tables that are live: after a rebuild an agent has a changelog and internal topics of another number."""

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.generations import TOPIC
from streams.engine.naming import Naming
from streams.ops.generations.state import read_generations


class LiveTopics:
    """Names of topics, without the configured prefix, as they are now."""

    def __init__(self, names: Naming, present: frozenset[str]) -> None:
        self._names = names
        self.present = present

    @classmethod
    async def read(cls, kafka: KafkaSettings) -> "LiveTopics":
        """Return the names as the topic `generations` has them; those of the first build where there is no such topic."""
        prefix, found = kafka.topic_prefix, await topics.present(kafka)
        names = (await read_generations(kafka)).names(prefix) if kafka.topic(TOPIC) in found else Naming(prefix=prefix)
        return cls(names, frozenset(name.removeprefix(prefix) for name in found if name.startswith(prefix)))

    def changelog(self, agent: str) -> str:
        """Return the topic that keeps an agent's table."""
        return self._names.changelog(agent)

    def written_by(self, agent: str, topic: str) -> str:
        """Return the topic that an agent writes under that name."""
        return self._names.output(agent, topic).removeprefix(self._names.prefix)
