"""Read what a topic holds up to its present end: committed records only, without a consumer group."""

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Any, TypeVar

from connectors.kafka.ranges import OffsetRange, open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.errors import TopicMissing
from schemas.partition import partition_of

T = TypeVar("T")


async def read_to_end(
    kafka: KafkaSettings,
    name: str,
    keep: Callable[[Any], T | None],
    *,
    keys: Collection[bytes] | None = None,
    groups: Collection[bytes] = (),
    start: int = 0,
) -> list[T]:
    """Return what `keep` makes of each record, without None, in the order of each partition, from an offset on.

    With `keys`, only the records with one of these keys are read, or with a key `group|item` of one of these groups, in the partitions
    that have them. Raises Unavailable where Kafka or the topic is not there.
    """
    async with open_ranges(kafka, kafka.topic(name)) as reader:
        ranges = await reader.bounds()
        if keys is not None:
            numbers = {partition_of(each, len(ranges)) for each in (*keys, *groups)}
            ranges = {number: ranges[number] for number in sorted(numbers)}
        if start:
            ranges = {number: OffsetRange(max(start, each.start), each.end) for number, each in ranges.items()}
        wanted = (keep(record) async for record in reader.records(ranges) if keys is None or _has(record.key, keys, groups))
        return [made async for made in wanted if made is not None]


async def latest_of_group(kafka: KafkaSettings, name: str, group: str) -> dict[str, bytes]:
    """Return the last value of each item of a group, of a compacted topic with keys `group|item`; nothing without the topic.

    Raises Unavailable.
    """
    prefix = f"{group}|".encode()
    items: dict[str, bytes] = {}

    def keep(record: Any) -> None:
        if record.key.startswith(prefix):
            item = record.key[len(prefix) :].decode()
            if record.value is None:
                items.pop(item, None)
            else:
                items[item] = record.value

    with suppress(TopicMissing):
        await read_to_end(kafka, name, keep, keys=(), groups=[group.encode()])
    return items


async def latest_of_each(kafka: KafkaSettings, name: str, decode: Callable[[bytes | None], T]) -> dict[str, T]:
    """Return what `decode` makes of the last record of each key, as of a topic of states. Raises Unavailable."""
    async with open_ranges(kafka, kafka.topic(name)) as reader:
        return {record.key.decode(): decode(record.value) async for record in reader.records()}


def _has(key: bytes | None, keys: Collection[bytes], groups: Collection[bytes]) -> bool:
    return key is not None and (key in keys or (bool(groups) and key.partition(b"|")[0] in groups))
