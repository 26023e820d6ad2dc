"""One Kafka transaction: outputs, table changes and input positions of one batch, committed together or not at all."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple, TypeVar

from aiokafka import AIOKafkaProducer, TopicPartition

from connectors.kafka.record_batches import RecordBatches
from schemas.partition import partition_of
from streams.engine.partition.record_size import OutputRecord
from streams.engine.tables import commit_state as commit_states
from streams.engine.tables.commit_state import CommitState
from streams.engine.tables.store import Bookmark

T = TypeVar("T")

PartitionCount = Callable[[str], Awaitable[int]]
"""Return a broker topic's number of partitions."""


class Committed(NamedTuple):
    """The changelog's new bookmark, None where it is unknown; and a position in each partition written to, behind a record of the transaction."""

    bookmark: Bookmark | None
    written: Mapping[tuple[str, int], int]


class TransactionTimedOut(TimeoutError):
    """A transaction did not end in time. Its text has no payload."""


async def commit(
    producer: AIOKafkaProducer,
    *,
    sent: list[OutputRecord],
    changes: Mapping[str, bytes | None],
    changelog: str,
    partition: int,
    commit_state: CommitState,
    output_name: Callable[[str], str],
    source_name: Callable[[str], str],
    partition_count: PartitionCount,
    group: str,
    seconds: float | None = None,
) -> Committed:
    """Write everything in one transaction and return where it stands. After an error the outcome is unknown: reload.

    `sent` is emptied: its records are in the batches then, and need not be in memory twice. `output_name` and `source_name` return a topic's name on the broker, and `partition_count` that topic's number of partitions. Raises
    TransactionTimedOut if brokers do not take it within so many seconds: aiokafka itself tries without end.
    """
    deadline = _Deadline(seconds)
    await producer.begin_transaction()
    batch = RecordBatches(producer)
    topics: dict[str, tuple[str, int]] = {}
    for topic in {topic for topic, *_ in sent}:
        name = output_name(topic)
        topics[topic] = name, await partition_count(name)
    for topic, key, value, headers, target in sent:
        name, count = topics[topic]
        batch.add(name, partition_of(key or b"", count) if target is None else target, key, value, headers)
    sent.clear()
    for text, data in changes.items():
        batch.add(changelog, partition, text.encode(), data)
    content = commit_states.encode(commit_state)
    metadata = batch.add(changelog, partition, commit_states.KEY, content)
    answers = await deadline.of(batch.flush(), "its records")
    offsets = {TopicPartition(source_name(topic), partition): offset for topic, offset in commit_state.positions.items()}
    await deadline.of(producer.send_offsets_to_transaction(offsets, group), "its positions")
    await deadline.of(producer.commit_transaction(), "its end")
    written = {target: each.offset + 1 for target, each in answers.items()}
    answer = answers[changelog, partition]
    if answer.offset < 0:
        return Committed(None, written)  # a batch that was sent twice is acknowledged without its offset
    timestamp = answer.timestamp if answer.timestamp >= 0 else metadata.timestamp
    return Committed(Bookmark(answer.offset + metadata.offset, timestamp, content), written)


class _Deadline:
    """The time by which a transaction has to end."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._at = None if seconds is None else asyncio.get_running_loop().time() + seconds

    async def of(self, awaited: Awaitable[T], what: str) -> T:
        """Return the result, or raise TransactionTimedOut, which says what was not taken in time."""
        try:
            async with asyncio.timeout_at(self._at):
                return await awaited
        except TimeoutError as error:
            raise TransactionTimedOut(f"brokers have not taken {what} within {self._seconds:g} s") from error
