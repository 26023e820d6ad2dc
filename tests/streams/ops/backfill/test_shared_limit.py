"""Two processes read one workspace: together they use its limit and are never refused, and what a killed one had is free again."""

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from connectors.kafka.settings import KafkaSettings
from connectors.simulator.rest.rate_windows import WINDOW_S
from tests.patience import DEADLINE_S
from tests.streams.cli.installation import Installation
from tests.streams.ops.backfill.test_backfill import TOPICS, configured
from tests.support.simulator.process import SimulatedProcess, simulated_process

pytestmark = pytest.mark.timeout(600)
LIMIT = 60  # calls in ten seconds: few enough for a busy machine
FREE_AFTER_S = 20
SIDE_BY_SIDE = 16  # permits that the reader process holds at most
_OPTIONS = ("--app-id", "abc12345", "--token", "t", "--contacts", "300", "--limit", str(LIMIT))


@pytest.fixture
def installation(kafka: str, prefix: str, tmp_path: Path) -> Installation:
    return Installation(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2), tmp_path, TOPICS)


@contextmanager
def reader(config: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.streams.ops.backfill.reader_process", str(config)], stderr=errors
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def windows(intercom: SimulatedProcess) -> dict[int, int]:
    return {int(start): count for start, count in intercom.counts()["rest"]["windows"].items()}


def until_window(intercom: SimulatedProcess, start: int) -> None:
    """Wait until the simulator has answered calls of a window that begins so late."""
    deadline = time.monotonic() + DEADLINE_S + 6 * WINDOW_S
    while max(windows(intercom), default=0) < start:
        assert time.monotonic() < deadline, f"no call was answered in the window {start} or later: {windows(intercom)}"
        time.sleep(0.2)


def test_a_backfill_and_another_process_use_nine_tenths_of_the_limit_and_are_never_refused(
    installation: Installation, redis_url: str, tmp_path: Path
) -> None:
    with simulated_process(tmp_path, *_OPTIONS) as intercom:
        installation.config.write_text(configured(installation.kafka, redis_url, intercom.url))
        with reader(installation.config, tmp_path / "reader.log") as other:
            until_window(intercom, 1)
            (report,) = installation.printed("backfill", "--object", "conversations")
            ended = max(windows(intercom))
            assert other.poll() is None, (tmp_path / "reader.log").read_text()
        rest = intercom.counts()["rest"]
    assert (report["result"], report["progress"]["conversations"]["read"]) == ("completed", 150)
    full = {start: count for start, count in windows_of(rest).items() if start < ended}
    first = min(full)
    used = [
        count / LIMIT for start, count in sorted(full.items()) if start > first
    ]  # the first one began before there was a reader
    assert len(used) >= 3
    assert min(used) >= 0.9, used
    assert rest["refused"] == 0


def windows_of(rest: dict[str, dict[str, int]]) -> dict[int, int]:
    return {int(start): count for start, count in rest["windows"].items()}


class NoAnswer:
    """A server that takes calls and never answers: who asks it holds its permits."""

    def __init__(self) -> None:
        self.asked = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            await reader.read()


def permits_for_a_second(installation: Installation, redis_url: str) -> set[bytes]:
    """Return the permits that somebody holds now, and still a second later."""
    key = f"{installation.kafka.topic_prefix}intercom-rest:{{abc12345}}:permits"
    with Redis.from_url(redis_url) as redis:
        before = set(redis.zrange(key, 0, -1))
        time.sleep(1)
        return before & set(redis.zrange(key, 0, -1))


async def _killed_while_it_reads(installation: Installation, redis_url: str, folder: Path) -> None:
    """Let another process of the installation hold permits, and kill it."""
    silent = NoAnswer()
    server = await asyncio.start_server(silent.handle, "127.0.0.1", 0)
    async with server:
        config = folder / "silent.toml"
        config.write_text(configured(installation.kafka, redis_url, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
        with reader(config, folder / "silent.log") as victim:
            async with asyncio.timeout(DEADLINE_S):
                while silent.asked < SIDE_BY_SIDE:
                    assert victim.poll() is None, (folder / "silent.log").read_text()
                    await asyncio.sleep(0.05)
            victim.send_signal(signal.SIGKILL)
            victim.wait()


def test_what_a_killed_process_had_is_free_again_within_twenty_seconds(
    installation: Installation, redis_url: str, tmp_path: Path
) -> None:
    with simulated_process(tmp_path, *_OPTIONS) as intercom:
        installation.config.write_text(configured(installation.kafka, redis_url, intercom.url))
        with reader(installation.config, tmp_path / "reader.log"):
            until_window(intercom, 1)
            until_window(intercom, max(windows(intercom)) + WINDOW_S)
            asyncio.run(_killed_while_it_reads(installation, redis_url, tmp_path))
            assert len(permits_for_a_second(installation, redis_url)) >= SIDE_BY_SIDE, (
                "the killed process's permits are still taken"
            )
            killed = max(windows(intercom))
            free = killed + WINDOW_S + FREE_AFTER_S  # the first window that begins surely so long after
            until_window(intercom, free + WINDOW_S)
        rest = intercom.counts()["rest"]
    used = windows_of(rest)
    assert used[free] >= 0.9 * LIMIT, json.dumps(used)
    assert rest["refused"] == 0
