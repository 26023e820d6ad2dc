"""The broker's settings of a topic: a row of the topic table in Kafka's own terms."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from connectors.kafka.settings import DEAD_LETTER_ROOM, MAX_RECORD_BYTES, KafkaSettings
from schemas import dead_letters
from schemas.errors import Unavailable
from schemas.topics import DAY_MS, Topic

_TOMBSTONES_MS = 7 * DAY_MS  # a consumer that was away for less sees every deletion

_COMPACT: Mapping[str, str] = MappingProxyType(
    {
        "delete.retention.ms": str(_TOMBSTONES_MS),
        "max.compaction.lag.ms": str(DAY_MS),  # an erased value leaves the log within a day, however quiet the topic
        "min.cleanable.dirty.ratio": "0.2",  # 0.5 by default: tables are recovered from these topics, so they have to stay short
        "segment.ms": str(DAY_MS),
    }
)


def settings(topic: Topic, kafka: KafkaSettings) -> dict[str, str]:
    """Return the broker's settings of a topic."""
    room = DEAD_LETTER_ROOM if topic.name == dead_letters.TOPIC else 0
    return {
        "cleanup.policy": "compact" if topic.compact else "delete",
        "compression.type": "zstd",
        "max.message.bytes": str(MAX_RECORD_BYTES + room),
        "message.timestamp.type": "LogAppendTime" if topic.log_append_time else "CreateTime",
        "min.insync.replicas": str(kafka.min_insync),
        **(_COMPACT if topic.compact else _retention(topic.retention_ms)),
    }


def _retention(retention_ms: int) -> dict[str, str]:
    """Delete by time only, never by size; in segments of a day, because a record is deleted only with its whole segment."""
    limits = {"retention.ms": str(retention_ms), "retention.bytes": "-1"}
    return limits | ({"segment.ms": str(DAY_MS)} if retention_ms > 0 else {})


async def read_settings(admin: Any, names: list[str]) -> dict[str, dict[str, str]]:
    """Return the settings of topics as the brokers have them, by names on the broker. Raises Unavailable where one cannot be read."""
    if not names:
        return {}
    responses = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    by_topic: dict[str, dict[str, str]] = {}
    for response in responses:
        for code, _, _, name, entries in response.resources:
            if code:
                raise Unavailable(f"the settings of topic {name} cannot be read: {for_code(code).__name__}")
            by_topic[name] = {entry[0]: entry[1] for entry in entries}
    return by_topic
