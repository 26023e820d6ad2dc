"""Append records to any topics in Kafka transactions of which at most one process is in charge: a later one fences the earlier."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from connectors.kafka.settings import AWAY, DEAD_LETTER_ROOM, MAX_RECORD_BYTES, KafkaSettings
from schemas.errors import Unavailable
from schemas.message import Headers
from schemas.partition import partition_of

_START_S: Final = 15.0


class TopicRecord(NamedTuple):
    """A record to append. `topic` is without the prefix, unless `prefixed`; `partition` is used where there is no key.

    One that goes `everywhere` is appended to every partition.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int = 0
    prefixed: bool = False
    everywhere: bool = False


class Transactions:
    """A transactional producer of records for any topics."""

    def __init__(self, kafka: KafkaSettings, producer: Any) -> None:
        self._kafka = kafka
        self._producer = producer
        self._one_at_a_time = asyncio.Lock()

    async def append(self, records: Sequence[TopicRecord]) -> None:
        """Append the records in one transaction: all of them, or none. Concurrent calls follow each other."""
        if records:
            async with self._one_at_a_time, self._producer.transaction():
                await asyncio.gather(*[sent for record in records for sent in await self._send(record)])

    async def _send(self, record: TopicRecord) -> list[Any]:
        name = record.topic if record.prefixed else self._kafka.topic(record.topic)
        count = len(await self._producer.partitions_for(name))
        own = record.partition % count if record.key is None else partition_of(record.key, count)
        headers = list(record.headers)
        return [
            await self._producer.send(name, record.value, key=record.key, headers=headers, partition=partition)
            for partition in (range(count) if record.everywhere else (own,))
        ]


@asynccontextmanager
async def transactions(kafka: KafkaSettings, name: str) -> AsyncIterator[Transactions]:
    """Yield the producer with that transactional id.

    An earlier producer with the same id can commit nothing from then on, and what it has committed can be read: so what is missing is
    looked up after this, and added by one process only. Raises Unavailable where Kafka does not take the records, or a later producer
    fenced this one.
    """
    producer = AIOKafkaProducer(
        **kafka.client(), transactional_id=f"{kafka.topic_prefix}{name}", transaction_timeout_ms=10_000,
        compression_type="zstd", max_request_size=MAX_RECORD_BYTES + DEAD_LETTER_ROOM,
    )  # fmt: skip
    try:
        try:
            async with asyncio.timeout(_START_S):
                await producer.start()
        except AWAY as error:
            raise _not_appended(kafka, error) from error
        yield Transactions(kafka, producer)
    except (KafkaError, OSError, TimeoutError) as error:
        raise _not_appended(kafka, error) from error
    finally:
        await producer.stop()


def _not_appended(kafka: KafkaSettings, error: BaseException) -> Unavailable:
    return Unavailable(
        f"The records were not appended ({type(error).__name__}): another process does the same, or Kafka at {kafka.bootstrap} "
        "does not answer. Trying again is safe."
    )
