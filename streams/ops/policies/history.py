"""The versions of a tenant's policy for one kind of profile."""

from typing import Any

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.codec import Avro
from schemas.message import header
from schemas.profiles.policy_events import TOPIC, PolicyEvent, decode, key_of


async def read_history(kafka: KafkaSettings, avro: Avro, tenant: str, kind: str) -> list[PolicyEvent]:
    """Return all versions, oldest first; the last one is in force. Raises Unavailable where Kafka does not answer."""

    def keep(record: Any) -> PolicyEvent:
        return decode(avro, record.value, header(record.headers, "ce_id") or "")

    return await read_to_end(kafka, TOPIC, keep, keys=[key_of(tenant, kind)])
