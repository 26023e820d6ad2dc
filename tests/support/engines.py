"""What tests of the engine on a real broker share: quick limits, waiting, and the counts that the counting agent sent."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, Transactions
from streams.engine.limits import Limits
from streams.engine.partition.processor import PartitionStatus
from streams.engine.runner import Running
from streams.engine.tables.store import MemoryStore
from tests.patience import DEADLINE_S
from tests.support.counting_agent import OUT, SOURCE, producing, read_all, write
from tests.support.oracle import routed

QUICK = Limits(settle_seconds=0.1, reload_seconds=0.05, session_timeout_ms=6_000, heartbeat_ms=500)
KEYS = [f"k{number}" for number in range(7)]

RunEngine = Callable[..., AbstractAsyncContextManager[Running]]
"""`streams.engine.runner.running` with stores of one kind."""


async def until(condition: Callable[[], bool], what: str, seconds: float = DEADLINE_S) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited {seconds} s for: {what}"
        await asyncio.sleep(0.02)


def processed(work: Running, topic: str = SOURCE) -> int:
    """Return how many offsets of the topic all partitions have passed."""
    return sum(processor.positions.get(topic, 0) for processor in work.engine.all_processors())


def count_of(work: Running, key: str) -> int:
    """Return the key's count in the table."""
    return max(processor.view().get(key) or 0 for processor in work.engine.all_processors())


def live(work: Running) -> set[int]:
    return {processor.partition for processor in work.engine.all_processors() if processor.status is PartitionStatus.LIVE}


def caught_up(work: Running) -> bool:
    return all(processor.caught_up for processor in work.engine.all_processors())


async def send(settings: KafkaSettings, keys: list[str], topic: str = SOURCE, value: bytes = b"x") -> None:
    async with producing(settings) as producer:
        for key in keys:
            await write(producer, settings, topic, key, value)


async def counts(settings: KafkaSettings) -> dict[str, list[int]]:
    """Return the counts sent for each key, in order."""
    numbers: dict[str, list[int]] = {}
    for record in await read_all(settings, OUT):
        value = json.loads(record.value)
        numbers.setdefault(value["key"], []).append(value["n"])
    return numbers


def exactly(keys: list[str]) -> dict[str, list[int]]:
    """Return the counts if each of these keys is counted once."""
    return {key: list(range(1, times + 1)) for key, times in Counter(keys).items()}


def rows_of(work: Running, agent: str) -> dict[str, bytes]:
    """Return the rows of an agent's table in memory, by key."""
    stores = [processor.store for processor in work.engine.all_processors() if processor.agent.name == agent]
    return dict(sorted(row for store in stores if isinstance(store, MemoryStore) for row in store.items()))


async def latest(settings: KafkaSettings, topic: str) -> dict[str, bytes]:
    """Return a compacted topic's last values, by key, without those whose last value is a tombstone."""
    values = {record.key.decode(): record.value for record in await read_all(settings, topic)}
    return {key: value for key, value in sorted(values.items()) if value is not None}


async def until_published(settings: KafkaSettings, topic: str, expected: dict[str, bytes], seconds: float = DEADLINE_S) -> None:
    """Wait until the last values of a compacted topic are these."""
    async with asyncio.timeout(seconds):
        while await latest(settings, topic) != expected:  # noqa: ASYNC110  # Kafka sets no event
            await asyncio.sleep(0.2)


async def append_posts(producer: Transactions, topic: str, bodies: Sequence[bytes]) -> None:
    """Append the records that posts give a topic, in one transaction."""
    records = [record for body in bodies for to, record in routed(body) if to == topic]
    await producer.append([TopicRecord(topic, record.key, record.value, record.headers) for record in records])
