"""From a workspace whose webhooks cease to answers that are UNKNOWN, and back: simulator, worker and sync as processes of their own."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from tests.patience import DEADLINE_S
from tests.support.config import config_text, write_config
from tests.support.counting_agent import producing
from tests.support.engines import latest
from tests.support.intercom_bodies import APP, contact, posted
from tests.support.oracle import routed
from tests.support.simulator.process import simulated_process

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(600)]

TOKEN, HOUR_S = "simulated-token", 3600
Rows = dict[str, dict[str, Any]]
_AVRO = Avro.local()


def configured(folder: Path, settings: KafkaSettings, redis_url: str, api: str) -> Path:
    workspace = {"app": "support", "api_url": api, "access_token": TOKEN}
    return write_config(folder, config_text(
        kafka={"bootstrap": settings.bootstrap, "topic_prefix": settings.topic_prefix, "partitions": settings.partitions},
        redis={"url": redis_url},
        worker={"session_timeout_ms": 6_000},
        sync={"resync_hours": 0, "reconcile_hours": 0, "heartbeat_minutes": 1},
        tenants={"acme": {APP: workspace}},
    ))  # fmt: skip


def create_topics(config: Path) -> None:
    subprocess.run([sys.executable, "-m", "streams.cli", "topics", "apply", "--config", str(config)], check=True)


@contextmanager
def running(config: Path, verb: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a verb of the product until the end of the block."""
    with (config.parent / f"{verb}.log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-m", "streams.cli", verb, "--config", str(config)], stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


async def webhook(settings: KafkaSettings, number: int, at_s: float) -> None:
    """Append a webhook that came at that time, as the ingress does."""
    ((topic, record),) = routed(posted("contact.user.updated", contact(f"c{number}", name="x"), number=number))
    async with producing(settings) as producer:
        await producer.send_and_wait(
            settings.topic(topic), record.value, key=record.key, headers=list(record.headers), timestamp_ms=round(at_s * 1000)
        )


async def rows(settings: KafkaSettings) -> Rows:
    """Return the present answers about the workspace."""
    found = [_AVRO.decode(value)[1] for value in (await latest(settings, "access.state")).values()]
    return {f"{row['check']} {row['account'] or ''}".strip(): row for row in found if row["app_id"] == APP}


def logs(folder: Path) -> str:
    return "\n".join(f"{each.name}: {each.read_text()[-1500:]}" for each in folder.glob("*.log"))


async def becomes(settings: KafkaSettings, folder: Path, wanted: Callable[[Rows], bool], what: str) -> Rows:
    deadline = time.monotonic() + 2 * DEADLINE_S
    while not wanted(found := await rows(settings)):
        if time.monotonic() > deadline:
            have = {name: (row["result"], row["reason"]) for name, row in found.items()}
            raise AssertionError(f"not {what}: {have}\n{logs(folder)}")
        await asyncio.sleep(0.3)
    return found


def is_silent(found: Rows) -> bool:
    row = found.get("coverage")
    return row is not None and (row["result"], row["reason"]) == ("UNKNOWN", "silent")


def known_again(found: Rows) -> bool:
    return found["coverage"]["result"] == "PASS" and found["C1 1000001"]["result"] == "FAIL"


async def test_what_rests_on_webhooks_that_ceased_is_unknown_until_they_come_again(
    kafka: str, prefix: str, redis_url: str, tmp_path: Path
) -> None:
    settings, now = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=2), time.time()
    start = datetime.fromtimestamp(now - HOUR_S, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    options = ("--app-id", APP, "--contacts", "20", "--limit", "1000", "--frozen", "--start", start)
    with simulated_process(tmp_path, *options) as intercom:
        config = configured(tmp_path, settings, redis_url, intercom.url)
        create_topics(config)
        for number in range(5):
            await webhook(settings, number, now - 3 * HOUR_S + 60 * number)
        intercom.change(kind="contact.create")  # an hour ago, of which no webhook comes
        intercom.advance(HOUR_S)
        with running(config, "worker"):
            with running(config, "sync"):
                silent = await becomes(settings, tmp_path, is_silent, "silent")
                await becomes(settings, tmp_path, lambda found: "C1 1000001" in found, "evaluated")
                unknown = await becomes(
                    settings, tmp_path, lambda found: found["C1 1000001"]["result"] == "UNKNOWN", "UNKNOWN for teammates"
                )
            assert unknown["C1 1000001"]["reason"] == "workspace_silent"
            assert silent["coverage"]["since"] == round((now - 3 * HOUR_S + 60 * 4) * 1000), "since the last webhook"
            await webhook(settings, 9, time.time())
            with running(config, "sync"):  # another process, which has it from the answers that the workspace was silent
                await becomes(settings, tmp_path, known_again, "known again")
