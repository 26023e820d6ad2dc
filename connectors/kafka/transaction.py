"""Append records to any topics in Kafka transactions of which at most one process is in charge: a later one fences the earlier."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple

from aiokafka.errors import KafkaError

from connectors.kafka.clients import Producer, stop_at_once
from connectors.kafka.record_batches import RecordBatches
from connectors.kafka.settings import AWAY, DEAD_LETTER_ROOM, FENCED, MAX_RECORD_BYTES, KafkaSettings
from schemas.errors import Fenced, Unavailable
from schemas.message import Headers
from schemas.partition import partition_of

_BATCH_BYTES: Final = 256 << 10  # aiokafka's 16 KiB make ten requests of a page of 150 contacts
_START_S: Final = 15.0
_ATTEMPTS: Final = 12  # with their pauses about 30 s: longer than a hundred processes need that begin at once
_FIRST_PAUSE_S: Final = 0.2  # about what a look and a transaction take
_LONGEST_PAUSE_S: Final = 10.0


class TopicRecord(NamedTuple):
    """A record to append. `topic` is without the prefix, unless `prefixed`; `partition` is used where there is no key.

    One that goes `everywhere` is appended to every partition. `timestamp` (ms) counts where the topic keeps its producers' time; without one
    it is now.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    partition: int = 0
    prefixed: bool = False
    everywhere: bool = False
    timestamp: int | None = None


class Transactions:
    """A transactional producer of records for any topics."""

    def __init__(self, kafka: KafkaSettings, producer: Any) -> None:
        self._kafka = kafka
        self._producer = producer
        self._one_at_a_time = asyncio.Lock()
        self._ended_by: KafkaError | None = None

    async def append(self, records: Sequence[TopicRecord]) -> None:
        """Append the records in one transaction: all of them, or none. Concurrent calls follow each other.

        After an error that ends the producer, such as that another process has fenced it, every call raises the same.
        """
        if records:
            async with self._one_at_a_time:
                if self._ended_by is not None:
                    raise self._ended_by
                try:
                    async with self._producer.transaction():
                        await self._send(records)
                except KafkaError as error:
                    if self._producer._txn_manager.is_fatal_error():  # noqa: SLF001  # aiokafka would fail an assertion from then on
                        self._ended_by = error
                    raise

    async def _send(self, records: Sequence[TopicRecord]) -> None:
        targets = {at: await self._target(*at) for at in {(record.topic, record.prefixed) for record in records}}
        batches = RecordBatches(self._producer)
        for record in records:
            name, count = targets[record.topic, record.prefixed]
            own = record.partition % count if record.key is None else partition_of(record.key, count)
            for partition in range(count) if record.everywhere else (own,):
                batches.add(name, partition, record.key, record.value, record.headers, timestamp=record.timestamp)
        await batches.flush()

    async def _target(self, topic: str, prefixed: bool) -> tuple[str, int]:
        """Return a topic's name on the broker, and how many partitions it has."""
        name = topic if prefixed else self._kafka.topic(topic)
        return name, len(await self._producer.partitions_for(name))


@contextlib.asynccontextmanager
async def transactions(kafka: KafkaSettings, name: str) -> AsyncIterator[Transactions]:
    """Yield the producer with that transactional id.

    An earlier producer with the same id can commit nothing from then on, and what it has committed can be read: so what is missing is
    looked up after this, and added by one process only. Raises Unavailable where Kafka does not take the records, Fenced where a later
    producer fenced this one.
    """
    producer = Producer(
        kafka, transactional_id=f"{kafka.topic_prefix}{name}", transaction_timeout_ms=10_000,
        compression_type="zstd", max_request_size=MAX_RECORD_BYTES + DEAD_LETTER_ROOM, max_batch_size=_BATCH_BYTES,
    )  # fmt: skip
    try:
        try:
            async with asyncio.timeout(_START_S):
                await producer.start()
        except AWAY as error:
            raise _not_appended(kafka, error) from error
        yield Transactions(kafka, producer)
    except FENCED as error:
        raise kafka.unavailable(error) from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise _not_appended(kafka, error) from error
    finally:
        await stop_at_once(producer)


async def append_once(kafka: KafkaSettings, name: str, missing: Callable[[], Awaitable[Sequence[TopicRecord]]]) -> int:
    """Append the records that `missing` finds missing, in one transaction with that transactional id, and return how many.

    Callers that begin at once append each record once: a later one fences the earlier, and looks again before it appends. If each fenced
    the others as soon as it could, none might ever come to its commit. So nobody fences before something is found missing, and who was
    fenced looks again after a pause that is random and grows, when another has usually appended it. Raises Unavailable.
    """
    for attempt in range(_ATTEMPTS):
        if attempt:
            await asyncio.sleep(pause_before(attempt))
        if not await missing():
            return 0
        with contextlib.suppress(Fenced):
            async with transactions(kafka, name) as producer:
                records = await missing()
                await producer.append(records)
            return len(records)
    raise Fenced("The records were not appended: other processes do the same all the time. Trying again is safe.")


def pause_before(attempt: int) -> float:
    """Return for how many seconds a process waits before it tries again: those that fence each other meet less and less often."""
    return random.uniform(0, min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** (attempt - 1)))  # noqa: S311  spreads waits, keeps no secret


def _not_appended(kafka: KafkaSettings, error: BaseException) -> Unavailable:
    return Unavailable(
        f"The records were not appended ({type(error).__name__}): Kafka at {kafka.bootstrap} does not answer, or does not take them. "
        "Trying again is safe."
    )
