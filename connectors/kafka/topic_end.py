"""Read what a topic holds up to its present end: committed records only, without a consumer group."""

from collections.abc import Callable
from typing import Any, TypeVar

from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.partition import partition_of

T = TypeVar("T")


async def read_to_end(kafka: KafkaSettings, name: str, keep: Callable[[Any], T | None], *, key: bytes | None = None) -> list[T]:
    """Return what `keep` makes of each record, without None, in the order of each partition.

    With `key`, only the records with that key are read. Raises Unavailable where Kafka or the topic is not there.
    """
    async with open_ranges(kafka, kafka.topic(name)) as reader:
        ranges = await reader.bounds()
        if key is not None:
            number = partition_of(key, len(ranges))
            ranges = {number: ranges[number]}
        wanted = (keep(record) async for record in reader.records(ranges) if key in (None, record.key))
        return [made async for made in wanted if made is not None]
