"""The fact log for connectors and operators: append facts and await all acknowledgements; find a tenant's facts of some kinds."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.settings import MAX_RECORD_BYTES, KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from schemas.access import fact_records
from schemas.access.facts import TOPIC, Fact
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.errors import Unavailable
from schemas.message import Headers, header
from schemas.partition import partition_of

_IN_FLIGHT: Final = 1000  # facts sent before their acknowledgements are awaited: bounds memory, hides the round trip
_START_S: Final = 15.0
_POLL_MS: Final = 2000  # a poll of that long without a record means that nothing more is committed


class FactRecord(NamedTuple):
    """A record to append."""

    key: bytes
    value: bytes
    headers: Headers


def fact_record(avro: Avro, fact: Fact) -> FactRecord:
    """Return the record of an operator's or connector's fact."""
    headers = fact_records.event_context(avro, fact, origin=Origin.OPERATOR).headers()
    return FactRecord(fact.tenant.encode(), fact_records.encode(avro, fact), headers)


async def append(
    kafka: KafkaSettings, records: Sequence[FactRecord], *, on_progress: Callable[[int], None] = lambda _: None
) -> int:
    """Append facts in order and return their number once every in-sync replica has them.

    `on_progress` receives the size of each chunk. Raises Unavailable when Kafka does not accept them; those before the failure
    may be in the log.
    """
    producer = AIOKafkaProducer(
        **kafka.client(), acks="all", enable_idempotence=True, compression_type="zstd", max_request_size=MAX_RECORD_BYTES
    )
    try:
        async with asyncio.timeout(_START_S):
            await producer.start()
            partitions = len(await producer.partitions_for(kafka.topic(TOPIC)))
        for start in range(0, len(records), _IN_FLIGHT):
            chunk = records[start : start + _IN_FLIGHT]
            acknowledgements = [await _send(producer, kafka.topic(TOPIC), record, partitions) for record in chunk]
            await asyncio.gather(*acknowledgements)
            on_progress(len(chunk))
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(
            f"Kafka at {kafka.bootstrap} did not take the facts ({type(error).__name__}). Is it up, and was "
            "`intercom-streams topics apply` run? Do the same again: what was taken twice changes nothing."
        ) from error
    finally:
        await producer.stop()
    return len(records)


async def append_once(kafka: KafkaSettings, name: str, missing_facts: Callable[[], Awaitable[Sequence[FactRecord]]]) -> int:
    """Append the facts that `missing_facts` returns, in one transaction with that transactional id, and return their number.

    A later producer with the same id fences the earlier one before it checks what is missing, so concurrent callers append each
    fact exactly once. Raises Unavailable, also in a caller that was fenced.
    """
    async with transactions(kafka, name) as producer:
        records = await missing_facts()
        await producer.append([TopicRecord(TOPIC, *record) for record in records])
    return len(records)


async def find_facts(kafka: KafkaSettings, tenant: str, types: Collection[str]) -> list[bytes]:
    """Return the values of a tenant's facts whose `ce_type` is among `types`, in log order, as committed until now."""
    topic = kafka.topic(TOPIC)
    consumer = AIOKafkaConsumer(
        topic, **kafka.client(), isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        async with asyncio.timeout(_START_S):
            await consumer.start()
        partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        if not partitions:
            raise Unavailable(f"There is no topic {topic} at {kafka.bootstrap}. Run: intercom-streams topics apply")
        partition = partitions[partition_of(tenant.encode(), len(partitions))]
        consumer.pause(*(other for other in partitions if other != partition))
        return await _read(consumer, partition, tenant, types)
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(f"Kafka at {kafka.bootstrap} did not answer ({type(error).__name__}). Is it up?") from error
    finally:
        await consumer.stop()


async def _send(producer: Any, topic: str, record: FactRecord, partitions: int) -> Any:
    return await producer.send(
        topic, record.value, key=record.key, headers=list(record.headers), partition=partition_of(record.key, partitions)
    )


async def _read(consumer: Any, partition: Any, tenant: str, types: Collection[str]) -> list[bytes]:
    """Read to the present end of the log, or to the first open transaction: nothing after it is committed."""
    values: list[bytes] = []
    end = (await consumer.end_offsets([partition]))[partition]
    previous = -1
    while previous < (position := await consumer.position(partition)) < end:
        previous = position
        for records in (await consumer.getmany(partition, timeout_ms=_POLL_MS)).values():
            values += [
                record.value
                for record in records
                if record.key == tenant.encode() and header(record.headers, "ce_type") in types and record.value
            ]
    return values
