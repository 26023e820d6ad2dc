"""A backfill killed with SIGKILL at random calls: nothing is missing, and what was read twice is stated."""

import asyncio
import json
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from tests.streams.cli.installation import Installation
from tests.streams.ops.backfill.test_backfill import TOPICS, configured
from tests.support.simulator.small_intercom import SmallIntercom

pytestmark = pytest.mark.timeout(600)
KILLS = int(os.environ.get("BACKFILL_KILLS", "2"))  # ten for the long form
PAGE = 5
CONTACTS = 12 * PAGE * KILLS  # a process is killed at its thirteenth call at the latest, so that there is work left for each


class Killer:
    """Counts calls, and kills the process that makes the one it was set to."""

    def __init__(self) -> None:
        self.process: asyncio.subprocess.Process | None = None
        self.at = 0
        self.calls = 0

    def __call__(self, _: str) -> int | None:
        self.calls += 1
        if self.process is not None and self.calls == self.at:
            self.process.send_signal(signal.SIGKILL)
            return 503  # to nobody
        return None


async def command(config: Path) -> asyncio.subprocess.Process:
    words = (sys.executable, "-m", "tests.streams.ops.backfill.reading_process", "--config", str(config), "backfill", "--json")
    return await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)


async def killed_again_and_again(config: Path, killer: Killer, chance: random.Random) -> bytes:
    """Kill the command so often, each time at a later call than where the one before began, and return what the last one prints."""
    for _ in range(KILLS):
        killer.calls, killer.at = 0, 2 + chance.randrange(12)
        killer.process = await command(config)
        await killer.process.communicate()
        assert killer.process.returncode == -signal.SIGKILL
    killer.process = None
    printed, errors = await (last := await command(config)).communicate()
    assert last.returncode == 0, errors.decode()
    return printed


def test_a_backfill_killed_at_random_calls_misses_nothing_and_says_what_it_read_twice(
    kafka: str, prefix: str, redis_url: str, tmp_path: Path
):
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # shown by pytest when the test fails
    installation = Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=3), tmp_path, TOPICS)
    intercom, killer = SmallIntercom(contacts=CONTACTS, companies=12, page=PAGE), Killer()
    conversations = [{"id": str(n + 1), "statistics": {"count_conversation_parts": 0}} for n in range(20)]
    intercom.others["/conversations"] = ("conversations", conversations)
    intercom.before = killer
    with intercom.served() as url:
        installation.config.write_text(configured(installation.kafka, redis_url, url))
        report = json.loads(asyncio.run(killed_again_and_again(installation.config, killer, random.Random(seed))))
    assert report["result"] == "completed"
    read = {
        topic: Counter(record.key.decode() for record in installation.read(f"intercom.{topic}"))
        for topic in ("contacts", "companies", "conversations")
    }
    assert set(read["contacts"]) == {f"abc12345:c{n}" for n in range(CONTACTS)}
    assert set(read["companies"]) == {f"abc12345:o{n}" for n in range(12)}
    assert set(read["conversations"]) == {f"abc12345:{n + 1}" for n in range(20)}
    for topic, keys in read.items():
        progress = report["progress"][topic]
        twice = sum(keys.values()) - len(keys)
        assert twice <= progress["repeated"] * 20, "no more is read twice than the report states"
        assert progress["read"] == sum(keys.values())
