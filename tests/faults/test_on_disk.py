"""Tables on disk under kills, zombies and a full disk: every event counts once, and the disk has the right table."""

import asyncio
import json
import random
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from tests.faults.audit import table_on_disk
from tests.faults.campaign import Campaign
from tests.faults.counting_worker import AGENT
from tests.faults.disturbances import KINDS
from tests.patience import DEADLINE_S
from tests.support.counting_agent import OUT, PARTITIONS, SOURCE, create_topics, producing, read_all, write

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(600)]


async def test_workers_with_tables_on_disk_killed_and_frozen_count_every_event_once(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"repeat: scripts/faults --seed {seed} --kind disk")  # noqa: T201  # shown by pytest when the test fails
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS)
    await Campaign(settings, tmp_path, kind=KINDS["disk"], seed=seed).run(5)


async def test_a_worker_whose_disk_is_full_goes_on_when_there_is_room_again(kafka: str, prefix: str, tmp_path: Path) -> None:
    """A limit on the size of files, set and removed from outside, stands for the full disk."""
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=PARTITIONS)
    await create_topics(settings, AGENT)
    state = tmp_path / "state"
    worker = start_worker(kafka, prefix, "6000", str(state))
    try:
        keys = [f"k{number % 50}" for number in range(400)]
        await feed(settings, keys)
        await wait_for_counts(settings, len(keys))
        _, most = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        await feed(settings, keys * 2)
        await asyncio.sleep(3)
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (most, most))
        await feed(settings, keys)
        counts = await wait_for_counts(settings, 4 * len(keys))
    finally:
        worker.terminate()
        log, _ = await asyncio.to_thread(worker.communicate)
    assert worker.returncode == 0, log[-3_000:]
    assert b"table failed" in log
    assert b"Its disk is full or failing" in log
    assert counts == {key: list(range(1, 4 * times + 1)) for key, times in Counter(keys).items()}
    assert await table_on_disk(settings, state) == {key: 4 * times for key, times in Counter(keys).items()}


def start_worker(*arguments: str) -> subprocess.Popen[bytes]:
    """Start a worker that logs to a pipe, because a file would hit the limit too."""
    command = [sys.executable, "-m", "tests.faults.counting_worker", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


async def feed(settings: KafkaSettings, keys: list[str]) -> None:
    async with producing(settings) as producer:
        await asyncio.gather(*(write(producer, settings, SOURCE, key) for key in keys))


async def wait_for_counts(settings: KafkaSettings, events: int) -> dict[str, list[int]]:
    """Return the counts of each key in the outputs, once all events have one."""
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while len(records := await read_all(settings, OUT)) < events:
        assert asyncio.get_running_loop().time() < deadline, f"{len(records)} of {events} outputs after {DEADLINE_S} s"
        await asyncio.sleep(0.5)
    counts: dict[str, list[int]] = {}
    for value in (json.loads(record.value) for record in records):
        counts.setdefault(value["key"], []).append(value["n"])
    return counts
