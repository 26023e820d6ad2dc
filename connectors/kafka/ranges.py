"""Read ranges of a topic's offsets: each from its start to its end, with positions to continue from; committed records only."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from connectors.kafka.clients import Consumer
from connectors.kafka.decided_ends import decided_ends
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_metadata import described
from schemas.errors import MissingRecords, TopicMissing, Unavailable

_POLL_MS: Final = (
    100  # short: behind a range's last record there is often only the marker of its transaction, which no poll returns
)
_BATCH: Final = 2000
_START_S: Final = 15.0
_SILENT_POLLS: Final = 300  # so many without a record, where there are more: the brokers are away


class OffsetRange(NamedTuple):
    """Offsets from `start` up to but without `end`."""

    start: int
    end: int


class RangeBatch(NamedTuple):
    """Records, and where reading continues in each partition that is not at its end."""

    records: list[Any]
    positions: dict[int, int]


class RangeReader:
    """A consumer of one topic that belongs to no group."""

    def __init__(self, consumer: Consumer, topic: str, partitions: list[TopicPartition], *, decided: bool) -> None:
        self._consumer = consumer
        self._topic = topic
        self._all = partitions
        self._decided = decided

    async def bounds(self) -> dict[int, OffsetRange]:
        """Return what the log has of each partition now, as `open_ranges` was asked for. Raises Unavailable as `decided_ends` does."""
        starts = await self._consumer.beginning_offsets(self._all)
        ends = await (decided_ends(self._consumer, self._all) if self._decided else self._consumer.end_offsets(self._all))
        return {each.partition: OffsetRange(starts[each], ends[each]) for each in self._all}

    async def written_end(self, partition: int) -> int:
        """Return where a partition ends with the records of transactions that are still open."""
        each = TopicPartition(self._topic, partition)
        return (await self._consumer.written_ends([each]))[each]

    async def offsets_at(self, time: int) -> dict[int, int | None]:
        """Return the offset of each partition's first record at that time (ms) or later, None where there is none."""
        found = await self._consumer.offsets_for_times(dict.fromkeys(self._all, time))
        return {each.partition: found[each].offset if found.get(each) else None for each in self._all}

    async def records(self, ranges: Mapping[int, OffsetRange] | None = None) -> AsyncIterator[Any]:
        """Yield the records of the ranges one by one; without any, all that is committed by now. Raises as `bounds` and `read` do."""
        async for batch in self.read(await self.bounds() if ranges is None else ranges, _BATCH):
            for record in batch.records:
                yield record

    async def latest(self, count: int) -> AsyncIterator[Any]:
        """Yield the records of the last offsets of each partition, as many as `count`. Raises as `bounds` and `read` do."""
        bounds = await self.bounds()
        async for record in self.records(
            {number: OffsetRange(max(start, end - count), end) for number, (start, end) in bounds.items()}
        ):
            yield record

    async def read(self, ranges: Mapping[int, OffsetRange], batch: int) -> AsyncGenerator[RangeBatch, None]:
        """Yield the records of the ranges, at most `batch` at a time.

        Raises MissingRecords where retention deletes records of a range before they are read, Unavailable where Kafka sends none.
        """
        left = {TopicPartition(self._topic, number): each.end for number, each in ranges.items() if each.start < each.end}
        self._consumer.assign(list(left) or self._all)
        for each in left:
            self._consumer.seek(each, ranges[each.partition].start)
        silent = 0
        while left:
            try:
                fetched = await self._consumer.getmany(*left, timeout_ms=_POLL_MS, max_records=batch)
            except OffsetOutOfRangeError as error:
                raise MissingRecords(
                    f"topic {self._topic}: records of the range were deleted by its retention before they were read. "
                    "Choose a later start."
                ) from error
            silent = 0 if fetched else silent + 1
            if silent > _SILENT_POLLS:
                raise Unavailable(f"Kafka has more records of {self._topic} and sends none; are its brokers up?")
            records = [record for each, part in fetched.items() for record in part if record.offset < left[each]]
            positions = {each: min(await self._consumer.position(each), end) for each, end in left.items()}
            left = {each: end for each, end in left.items() if positions[each] < end}
            yield RangeBatch(records, {each.partition: position for each, position in positions.items()})


@asynccontextmanager
async def open_ranges(kafka: KafkaSettings, topic: str, *, decided: bool = True) -> AsyncIterator[RangeReader]:
    """Yield a reader of a topic, named as on the broker. Raises Unavailable where Kafka does not answer or has no such topic.

    Its bounds hold everything that was committed before they are asked for, and wait for the transactions that are open then. Without
    `decided` they end at the first open one: for those who look again and again, or must not wait.
    """
    consumer = Consumer(kafka, enable_auto_commit=False, auto_offset_reset="none", isolation_level="read_committed")
    try:
        async with asyncio.timeout(_START_S):
            await consumer.start()
            partitions = await partitions_of(consumer, topic)
        if not partitions:
            raise TopicMissing(f"There is no topic {topic} at {kafka.bootstrap}. Run: intercom-streams topics apply")
        yield RangeReader(consumer, topic, partitions, decided=decided)
    except (KafkaError, OSError) as error:
        raise kafka.unavailable(error) from error
    finally:
        await consumer.stop()


async def partitions_of(consumer: Any, *topics: str) -> list[TopicPartition]:
    """Return the partitions of topics in order, none of a topic that the cluster does not have."""
    client = consumer._client  # noqa: SLF001  # a request of the consumer itself could create a topic
    found = await described(client, topics)
    present = [topic for topic in topics if topic in found]
    await client.set_topics(present)  # else each is learnt alone by the first request about it, a tenth of a second each
    return [TopicPartition(topic, number) for topic in present for number in sorted(each["partition"] for each in found[topic])]
