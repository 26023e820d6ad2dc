"""What must be true after a campaign, counted from the input alone, as a `read_committed` consumer sees it."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.settings import KafkaSettings
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionStatus
from streams.engine.runner import running
from streams.engine.tables import commit_state as positions
from streams.engine.tables.rocksdb import RocksStores
from tests.faults.counting_worker import AGENT, LIMITS
from tests.support.counting_agent import OUT, PARTITIONS, SECOND, SOURCE, read_all

_SETTLE_SECONDS = 150.0
_ONE_TRY_SECONDS = 40.0


async def audit(settings: KafkaSettings, watch: Callable[[], None]) -> Counter[str]:
    """Compare outputs and changelog with the input, and return the table that must follow. `watch` is called meanwhile and may raise."""
    expected = {
        (topic, record.partition, record.offset): record.key.decode()
        for topic in (SOURCE, SECOND)
        for record in await _read_all(settings, topic)
    }
    outputs = await _outputs(settings, len(expected), watch)
    try:
        compare(expected, outputs)
    except AssertionError as wrong:
        raise AssertionError(f"{wrong}\n{await _standing(settings, expected, outputs)}") from wrong
    table = Counter(expected.values())
    assert await _changelog_rows(settings) == table, "the changelog holds another table"
    return table


def compare(expected: dict[tuple[str, int, int], str], outputs: list[tuple[int, dict[str, Any]]]) -> None:
    """Check that every input has exactly one output, and that the counts of a key have no gap."""
    counted = Counter((value["topic"], partition, value["offset"]) for partition, value in outputs)
    repeated = [position for position, times in counted.items() if times > 1]
    missing = expected.keys() - counted.keys()
    assert not repeated, f"{len(repeated)} outputs twice, as {repeated[0]}"
    assert not missing, f"{len(missing)} of {len(expected)} without output, as {min(missing)}"
    counts: dict[str, list[int]] = defaultdict(list)
    for _, value in outputs:
        counts[value["key"]].append(value["n"])
    assert counts == {key: list(range(1, times + 1)) for key, times in Counter(expected.values()).items()}, "wrong counts"


async def table_on_disk(settings: KafkaSettings, state: Path) -> dict[str, int]:
    """Return the whole table as the next worker restores it: from the disk, then from the changelog after the bookmark."""
    rows: dict[str, int] = {}
    keys = {record.key.decode() for topic in (SOURCE, SECOND) for record in await read_all(settings, topic)}
    async with running((AGENT,), kafka=settings, limits=LIMITS, store_of=RocksStores(state, frozenset({AGENT.name}))) as work:
        deadline = asyncio.get_running_loop().time() + _SETTLE_SECONDS
        live = [PartitionStatus.LIVE] * PARTITIONS  # killed workers stay members of the group until their session ends
        while [processor.status for processor in work.engine.all_processors()] != live:
            assert asyncio.get_running_loop().time() < deadline, (
                f"not recovered after {_SETTLE_SECONDS} s: {work.engine.all_processors()}"
            )
            await asyncio.sleep(0.1)
        for processor in work.engine.all_processors():
            rows |= {key: count for key in keys if (count := processor.view().get(key))}
    return rows


async def _outputs(settings: KafkaSettings, expected_count: int, watch: Callable[[], None]) -> list[tuple[int, dict[str, Any]]]:
    """Return partition and value of each output, once all expected ones exist or none was added for `_SETTLE_SECONDS`."""
    now = asyncio.get_running_loop().time
    received, last_growth = 0, now()
    while True:
        watch()
        records = await _read_all(settings, OUT)
        if len(records) > received:
            received, last_growth = len(records), now()
        if received >= expected_count or now() - last_growth > _SETTLE_SECONDS:
            return [(record.partition, json.loads(record.value)) for record in records]
        await asyncio.sleep(2)  # a read of the whole topic takes CPU time from the workers


async def _standing(
    settings: KafkaSettings, expected: dict[tuple[str, int, int], str], outputs: list[tuple[int, dict[str, Any]]]
) -> str:
    """Return how far each partition is: a transaction that never ends hides outputs from readers, a worker that stands still makes none."""
    names = [settings.topic(OUT), settings.topic(Naming(prefix=settings.topic_prefix).changelog(AGENT.name))]
    places = [TopicPartition(name, partition) for name in names for partition in range(PARTITIONS)]
    committed, written = await _ends(settings, places, "read_committed"), await _ends(settings, places, "read_uncommitted")
    inputs, counted = Counter(place[1] for place in expected), Counter(partition for partition, _ in outputs)
    lines = [f"partition {each}: {counted[each]} of {inputs[each]} inputs counted" for each in range(PARTITIONS)]
    hidden = [f"{each}: readable to {committed[each]} of {written[each]}" for each in places if committed[each] != written[each]]
    return "\n".join([*lines, *(hidden or ["no transaction is open"])])


async def _ends(settings: KafkaSettings, places: list[TopicPartition], isolation: str) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(**settings.client(), isolation_level=isolation)
    await consumer.start()
    try:
        consumer.assign(places)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(places)
        return ends
    finally:
        await consumer.stop()


async def _changelog_rows(settings: KafkaSettings) -> dict[str, int]:
    records = await _read_all(settings, Naming(prefix=settings.topic_prefix).changelog(AGENT.name))
    return {record.key.decode(): msgspec.msgpack.decode(record.value) for record in records if record.key != positions.KEY}


async def _read_all(settings: KafkaSettings, topic: str) -> list[Any]:
    """Read a topic, with retries: a cluster that was just repaired may fail for a moment."""
    async with asyncio.timeout(_SETTLE_SECONDS):
        while True:
            try:
                async with asyncio.timeout(_ONE_TRY_SECONDS):  # a consumer may hang for good when leaders move
                    return await read_all(settings, topic)
            except (KafkaError, TimeoutError):
                await asyncio.sleep(1)
