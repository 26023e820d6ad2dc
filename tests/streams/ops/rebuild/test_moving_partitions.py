"""A rebuild on a real Kafka while workers join and leave, and one whose own disk is full half way."""

import asyncio
import contextlib
import json
import os
import random
import resource
import sys
from collections import Counter
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import transactions
from schemas.message import header
from streams.ops.generations.state import read_generations
from streams.settings import load
from tests.patience import DEADLINE_S
from tests.streams.ops.rebuild.installed import AVRO, installed, job_of, rebuilt, worker
from tests.support.config import config_text, write_config
from tests.support.counting_agent import read_all
from tests.support.engines import append_posts, latest, until, until_published
from tests.support.histories import contact_events
from tests.support.oracle import pipeline_of
from tests.support.tenancy import TENANCY

pytestmark = pytest.mark.asyncio

APP, PERSONS = "abc12345", 60
PUBLIC = ("people", "people.changes", "people.aliases", "memberships")


async def test_a_rebuild_is_right_though_partitions_move_all_the_while(kafka: str, prefix: str, tmp_path: Path) -> None:
    configured = installed(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=4), tmp_path)
    settings, bodies, chance = configured.kafka, contact_events(400, PERSONS, 31, APP), random.SystemRandom()
    moves = 0
    async with worker(configured) as working, transactions(settings, "ingress") as ingress:
        await until(lambda: working.caught_up, "the worker is ready")
        await append_posts(ingress, "intercom.contacts", bodies[:300])

        async def join_and_leave() -> None:
            nonlocal moves
            while True:
                async with worker(configured) as second:
                    await until(lambda: bool(second.engines) and bool(second.engine.all_processors()), "it has partitions")
                    moves += 1
                    await asyncio.sleep(chance.uniform(0.1, 2))

        moving = asyncio.create_task(join_and_leave())
        try:
            outcome = await rebuilt(job_of(settings), "contacts", swap=True)
            assert not moving.done(), "partitions moved to the end"
        finally:
            moving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await moving
        assert (outcome.entry.result, outcome.published) == ("swapped", 0)
        assert [table.agent for table in outcome.tables if not table.same] == []
        assert moves > 0
        await until(lambda: working.engine is not working.engines[0] and working.caught_up, "the worker has the rebuilt tables")
        await append_posts(ingress, "intercom.contacts", bodies[300:])
        await _until_people(settings, bodies)
    await _no_id_twice(settings)


async def test_a_rebuild_whose_disk_is_full_half_way_continues_when_there_is_room(
    kafka: str, prefix: str, tmp_path: Path
) -> None:
    """A limit on the size of files, set and removed from outside, stands for the full disk."""
    table = {"bootstrap": kafka, "topic_prefix": prefix, "partitions": 4}
    lists = {"on_disk": ["contacts", "people"], "state_dir": str(tmp_path / "tables")}
    config = write_config(tmp_path, config_text(kafka=table, worker=lists))  # type: ignore[arg-type]  # TOML's lists are JSON's
    configured = load(str(config))
    settings, bodies = configured.kafka, contact_events(600, PERSONS, 37, APP)
    async with worker(configured) as working, transactions(settings, "ingress") as ingress:
        await until(lambda: working.caught_up, "the worker is ready")
        await append_posts(ingress, "intercom.contacts", bodies[:500])
        await until_published(settings, "people", pipeline_of(bodies[:500], TENANCY).latest("people"))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streams.cli", "rebuild", "contacts", "--swap", "--json", "--config", str(config),
            env={**os.environ, "KAFKA_BOOTSTRAP": ""}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        assert process.stdout
        assert process.stderr
        async with asyncio.timeout(2 * DEADLINE_S):
            while not (tmp_path / "tables").exists() or "rebuild" not in str(list((tmp_path / "tables").rglob("*"))):
                assert process.returncode is None, await process.stderr.read()
                await asyncio.sleep(0.05)
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, most))
            errors = b""
            while b"Its disk is full or failing" not in errors:
                line = await process.stderr.readline()
                assert line, f"it ended before its disk was full: {errors.decode()[-2_000:]}"
                errors += line
            assert (await read_generations(settings)).live.generations == ()  # nothing has taken over
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
            output, rest = await process.communicate()
        assert process.returncode == 0, (errors + rest).decode()[-3_000:]
        assert b"Traceback" not in errors + rest
        assert json.loads(output)["result"] == "swapped"
        await until(lambda: len(working.engines) > 1 and working.caught_up, "the worker has the rebuilt tables")
        await append_posts(ingress, "intercom.contacts", bodies[500:])
        await _until_people(settings, bodies)
    await _no_id_twice(settings)


async def _until_people(settings: KafkaSettings, bodies: list[bytes]) -> None:
    expected = pipeline_of(bodies, TENANCY).values("people")
    async with asyncio.timeout(DEADLINE_S):
        while {key: AVRO.decode(value)[1] for key, value in (await latest(settings, "people")).items()} != expected:  # noqa: ASYNC110  # Kafka sets no event
            await asyncio.sleep(0.2)


async def _no_id_twice(settings: KafkaSettings) -> None:
    for topic in PUBLIC:
        ids = Counter(header(record.headers, "ce_id") for record in await read_all(settings, topic))
        assert [id_ for id_, count in ids.items() if count > 1] == [], topic
