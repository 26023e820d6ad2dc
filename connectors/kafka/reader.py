"""Read a topic without a consumer group: from any position, all partitions as one stream, committed records only."""

import asyncio
import contextlib
import heapq
from collections.abc import AsyncIterator, Collection
from enum import StrEnum
from typing import Any

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.clients import Consumer, started
from connectors.kafka.settings import KafkaSettings
from schemas.errors import Unavailable

_POLL_MS = 200  # how long a stop may go unnoticed
_GRACE_SECONDS = 30.0  # how long after the idle time a silent broker counts as away


class StartKind(StrEnum):
    """Where reading can begin."""

    BEGINNING = "beginning"
    END = "end"
    OFFSET = "offset"
    TIME = "time"


class StartPosition(msgspec.Struct, frozen=True):
    """Where to start each partition; `number` is the offset, or the time in ms since 1970."""

    kind: StartKind
    number: int = 0


class TopicReader:
    """A consumer assigned to partitions of one topic."""

    def __init__(self, consumer: Any, partitions: list[TopicPartition]) -> None:
        self._consumer = consumer
        self._partitions = partitions

    async def batches(self, idle_seconds: float | None, stop: asyncio.Event) -> AsyncIterator[list[Any]]:
        """Yield records as they arrive, each batch sorted by timestamp as far as the order within partitions allows.

        Ends when `stop` is set, or when every partition is read to its end and no record arrived for `idle_seconds`.
        """
        clock = asyncio.get_running_loop().time
        last = clock()
        while not stop.is_set():
            by_partition = await self._consumer.getmany(*self._partitions, timeout_ms=_POLL_MS)
            if by_partition:
                yield list(heapq.merge(*by_partition.values(), key=lambda record: record.timestamp))
                last = clock()
            elif idle_seconds is not None and clock() - last >= idle_seconds:
                if await self._caught_up():
                    return
                if clock() - last >= idle_seconds + _GRACE_SECONDS:
                    raise Unavailable("Kafka has more records of this topic and sends none; are its brokers up?")

    async def _caught_up(self) -> bool:
        ends = await self._consumer.end_offsets(self._partitions)
        return all([await self._consumer.position(partition) >= end for partition, end in ends.items()])


@contextlib.asynccontextmanager
async def open_topic(
    kafka: KafkaSettings, topic: str, partitions: Collection[int], start: StartPosition
) -> AsyncIterator[TopicReader]:
    """Yield a reader of a topic, named as on the broker. Raises Unavailable where Kafka does not answer."""
    consumer = Consumer(kafka, enable_auto_commit=False, auto_offset_reset="earliest", isolation_level="read_committed")
    assigned = [TopicPartition(topic, partition) for partition in sorted(partitions)]
    try:
        async with started(consumer):
            consumer.assign(assigned)
            for partition, offset in (await _offsets(consumer, assigned, start)).items():
                consumer.seek(partition, offset)
            yield TopicReader(consumer, assigned)
    except KafkaError as error:
        raise kafka.unavailable(error) from error


async def _offsets(consumer: Any, partitions: list[TopicPartition], start: StartPosition) -> dict[TopicPartition, int]:
    first, end = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    match start.kind:
        case StartKind.BEGINNING:
            return dict(first)
        case StartKind.END:
            return dict(end)
        case StartKind.OFFSET:
            return {each: min(max(start.number, first[each]), end[each]) for each in partitions}
        case StartKind.TIME:
            at_time = await consumer.offsets_for_times(dict.fromkeys(partitions, start.number))
            return {each: end[each] if at_time.get(each) is None else at_time[each].offset for each in partitions}
