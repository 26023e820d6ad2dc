"""What has to be true after a campaign, counted from the input alone, as a `read_committed` reader sees it."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
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
    """Compare outputs and changelog with the input, and return the table that follows from it. `watch` may raise meanwhile."""
    wanted = {
        (topic, record.partition, record.offset): record.key.decode()
        for topic in (SOURCE, SECOND)
        for record in await _all(settings, topic)
    }
    compare(wanted, await _outputs(settings, len(wanted), watch))
    table = Counter(wanted.values())
    assert await _changelog(settings) == table, "the changelog holds another table"
    return table


def compare(wanted: dict[tuple[str, int, int], str], outputs: list[tuple[int, dict[str, Any]]]) -> None:
    """Every input has exactly one output, and the counts of a key follow each other without a hole."""
    found = Counter((value["topic"], partition, value["offset"]) for partition, value in outputs)
    twice = [place for place, times in found.items() if times > 1]
    missing = wanted.keys() - found.keys()
    assert not twice, f"{len(twice)} outputs twice, as {twice[0]}"
    assert not missing, f"{len(missing)} of {len(wanted)} without output, as {min(missing)}"
    counts: dict[str, list[int]] = defaultdict(list)
    for _, value in outputs:
        counts[value["key"]].append(value["n"])
    assert counts == {key: list(range(1, times + 1)) for key, times in Counter(wanted.values()).items()}, "wrong counts"


async def on_disk(settings: KafkaSettings, state: Path) -> dict[str, int]:
    """Return the whole table as the next worker has it: from the disk, and from the changelog behind its bookmark."""
    rows: dict[str, int] = {}
    keys = {record.key.decode() for topic in (SOURCE, SECOND) for record in await read_all(settings, topic)}
    async with running((AGENT,), kafka=settings, limits=LIMITS, store_of=RocksStores(state, frozenset({AGENT.name}))) as work:
        deadline = asyncio.get_running_loop().time() + _SETTLE_SECONDS
        while [lane.status for lane in work.engine.all_processors()] != [
            PartitionStatus.LIVE
        ] * PARTITIONS:  # the killed are members for a while
            assert asyncio.get_running_loop().time() < deadline, (
                f"not recovered after {_SETTLE_SECONDS} s: {work.engine.all_processors()}"
            )
            await asyncio.sleep(0.1)
        for lane in work.engine.all_processors():
            rows |= {key: count for key in keys if (count := lane.view().get(key))}
    return rows


async def _outputs(settings: KafkaSettings, wanted: int, watch: Callable[[], None]) -> list[tuple[int, dict[str, Any]]]:
    """Return partition and value of each output, once there are so many or none has come for long: a busy machine is slow, not stuck."""
    now = asyncio.get_running_loop().time
    seen, last = 0, now()
    while True:
        watch()
        records = await _all(settings, OUT)
        if len(records) > seen:
            seen, last = len(records), now()
        if seen >= wanted or now() - last > _SETTLE_SECONDS:
            return [(record.partition, json.loads(record.value)) for record in records]
        await asyncio.sleep(2)  # reading all of it takes the workers' time


async def _changelog(settings: KafkaSettings) -> dict[str, int]:
    records = await _all(settings, Naming(prefix=settings.topic_prefix).changelog(AGENT.name))
    return {record.key.decode(): msgspec.msgpack.decode(record.value) for record in records if record.key != positions.KEY}


async def _all(settings: KafkaSettings, topic: str) -> list[Any]:
    """Read a topic, if need be again: a cluster that has just been put together has moments of its own."""
    async with asyncio.timeout(_SETTLE_SECONDS):
        while True:
            try:
                async with asyncio.timeout(_ONE_TRY_SECONDS):  # a consumer that lost its way while leaders moved waits for ever
                    return await read_all(settings, topic)
            except (KafkaError, TimeoutError):
                await asyncio.sleep(1)
