"""Fill a partition with the records it had: one behind the other, or each at the offset it had."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from aiokafka import TopicPartition

from connectors.backup.record_file import StoredRecord
from connectors.kafka.clients import Consumer, Producer, started
from connectors.kafka.settings import DEAD_LETTER_ROOM, MAX_RECORD_BYTES, KafkaSettings
from schemas.errors import Unavailable

_BATCH_BYTES: Final = 1024 * 1024
_IN_FLIGHT: Final = 8  # batches of a partition sent before the first has to be acknowledged
_RUN: Final = 2_000  # records of one transaction; longer runs go without
_FILLERS: Final = 50_000  # invisible records in a transaction: seconds, where it may last a minute
_TRANSACTION_MS: Final = 60_000
_SETTLED_S: Final = 60.0
_POLL_S: Final = 0.005
_FILLER: Final = StoredRecord(0, 0, b"", b"", ())


async def write_densely(kafka: KafkaSettings, at: TopicPartition, records: Iterable[StoredRecord]) -> None:
    """Write the records of a partition in order, one behind the other: offsets count from 0."""
    async with started(Producer(kafka, **_producer(), enable_idempotence=True)) as producer:
        await _send(producer, at, records)


async def write_in_place(kafka: KafkaSettings, at: TopicPartition, records: Iterable[StoredRecord], end: int) -> None:
    """Write the records of an empty partition at the offsets they had, and let its log end at `end`.

    Offsets between them (markers of transactions, what was aborted) are taken by markers and by aborted records, which no reader
    of committed records sees.
    """
    id_ = f"{kafka.topic_prefix}restore-{at.topic}-{at.partition}"
    transactional = Producer(
        kafka, **_producer(), transactional_id=id_, transaction_timeout_ms=_TRANSACTION_MS, retry_backoff_ms=10
    )
    async with (
        started(transactional) as transactions,
        started(Producer(kafka, **_producer(), enable_idempotence=True)) as plain,
        started(Consumer(kafka, enable_auto_commit=False)) as consumer,
    ):
        writer = _InPlaceWriter(at, transactions, plain, consumer)
        for record in records:
            await writer.append(record)
        await writer.end(end)


class _InPlaceWriter:
    """Collects records without a gap between them, and writes them once the next gap is known.

    A run goes as one transaction, whose marker takes the first offset of the gap. One that is too long for that, or has no gap behind it, goes
    without a transaction.
    """

    def __init__(self, at: TopicPartition, transactions: Any, plain: Any, consumer: Any) -> None:
        self._at = at
        self._transactions = transactions
        self._plain = plain
        self._consumer = consumer
        self._run: list[StoredRecord] = []
        self._following = 0
        self._in_log = 0  # the end of the log once all that was sent is there

    async def append(self, record: StoredRecord) -> None:
        if record.offset != self._following:
            await self._end_run(record.offset - self._following)
        elif len(self._run) >= _RUN:
            await self._send_plain()
        self._run.append(record)
        self._following = record.offset + 1

    async def end(self, end: int) -> None:
        await self._end_run(end - self._following)
        await self._settle()

    async def _end_run(self, gap: int) -> None:
        if self._run and gap:
            await self._transactions.begin_transaction()
            await _send(self._transactions, self._at, self._run)
            await self._transactions.commit_transaction()
            self._in_log += len(self._run) + 1
            self._run.clear()
            gap -= 1
        elif self._run:
            await self._send_plain()
        while gap > 0:
            length = min(gap, _FILLERS)
            await self._skip(length)
            gap -= length

    async def _send_plain(self) -> None:
        await self._settle()
        await _send(self._plain, self._at, self._run)
        self._in_log += len(self._run)
        self._run.clear()

    async def _skip(self, length: int) -> None:
        """Let the log grow by so many offsets that readers of committed records do not see."""
        await self._transactions.begin_transaction()
        if length == 1:  # only the marker, for which the partition has to be part of the transaction
            self._transactions._txn_manager.maybe_add_partition_to_txn(self._at)  # noqa: SLF001  # aiokafka adds it with a record alone
        else:
            await _send(self._transactions, self._at, (_FILLER for _ in range(length - 1)))
        await self._transactions.abort_transaction()
        self._in_log += length

    async def _settle(self) -> None:
        """Return once all markers are in the log: a transaction's end is answered before. Its next transaction waits for them anyway."""
        try:
            async with asyncio.timeout(_SETTLED_S):
                while (end := (await self._consumer.end_offsets([self._at]))[self._at]) < self._in_log:  # noqa: ASYNC110  # Kafka sets no event
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise Unavailable(f"{self._at.topic}: the end of a transaction is not in the log after {_SETTLED_S:.0f} s") from None
        if end > self._in_log:
            raise Unavailable(f"another process writes to {self._at.topic}; stop it, delete the topics, and restore again")


def _producer() -> dict[str, Any]:
    return {
        "acks": "all", "compression_type": "zstd", "max_batch_size": _BATCH_BYTES, "linger_ms": 0,
        "max_request_size": MAX_RECORD_BYTES + DEAD_LETTER_ROOM,
    }  # fmt: skip


async def _send(producer: Any, at: TopicPartition, records: Iterable[StoredRecord]) -> None:
    under_way: list[Any] = []
    batch = producer.create_batch()
    for record in records:
        headers = list(record.headers)
        if batch.append(timestamp=record.timestamp, key=record.key, value=record.value, headers=headers) is None:
            under_way.append(await producer.send_batch(batch, at.topic, partition=at.partition))
            if len(under_way) >= _IN_FLIGHT:
                await under_way.pop(0)
            batch = producer.create_batch()
            batch.append(timestamp=record.timestamp, key=record.key, value=record.value, headers=headers)
    if batch.record_count():
        under_way.append(await producer.send_batch(batch, at.topic, partition=at.partition))
    for each in under_way:
        await each
