"""Read a topic without a consumer group: from where one likes, all partitions as one stream, committed records only."""

import asyncio
import contextlib
import heapq
from collections.abc import AsyncIterator, Collection
from enum import StrEnum
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.settings import KafkaSettings
from schemas.errors import Unavailable

_POLL_MS = 200  # how long a stop may go unnoticed
_GRACE_SECONDS = 30.0  # how much longer than asked a silent broker is waited for before it counts as away


class StartKind(StrEnum):
    """Where reading can begin."""

    BEGINNING = "beginning"
    END = "end"
    OFFSET = "offset"
    TIME = "time"


class StartPosition(msgspec.Struct, frozen=True):
    """Where each partition is read from: an offset, or a time in ms since 1970."""

    kind: StartKind
    number: int = 0


class TopicReader:
    """A topic being read."""

    def __init__(self, consumer: Any, places: list[TopicPartition]) -> None:
        self._consumer = consumer
        self._places = places

    async def batches(self, idle_seconds: float | None, stop: asyncio.Event) -> AsyncIterator[list[Any]]:
        """Yield records as they come, each batch in the order of their times as far as partitions allow.

        Ends when told to stop, or when all that was there has been read and nothing came for `idle_seconds`.
        """
        clock = asyncio.get_running_loop().time
        last = clock()
        while not stop.is_set():
            found = await self._consumer.getmany(*self._places, timeout_ms=_POLL_MS)
            if found:
                yield list(heapq.merge(*found.values(), key=lambda record: record.timestamp))
                last = clock()
            elif idle_seconds is not None and clock() - last >= idle_seconds:
                if await self._caught_up():
                    return
                if clock() - last >= idle_seconds + _GRACE_SECONDS:
                    raise Unavailable("Kafka has more records of this topic and sends none; are its brokers up?")

    async def _caught_up(self) -> bool:
        ends = await self._consumer.end_offsets(self._places)
        return all([await self._consumer.position(place) >= end for place, end in ends.items()])


@contextlib.asynccontextmanager
async def open_topic(
    kafka: KafkaSettings, topic: str, partitions: Collection[int], start: StartPosition
) -> AsyncIterator[TopicReader]:
    """Open a topic, named as on the broker. Raises Unavailable where Kafka does not answer."""
    consumer = AIOKafkaConsumer(
        **kafka.client(), enable_auto_commit=False, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    places = [TopicPartition(topic, partition) for partition in sorted(partitions)]
    try:
        await consumer.start()
        consumer.assign(places)
        for place, offset in (await _offsets(consumer, places, start)).items():
            consumer.seek(place, offset)
        yield TopicReader(consumer, places)
    except KafkaError as error:
        raise Unavailable(f"Kafka at {kafka.bootstrap} stopped answering ({type(error).__name__}). Is it running?") from error
    finally:
        await consumer.stop()


async def _offsets(consumer: Any, places: list[TopicPartition], start: StartPosition) -> dict[TopicPartition, int]:
    first, end = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    match start.kind:
        case StartKind.BEGINNING:
            return dict(first)
        case StartKind.END:
            return dict(end)
        case StartKind.OFFSET:
            return {place: min(max(start.number, first[place]), end[place]) for place in places}
        case StartKind.TIME:
            found = await consumer.offsets_for_times(dict.fromkeys(places, start.number))
            return {place: end[place] if found.get(place) is None else found[place].offset for place in places}
