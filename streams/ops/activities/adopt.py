"""Posts about activities that an earlier release put elsewhere, sent to `intercom.activities`, once.

Before there was that topic, events, calls and statistics of contents went to `intercom.other`, and what happened to a contact to
`intercom.contacts` alone. How far these topics are read is in the journal, in the transactions of what was sent, so a move that is broken
off continues where it was. Posts since then are on the topic already: what is sent again has the same id, and is the same activity.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from connectors.kafka.ranges import OffsetRange, open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, Transactions, transactions
from schemas import operations
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.intercom.envelope import body, envelope
from schemas.intercom.rest_objects import READ_AS
from schemas.intercom.routes import ACTIVITIES, OTHER, Destination, destinations
from schemas.json_lines import json_line
from schemas.message import header
from schemas.operations import ACTIVITIES_MOVED, Operation
from schemas.profiles.checkpoints import is_checkpoint
from schemas.tenancy import Tenancy
from streams.ops.journal import entry_of

SOURCES: Final = (OTHER, "intercom.contacts")
_BATCH: Final = 500
_PROCESS: Final = "activities-adopt"
_CHANGED: Final = frozenset({"ce_id", "ce_subject", "ce_partitionkey", "ce_causationid"})

Positions = dict[str, dict[int, int]]


class Adopted(msgspec.Struct, frozen=True, kw_only=True):
    """What was read and sent, by the topic it came from."""

    read: dict[str, int]
    sent: dict[str, int]


async def adopt(
    kafka: KafkaSettings, avro: Avro, tenancy: Tenancy, *, actor: str | None, on_progress: Callable[[str, int], None]
) -> Adopted:
    """Send what belongs to `intercom.activities` there. Raises Unavailable."""
    read, sent = Counter[str](), Counter[str]()
    async with transactions(kafka, _PROCESS) as producer:
        positions = await _adopted(kafka, avro)
        for topic in SOURCES:
            async with open_ranges(kafka, kafka.topic(topic)) as reader:
                done = positions.setdefault(topic, {})
                bounds = await reader.bounds()
                ranges = {number: OffsetRange(max(start, done.get(number, 0)), end) for number, (start, end) in bounds.items()}
                async for batch in reader.read(ranges, _BATCH):
                    records = [moved for record in batch.records for moved in _moved(record, topic, tenancy)]
                    if batch.positions.items() <= done.items():
                        continue
                    done |= batch.positions
                    await _append(producer, avro, records, {topic: done}, actor)
                    read[topic] += len(batch.records)
                    sent[topic] += len(records)
                    on_progress(topic, sent[topic])
    return Adopted(read={name: read[name] for name in SOURCES}, sent={name: sent[name] for name in SOURCES})


def _moved(record: Any, topic: str, tenancy: Tenancy) -> Iterator[TopicRecord]:
    """Yield the record of a post on `intercom.activities`, if it belongs there."""
    if is_checkpoint(record) or header(record.headers, READ_AS) is not None:
        return
    if topic != OTHER and header(record.headers, "ce_causationid") is not None:
        return  # the second record of a post, whose first one is here or on a topic of its own
    try:
        notification = envelope(body(record))
    except InvalidRecord:
        return
    if notification.app_id in tenancy.owners:
        for each in destinations(notification):
            if each.topic == ACTIVITIES:
                yield TopicRecord(ACTIVITIES, each.key.encode(), record.value, _headers(record, each))


def _headers(record: Any, to: Destination) -> list[tuple[str, bytes]]:
    """Return the headers that the ingress would have given the record."""
    own = {"ce_id": to.id, "ce_subject": to.entity, "ce_partitionkey": to.key, "ce_causationid": to.causation}
    kept = [(name, value) for name, value in record.headers if name not in _CHANGED]
    return [*kept, *((name, text.encode()) for name, text in own.items() if text is not None)]


async def _append(
    producer: Transactions, avro: Avro, records: list[TopicRecord], positions: Positions, actor: str | None
) -> None:
    ((topic, done),) = positions.items()
    text = json_line(done).decode()
    operation = Operation(
        id=derived(ACTIVITIES_MOVED, topic, text),
        kind=ACTIVITIES_MOVED,
        time=time.time_ns() // 1_000_000,
        actor=actor,
        process=_PROCESS,
        details={"topic": topic, "positions": text, "sent": str(len(records))},
    )
    entry = entry_of(avro, operation)
    await producer.append([*records, entry])


async def _adopted(kafka: KafkaSettings, avro: Avro) -> Positions:
    """Return up to which offset of each partition of each topic posts were sent on."""
    found: Positions = {}
    async with open_ranges(kafka, kafka.topic(operations.TOPIC)) as reader:
        async for record in reader.records():
            operation = operations.decode(avro, record.value)
            if operation.kind == ACTIVITIES_MOVED:
                positions: Mapping[int, int] = msgspec.json.decode(operation.details["positions"], type=dict[int, int])
                found.setdefault(operation.details["topic"], {}).update(positions)
    return found
