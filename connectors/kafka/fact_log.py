"""The fact log for connectors and operators: append facts and await all acknowledgements; find a tenant's facts of some kinds."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from aiokafka.errors import KafkaError

from connectors.kafka.clients import Producer
from connectors.kafka.settings import MAX_RECORD_BYTES, KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.access import fact_records
from schemas.access.facts import TOPIC, Fact
from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.errors import Unavailable
from schemas.message import Headers, header
from schemas.partition import partition_of

_IN_FLIGHT: Final = 1000  # facts sent before their acknowledgements are awaited: bounds memory, hides the round trip
_START_S: Final = 15.0

T = TypeVar("T")


class FactRecord(NamedTuple):
    """A record to append."""

    key: bytes
    value: bytes
    headers: Headers


def fact_record(avro: Avro, fact: Fact) -> FactRecord:
    """Return the record of an operator's or connector's fact. Raises InvalidRecord for one that would be a dead letter."""
    headers = fact_records.event_context(avro, fact, origin=Origin.OPERATOR).headers()
    return FactRecord(fact.tenant.encode(), fact_records.encode_valid(avro, fact), headers)


async def append(
    kafka: KafkaSettings, records: Sequence[FactRecord], *, on_progress: Callable[[int], None] = lambda _: None
) -> int:
    """Append facts in order and return their number once every in-sync replica has them.

    `on_progress` receives the size of each chunk. Raises Unavailable when Kafka does not accept them; those before the failure
    may be in the log.
    """
    producer = Producer(kafka, acks="all", enable_idempotence=True, compression_type="zstd", max_request_size=MAX_RECORD_BYTES)
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


async def find_facts(kafka: KafkaSettings, tenant: str, types: Collection[str]) -> list[bytes]:
    """Return the values of a tenant's facts whose `ce_type` is among `types`, in log order, as committed until now."""
    return await find_records(kafka, tenant, lambda record: record.value if header(record.headers, "ce_type") in types else None)


async def find_records(kafka: KafkaSettings, tenant: str, keep: Callable[[Any], T | None], start: int = 0) -> list[T]:
    """Return what `keep` makes of a tenant's facts, in log order, from an offset on, as committed until now."""
    return await read_to_end(kafka, TOPIC, keep, keys=[tenant.encode()], start=start)


async def _send(producer: Any, topic: str, record: FactRecord, partitions: int) -> Any:
    return await producer.send(
        topic, record.value, key=record.key, headers=list(record.headers), partition=partition_of(record.key, partitions)
    )
