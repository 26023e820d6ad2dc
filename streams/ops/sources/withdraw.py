"""Withdraw a source: a record in every partition of both topics of records, and the operation, in one transaction."""

from typing import Final

from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from schemas.cloudevents import EventContext, Origin
from schemas.codec import Avro
from schemas.ids import derived
from schemas.operations import SOURCE_WITHDRAWN, Operation
from schemas.profiles.records import TOPICS, WITHDRAWN
from streams.ops.journal import entry_of

_TRANSACTIONAL_ID: Final = "source-withdrawal"


async def withdraw(
    kafka: KafkaSettings, avro: Avro, source: str, tenant: str, *, time: int, actor: str | None, reason: str
) -> Operation:
    """Withdraw a source, and return the operation that is recorded. Raises Unavailable where Kafka does not answer; nothing was done then."""
    operation = Operation(
        id=derived(source, "withdrawn", time, actor),
        kind=SOURCE_WITHDRAWN,
        time=time,
        actor=actor,
        reason=reason,
        details={"source": source, "tenant": tenant},
    )
    async with transactions(kafka, _TRANSACTIONAL_ID) as producer:
        records = [record for topic in TOPICS.values() for record in await _marks(kafka, topic, source, operation)]
        await producer.append([*records, entry_of(avro, operation)])
    return operation


async def _marks(kafka: KafkaSettings, topic: str, source: str, operation: Operation) -> list[TopicRecord]:
    async with open_ranges(kafka, kafka.topic(topic)) as reader:
        partitions = await reader.bounds()
    context = EventContext(
        id=operation.id,
        source="/operations",
        type=WITHDRAWN,
        origin=Origin.OPERATOR,
        time=operation.time,
        subject=source,
    )
    return [TopicRecord(topic, None, b"", context.headers(), partition) for partition in partitions]
