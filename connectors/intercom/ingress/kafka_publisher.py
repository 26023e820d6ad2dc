"""Publishes to Kafka in batches built here, one per partition, acknowledged by every in-sync replica.

aiokafka's `send` per message costs a third more than one `create_batch` per partition and round. The producer is not idempotent:
a record twice is harmless here, and a sequence error after an outage is not. A producer with an error that it cannot recover from
is replaced.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import structlog
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError

from connectors.kafka.clients import Producer
from connectors.kafka.publisher import FailureKind, OutboundRecord, PublishError
from connectors.kafka.settings import MAX_RECORD_BYTES, KafkaSettings
from connectors.observability.metrics import INGRESS_PRODUCERS
from schemas.errors import Unavailable
from schemas.partition import partition_of

_COMPRESSION: Final = "zstd"  # 3 us a record here, for a tenth of the bytes on the wire and on the disks of the brokers
_BATCH_BYTES: Final = 512 * 1024
_REQUEST_TIMEOUT_MS: Final = 5000  # how long a round may hang before it counts as failed; posts go to the spool long before
_RECONNECT_S: Final = (0.2, 0.5, 1.0, 2.0)
_STOP_S: Final = 5.0
_FAILURES_TO_REPLACE: Final = 3  # retriable errors in a row; a producer may be stuck on brokers that no longer exist
_RECORD_ERRORS: Final = (MessageSizeTooLargeError, RecordListTooLargeError, RecordTooLargeError)

_log = structlog.get_logger(__name__)


class KafkaPublisher:
    """Publishes to Kafka while it is reachable; connects and reconnects in the background."""

    def __init__(self, kafka: KafkaSettings, topics: Sequence[str], on_connected: Callable[[], None] = lambda: None) -> None:
        self._kafka = kafka
        self._topics = tuple(topics)
        self._on_connected = on_connected
        self._producer: Any = None
        self._partition_counts: dict[str, int] = {}
        self._failures = 0
        self._closed = False
        self._connecting: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> bool:
        """Whether there is a connected producer."""
        return self._producer is not None

    @property
    def missing_topics(self) -> tuple[str, ...]:
        """Topics that do not exist on the broker."""
        return tuple(topic for topic in self._topics if topic not in self._partition_counts) if self.connected else ()

    def start(self) -> None:
        """Start to connect; return at once."""
        self._connecting = asyncio.create_task(self._connect())

    async def publish(self, records: Sequence[OutboundRecord]) -> list[PublishError]:
        """Send all records in one round; return an error for each not persisted. Raises `Unavailable` while disconnected."""
        producer = self._producer
        if producer is None:
            raise Unavailable("Kafka cannot be reached; posts go to the spool until it can")
        by_partition: defaultdict[tuple[str, int], list[OutboundRecord]] = defaultdict(list)
        without_topic: list[PublishError] = []
        for record in records:
            count = self._partition_counts.get(record.topic)
            if count is None:
                without_topic.append(PublishError(record, FailureKind.TOPIC, f"topic {record.topic} is missing"))
            else:
                by_partition[record.topic, partition_of(record.key, count)].append(record)
        if without_topic:
            self._refresh_topics(producer)
        deliveries: list[tuple[list[OutboundRecord], Any]] = []
        for (topic, partition), group in by_partition.items():
            for batch, contents in _batches(producer, group):
                deliveries.append((contents, await _send_batch(producer, batch, topic, partition)))
        errors = list(without_topic)
        for contents, delivery in deliveries:
            error = await _delivery_error(delivery)
            if error is not None:
                errors += self._classify(producer, contents, error)
        if len(errors) == len(without_topic):
            self._failures = 0
        return errors

    async def close(self) -> None:
        """Send what is in the producer and disconnect, within seconds."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stop(producer)
        await asyncio.gather(*self._background, return_exceptions=True)

    def _classify(self, producer: Any, records: list[OutboundRecord], error: Exception) -> list[PublishError]:
        """Decide whether a batch failed because of its records, or because of Kafka or the producer."""
        if isinstance(error, _RECORD_ERRORS):
            # Only a record alone in its batch is at fault for certain; the others are sent again from the spool.
            kind = FailureKind.RECORD if len(records) == 1 else FailureKind.KAFKA
            return [PublishError(record, kind, type(error).__name__) for record in records]
        self._failures += 1
        fatal = not (isinstance(error, KafkaError) and error.retriable)
        if fatal or self._failures >= _FAILURES_TO_REPLACE:
            self._replace(producer, error)
        return [PublishError(record, FailureKind.KAFKA, type(error).__name__) for record in records]

    def _replace(self, producer: Any, error: Exception) -> None:
        if producer is not self._producer:
            return  # another round has replaced it already
        _log.warning("producer replaced", error=type(error).__name__)
        self._producer, self._failures = None, 0
        INGRESS_PRODUCERS.inc()
        self._run_in_background(_stop(producer))
        self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        """Retry until a producer is connected and knows the topics."""
        attempt = 0
        while not self._closed:  # aiokafka may swallow the cancellation
            producer = Producer(
                self._kafka,
                acks="all",
                compression_type=_COMPRESSION,
                max_batch_size=_BATCH_BYTES,
                max_request_size=MAX_RECORD_BYTES,
                request_timeout_ms=_REQUEST_TIMEOUT_MS,
            )
            try:
                await producer.start()
                await self._fetch_partition_counts(producer)
            except (KafkaError, OSError) as error:
                if attempt == 0:
                    _log.warning("Kafka cannot be reached", error=type(error).__name__, hint="posts go to the spool until it can")
                await _stop(producer)
                await asyncio.sleep(_RECONNECT_S[min(attempt, len(_RECONNECT_S) - 1)])
                attempt += 1
            except BaseException:
                await _stop(producer)
                raise
            else:
                self._producer = producer
                self._on_connected()
                _log.info("Kafka connected", topics_missing=list(self.missing_topics))
                return

    def _refresh_topics(self, producer: Any) -> None:
        if not self._background:
            self._run_in_background(self._fetch_partition_counts(producer))

    async def _fetch_partition_counts(self, producer: Any) -> None:
        """Fetch the number of partitions of each topic; a missing topic has no entry."""
        with contextlib.suppress(KafkaError, OSError):
            await producer.client.set_topics(self._topics)
            await producer.client.force_metadata_update()
        counts = {topic: len(producer.client.cluster.partitions_for_topic(topic) or ()) for topic in self._topics}
        self._partition_counts |= {topic: count for topic, count in counts.items() if count}

    def _run_in_background(self, coroutine: Any) -> None:
        task = asyncio.create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _batches(producer: Any, records: Sequence[OutboundRecord]) -> Iterator[tuple[Any, list[OutboundRecord]]]:
    """Yield batches of one partition, in order, each with the records in it."""
    batch, contents = producer.create_batch(), list[OutboundRecord]()
    for record in records:
        if _append(batch, record) is None:  # full; the first record of a batch always fits
            yield batch, contents
            batch, contents = producer.create_batch(), []
            _append(batch, record)
        contents.append(record)
    yield batch, contents


def _append(batch: Any, record: OutboundRecord) -> object:
    return batch.append(timestamp=record.timestamp, key=record.key, value=record.value, headers=record.headers)


async def _send_batch(producer: Any, batch: Any, topic: str, partition: int) -> Any:
    """Pass a batch to the producer; return the future of its acknowledgement, or the error raised at once."""
    batch.close()
    try:
        return await producer.send_batch(batch, topic, partition=partition)
    except Exception as error:  # noqa: BLE001  # a broken producer raises more than Kafka's errors; all are classified
        return error


async def _delivery_error(delivery: Any) -> Exception | None:
    if isinstance(delivery, Exception):
        return delivery
    try:
        await delivery
    except Exception as error:  # noqa: BLE001  # as above
        return error
    return None


async def _stop(producer: Any) -> None:
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(_STOP_S):  # `wait_for` can swallow a cancellation in Python 3.11
            await producer.stop()
