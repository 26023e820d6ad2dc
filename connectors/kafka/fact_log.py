"""The log of facts as connectors and operators use it: append and wait until the brokers have everything; find a tenant's facts of a kind."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.settings import MAX_RECORD_BYTES, KafkaSettings
from schemas.errors import Unavailable
from schemas.message import Headers, header
from schemas.partition import partition_of

TOPIC: Final = "access.facts"
_IN_FLIGHT: Final = 1000  # facts handed to the producer before their answers are awaited: bounds memory, hides the round trip
_START_S: Final = 15.0
_POLL_MS: Final = 2000  # a poll of that long without a record means that nothing more is committed


class FactRecord(NamedTuple):
    """A fact to append."""

    key: bytes
    value: bytes
    headers: Headers


async def append(
    kafka: KafkaSettings, records: Sequence[FactRecord], *, on_progress: Callable[[int], None] = lambda _: None
) -> int:
    """Append facts in their order and return their number once all are kept by every in-sync replica. `done` hears of progress.

    Raises Unavailable when Kafka does not take them; those before the failure may be in the log.
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
            acknowledgements = [await _send(producer, kafka.topic(TOPIC), entry, partitions) for entry in chunk]
            await asyncio.gather(*acknowledgements)
            on_progress(len(chunk))
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(
            f"Kafka at {kafka.bootstrap} did not take the facts ({type(error).__name__}). Is it up, and was `intercom-streams topics "
            "apply` run? Do the same again: what was taken twice changes nothing."
        ) from error
    finally:
        await producer.stop()
    return len(records)


async def append_once(kafka: KafkaSettings, name: str, missing_facts: Callable[[], Awaitable[Sequence[FactRecord]]]) -> int:
    """Append what `wanted` finds missing, in one transaction of that name, and return how many facts that were.

    Whoever comes later under the same name first ends the transaction of whoever came before, and only then looks what is missing:
    so of several that do the same at once each fact is appended by one. Raises Unavailable for those that were overtaken too.
    """
    producer = AIOKafkaProducer(**kafka.client(), transactional_id=f"{kafka.topic_prefix}{name}", transaction_timeout_ms=10_000)
    try:
        async with asyncio.timeout(_START_S):
            await producer.start()
            partitions = len(await producer.partitions_for(kafka.topic(TOPIC)))
        records = await missing_facts()
        if records:
            async with producer.transaction():
                await asyncio.gather(*[await _send(producer, kafka.topic(TOPIC), entry, partitions) for entry in records])
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(
            f"The facts were not appended ({type(error).__name__}): another process does the same, or Kafka at {kafka.bootstrap} does not "
            "answer. Trying again is safe."
        ) from error
    finally:
        await producer.stop()
    return len(records)


async def find_facts(kafka: KafkaSettings, tenant: str, types: Collection[str]) -> list[bytes]:
    """Return the values of a tenant's facts whose `ce_type` is among `types`, in the order of the log, as committed until now."""
    topic = kafka.topic(TOPIC)
    consumer = AIOKafkaConsumer(
        topic, **kafka.client(), isolation_level="read_committed", enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        async with asyncio.timeout(_START_S):
            await consumer.start()
        places = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic) or ())]
        if not places:
            raise Unavailable(f"There is no topic {topic} at {kafka.bootstrap}. Run: intercom-streams topics apply")
        place = places[partition_of(tenant.encode(), len(places))]
        consumer.pause(*(other for other in places if other != place))
        return await _read(consumer, place, tenant, types)
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(f"Kafka at {kafka.bootstrap} did not answer ({type(error).__name__}). Is it up?") from error
    finally:
        await consumer.stop()


async def _send(producer: Any, topic: str, record: FactRecord, partitions: int) -> Any:
    return await producer.send(
        topic, record.value, key=record.key, headers=list(record.headers), partition=partition_of(record.key, partitions)
    )


async def _read(consumer: Any, place: Any, tenant: str, types: Collection[str]) -> list[bytes]:
    """Read to the end that the log has now; an open transaction before it ends the reading, for nothing behind it is committed."""
    found: list[bytes] = []
    end = (await consumer.end_offsets([place]))[place]
    before = -1
    while before < (position := await consumer.position(place)) < end:
        before = position
        for records in (await consumer.getmany(place, timeout_ms=_POLL_MS)).values():
            found += [
                record.value
                for record in records
                if record.key == tenant.encode() and header(record.headers, "ce_type") in types and record.value
            ]
    return found
