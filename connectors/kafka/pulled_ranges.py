"""Read several topics at once, each partition as far as its reader asks; committed records only, without a consumer group."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from connectors.kafka.clients import Consumer, started
from connectors.kafka.ranges import OffsetRange
from connectors.kafka.settings import KafkaSettings
from schemas.errors import MissingRecords, Unavailable

_POLL_MS: Final = 100
_BATCH: Final = 1_000
_SILENT_POLLS: Final = 300  # so many without a record, where there are more: the brokers are away


class PulledRanges:
    """Ranges of offsets by topic (without prefix) and partition, each read once, from its start to its end."""

    def __init__(self, consumer: Any, prefix: str, ranges: Mapping[str, Mapping[int, OffsetRange]]) -> None:
        self._consumer = consumer
        self._prefix = prefix
        self._ranges = ranges

    def partitions(self, topic: str) -> Sequence[int]:
        """Return the partitions of a topic in order."""
        return sorted(self._ranges.get(topic, {}))

    async def read(self, topic: str, partition: int) -> AsyncIterator[Sequence[Any]]:
        """Yield the records of a partition, some at a time. Raises MissingRecords where retention was faster, Unavailable where Kafka sends none."""
        at, (position, end) = TopicPartition(self._prefix + topic, partition), self._ranges[topic][partition]
        silent = 0
        while position < end:
            try:
                records = (await self._consumer.getmany(at, timeout_ms=_POLL_MS, max_records=_BATCH)).get(at, [])
            except OffsetOutOfRangeError as error:
                raise MissingRecords(f"topic {at.topic}: records were deleted by its retention before they were read") from error
            silent = 0 if records else silent + 1
            if silent > _SILENT_POLLS:
                raise Unavailable(f"Kafka has more records of {at.topic} and sends none; are its brokers up?")
            position = await self._consumer.position(at)
            if position >= end:
                self._consumer.pause(at)  # no fetch of what comes behind the range
            if wanted := [record for record in records if record.offset < end]:
                yield wanted


@asynccontextmanager
async def pulled_ranges(kafka: KafkaSettings, ranges: Mapping[str, Mapping[int, OffsetRange]]) -> AsyncIterator[PulledRanges]:
    """Yield a reader of these ranges. Raises Unavailable where Kafka does not answer."""
    starts = {
        TopicPartition(kafka.topic(topic), number): each.start
        for topic, numbers in ranges.items()
        for number, each in numbers.items()
        if each.start < each.end
    }
    if not starts:  # a consumer without partitions does not stop in order
        yield PulledRanges(None, kafka.topic_prefix, ranges)
        return
    consumer = Consumer(kafka, enable_auto_commit=False, auto_offset_reset="none", isolation_level="read_committed")
    try:
        async with started(consumer):
            consumer.assign(list(starts))
            for at, start in starts.items():
                consumer.seek(at, start)
            await asyncio.sleep(0)  # a task of aiokafka's that has not begun cannot be cancelled in order
            yield PulledRanges(consumer, kafka.topic_prefix, ranges)
    except (KafkaError, OSError) as error:
        raise kafka.unavailable(error) from error


async def starts_at(
    kafka: KafkaSettings, ranges: Mapping[str, Mapping[int, OffsetRange]], time: int
) -> dict[str, dict[int, OffsetRange]]:
    """Return the ranges from each partition's first record at that time (ms) on: none of a partition that has no such record."""
    places = [TopicPartition(kafka.topic(topic), number) for topic, numbers in ranges.items() for number in numbers]
    try:
        async with started(Consumer(kafka, enable_auto_commit=False)) as consumer:
            found = await _offsets_at(consumer, places, time)
    except (KafkaError, OSError) as error:
        raise kafka.unavailable(error) from error
    return {
        topic: {
            number: OffsetRange(
                max(each.start, min(each.end, found.get(TopicPartition(kafka.topic(topic), number), each.end))), each.end
            )
            for number, each in numbers.items()
        }
        for topic, numbers in ranges.items()
    }


async def _offsets_at(consumer: Any, places: Collection[TopicPartition], time: int) -> dict[TopicPartition, int]:
    found = await consumer.offsets_for_times(dict.fromkeys(places, time)) if places else {}
    return {at: each.offset for at, each in found.items() if each is not None}
