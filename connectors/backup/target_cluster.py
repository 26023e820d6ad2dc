"""The cluster a backup is restored to. While topics are filled, brokers delete, compact and stamp nothing in them.

So what was restored can be read back whole and compared, and times stay as they were, also where a topic's time is its append time
(`message.timestamp.type` is changed back at the end; records written before keep theirs).
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code
from aiokafka.structs import OffsetAndMetadata

from connectors.kafka.admin import admin_client
from connectors.kafka.clients import Consumer, started
from connectors.kafka.ranges import partitions_of
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_settings import read_settings, settings
from schemas.errors import BadConfiguration, Unavailable
from schemas.topics import Topic

_VISIBLE_S: Final = 30.0
_POLL_S: Final = 0.05
FILLING: Final = {"cleanup.policy": "delete", "retention.ms": "-1", "message.timestamp.type": "CreateTime"}
"""The settings of a topic while a restore fills it, where the table's differ."""


class TargetCluster:
    """Creates topics, fills their partitions, and commits positions. Topics' names are without prefix."""

    def __init__(self, kafka: KafkaSettings, admin: Any, consumer: Any) -> None:
        self._kafka = kafka
        self._admin = admin
        self._consumer = consumer

    async def require_empty(self, partitions: Mapping[str, int], groups: Iterable[str]) -> None:
        """Raise BadConfiguration where a topic has records or other partitions, or one of the groups has members.

        A topic that had records and lost them counts as well: the next ones would get other offsets.
        """
        present = await partitions_of(self._consumer, *map(self._kafka.topic, partitions))
        ends = await self._consumer.end_offsets(present) if present else {}
        counts = {topic: sum(each.topic == self._kafka.topic(topic) for each in present) for topic in partitions}
        if used := sorted({each.topic for each, end in ends.items() if end > 0}):
            raise BadConfiguration(
                f"{len(used)} topics at {self._kafka.bootstrap} have records already, {used[0]} among them, and a restore never adds to "
                "what is there. Restore to an empty cluster or under another kafka.topic_prefix, or delete these topics first."
            )
        if other := sorted(topic for topic, count in counts.items() if count not in (0, partitions[topic])):
            raise BadConfiguration(
                f"topic {self._kafka.topic(other[0])} has {counts[other[0]]} partitions, and {partitions[other[0]]} in the backup: "
                "delete it while it is empty, and the restore creates it as it was"
            )
        for described in await self._admin.describe_consumer_groups(sorted(groups)):
            for entry in described.groups:
                if entry[5]:
                    raise BadConfiguration(
                        f"{len(entry[5])} workers run at {self._kafka.bootstrap} (group {entry[2]}): stop them first"
                    )

    async def begin(self, topics: Mapping[str, tuple[Topic, int]]) -> None:
        """Create the topics that are missing, each with so many partitions, and let nothing happen to their records."""
        present = await self._present(topics)
        missing = {name: each for name, each in topics.items() if name not in present}
        new = [
            NewTopic(self._kafka.topic(name), count, self._kafka.replication, topic_configs=self._settings(topic) | FILLING)
            for name, (topic, count) in missing.items()
        ]
        for name, code, *_ in (await self._admin.create_topics(new)).topic_errors if new else ():
            if code:
                raise BadConfiguration(f"topic {name} was not created: the broker answered {for_code(code).__name__}")
        await self._configure({topic.name: FILLING for topic, _ in topics.values() if topic.name not in missing}, topics)
        async with asyncio.timeout(_VISIBLE_S):
            while await self._present(topics) < set(topics):  # noqa: ASYNC110  # Kafka sets no event
                await asyncio.sleep(_POLL_S)

    async def end(self, topics: Mapping[str, tuple[Topic, int]]) -> None:
        """Give the topics the settings that the table has for them."""
        await self._configure({topic.name: {} for topic, _ in topics.values()}, topics)

    async def commit(self, group: str, positions: Mapping[str, Mapping[int, int]]) -> None:
        """Commit positions for a group without members."""
        consumer = Consumer(self._kafka, group_id=group, enable_auto_commit=False)
        offsets = {
            TopicPartition(self._kafka.topic(topic), number): OffsetAndMetadata(at, "")
            for topic, numbers in positions.items()
            for number, at in numbers.items()
        }
        async with started(consumer):
            consumer.assign(list(offsets))
            await consumer.commit(offsets)

    async def _present(self, topics: Iterable[str]) -> set[str]:
        present = await partitions_of(self._consumer, *map(self._kafka.topic, topics))
        return {each.topic.removeprefix(self._kafka.topic_prefix) for each in present}

    def _settings(self, topic: Topic) -> dict[str, str]:
        return settings(topic, self._kafka)

    async def _configure(self, changes: Mapping[str, Mapping[str, str]], topics: Mapping[str, tuple[Topic, int]]) -> None:
        """Change settings, and return when the broker shows them: it learns of them a moment after the controller has agreed."""
        wanted = {self._kafka.topic(name): {**self._settings(topics[name][0]), **change} for name, change in changes.items()}
        if not wanted:
            return
        resources = [ConfigResource(ConfigResourceType.TOPIC, name, each) for name, each in wanted.items()]
        for response in await self._admin.alter_configs(resources):
            for code, _, _, name in response.resources:
                if code:
                    raise Unavailable(f"the settings of topic {name} were not changed: {for_code(code).__name__}")
        async with asyncio.timeout(_VISIBLE_S):
            while not _shown(wanted, await read_settings(self._admin, list(wanted))):  # noqa: ASYNC110  # Kafka sets no event
                await asyncio.sleep(_POLL_S)


def _shown(wanted: Mapping[str, Mapping[str, str]], found: Mapping[str, Mapping[str, str]]) -> bool:
    return all(each.items() <= found[name].items() for name, each in wanted.items())


@asynccontextmanager
async def target_cluster(kafka: KafkaSettings) -> AsyncIterator[TargetCluster]:
    """Yield the cluster. Raises Unavailable where it does not answer."""
    try:
        async with started(Consumer(kafka, enable_auto_commit=False)) as consumer, admin_client(kafka) as admin:
            yield TargetCluster(kafka, admin, consumer)
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(
            f"Kafka at {kafka.bootstrap} stopped answering ({type(error).__name__}). What is restored so far is of no use alone: "
            "delete the topics, and restore again."
        ) from error
