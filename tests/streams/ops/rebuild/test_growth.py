"""More partitions under live traffic, by the command itself, which is killed: nothing is lost, and readers of public topics notice nothing."""

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import present
from connectors.kafka.transaction import transactions
from schemas.message import header
from schemas.profiles.registers import SourceRecordRow
from streams.agents.source_records import ROW
from streams.ops.generations.state import read_generations
from tests.patience import DEADLINE_S
from tests.streams.ops.rebuild.installed import AVRO, installed, worker
from tests.support.counting_agent import read_all
from tests.support.engines import append_posts, latest, until
from tests.support.histories import contact_events
from tests.support.oracle import pipeline_of
from tests.support.tenancy import TENANCY

pytestmark = pytest.mark.asyncio

APP, BEFORE, LIVE, PERSONS = "abc12345", 600, 200, 80


async def test_tables_grow_from_4_to_16_partitions_under_traffic_and_a_kill(kafka: str, prefix: str, tmp_path: Path) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=4)
    configured, chance = installed(settings, tmp_path), random.SystemRandom()
    bodies = contact_events(BEFORE + LIVE, PERSONS, 5, APP)
    async with worker(configured) as working, transactions(settings, "ingress") as ingress:
        await until(lambda: working.caught_up, "the worker is ready")
        await append_posts(ingress, "intercom.contacts", bodies[:BEFORE])

        async def traffic() -> None:
            for at in range(BEFORE, len(bodies), 5):
                await append_posts(ingress, "intercom.contacts", bodies[at : at + 5])
                await asyncio.sleep(0.1)

        posting = asyncio.create_task(traffic())
        killed = await _command(tmp_path)
        pause = chance.uniform(2.0, 9.0)
        print(f"killed after {pause:.1f} s")  # noqa: T201  # shown by pytest when the test fails
        await asyncio.sleep(pause)
        with contextlib.suppress(ProcessLookupError):  # it was faster than the kill
            killed.send_signal(signal.SIGKILL)
        await killed.wait()
        report = await _completed(settings, tmp_path)
        await posting
        assert (report["partitions"], report["result"]) == (16, "swapped")
        expected = pipeline_of(bodies, TENANCY)
        await until(lambda: len(working.engines) > 1 and working.caught_up, "the worker has the new tables")
        await until(
            lambda: working.rows("contacts").keys() >= expected.tables["contacts"].rows().keys(), "all contacts are there"
        )
        await _until_people(settings, expected.values("people"))
        rows = expected.tables["contacts"].rows()
        await until(lambda: _registers(working.rows("contacts")) == _registers(rows), "the tables equal the oracle's")
        assert len({each.partition for each in working.engine.all_processors() if each.agent.name == "contacts"}) == 16
        assert (await present(settings))[settings.topic("people")] == 4
    for topic in ("people", "people.changes"):
        ids = Counter(header(record.headers, "ce_id") for record in await read_all(settings, topic))
        assert ids.most_common(1)[0][1] == 1, topic


async def _completed(settings: KafkaSettings, folder: Path) -> dict[str, object]:
    """Run the command again until it has taken over; the killed one may have been faster."""
    state = await read_generations(settings)
    if any(entry.result == "swapped" for entry in state.rebuilds.values()):
        (entry,) = state.rebuilds.values()
        return {"partitions": entry.generation.partitions, "result": entry.result}
    process = await _command(folder)
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    report: dict[str, object] = json.loads(output.splitlines()[-1])
    return report


async def _command(folder: Path) -> asyncio.subprocess.Process:
    words = ["rebuild", "contacts", "--partitions", "16", "--swap", "--json", "--config", str(folder / "intercom-streams.toml")]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams.cli", *words,
        env={**os.environ, "KAFKA_BOOTSTRAP": ""}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


def _registers(rows: dict[str, bytes]) -> dict[str, bytes]:
    """Return what of contacts' rows law 2 promises; the number of an assignment is history."""
    decoded = {key: ROW.decode(data) for key, data in rows.items()}
    return {key: bytes(row.registers) for key, row in decoded.items() if isinstance(row, SourceRecordRow)}


async def _until_people(settings: KafkaSettings, expected: dict[str, object]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while {key: AVRO.decode(value)[1] for key, value in (await latest(settings, "people")).items()} != expected:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
