"""Law 4 on a real broker: a replay during live traffic, killed and resumed, changes no table and publishes nothing again."""

import asyncio
import contextlib
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import transactions
from schemas.codec import Avro
from schemas.message import Message, header
from streams.agents.contacts import contacts
from streams.agents.identity.agent import identity
from streams.agents.membership.agent import memberships
from streams.agents.people import people
from streams.engine.naming import Naming
from streams.engine.runner import Running, running
from streams.ops.replay.journal import Replay, replays
from tests.support.config import config_text
from tests.support.counting_agent import read_all
from tests.support.engines import QUICK, append_posts, rows_of, until, until_published
from tests.support.histories import contact_events
from tests.support.oracle import pipeline_of
from tests.support.tenancy import TENANCY

pytestmark = pytest.mark.asyncio

APP = "abc12345"
AVRO = Avro.local()
EVENTS, LIVE, PERSONS, KILLS = 2_000, 300, 150, 3


async def test_a_replay_killed_during_live_traffic_changes_nothing(kafka: str, prefix: str, tmp_path: Path) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")  # noqa: T201  # shown by pytest when the test fails
    bodies = contact_events(EVENTS + LIVE, PERSONS, seed, APP)
    agents = (contacts(TENANCY, AVRO), people(TENANCY, AVRO), identity(), memberships(TENANCY, AVRO))
    await topics.apply(settings, Naming(prefix=prefix).changelogs(agents))
    before, live = bodies[:EVENTS], bodies[EVENTS:]
    expected_before, expected = (pipeline_of(part, TENANCY) for part in (before, bodies))
    async with transactions(settings, "ingress") as ingress, running(agents, kafka=settings, limits=QUICK) as work:
        await append_posts(ingress, "intercom.contacts", before)
        await until(
            lambda: work.engine.ready.is_set() and rows_of(work, "contacts") == expected_before.tables["contacts"].rows(),
            "all posts are processed",
        )

        async def traffic() -> None:
            for body in live:
                await append_posts(ingress, "intercom.contacts", [body])

        posting = asyncio.create_task(traffic())
        replay = await _replayed_despite_kills(settings, _config(settings, tmp_path), random.Random(seed))
        await posting
        rows = expected.tables["contacts"].rows()
        await until(lambda: _caught_up(work) and rows_of(work, "contacts") == rows, "replayed and live posts are processed")
        await until_published(settings, "people", expected.latest("people"))
    changes = Counter(header(record.headers, "ce_id") for record in await read_all(settings, "people.changes"))
    assert changes.most_common(1)[0][1] == 1
    posts = await read_all(settings, "intercom.contacts")
    in_range = [
        post for post in posts if post.offset < replay.ends[post.partition] and header(post.headers, "ce_origin") == "webhook"
    ]
    again = [post for post in posts if header(post.headers, "ce_replayid") == replay.id]
    assert Counter(_content(post) for post in again) == Counter(_content(post) for post in in_range)


async def _replayed_despite_kills(settings: KafkaSettings, config: Path, chance: random.Random) -> Replay:
    """Run the command, kill it a few times at random moments, and resume it until it is complete."""
    words = ["intercom.contacts", "--reprocess", "--rate", "2000"]
    for _ in range(KILLS):
        process = await _command(config, *words)
        await asyncio.sleep(chance.uniform(1.0, 2.5))
        with contextlib.suppress(ProcessLookupError):  # it was faster than the kill
            process.send_signal(signal.SIGKILL)
        await process.wait()
        found = await replays(settings, AVRO)
        words = ["--resume", next(iter(found)), "--rate", "2000"] if found else words
        if found and next(iter(found.values())).result:
            break
    else:
        process = await _command(config, *words)
        assert await process.wait() == 0
    (replay,) = (await replays(settings, AVRO)).values()
    assert replay.result == "completed"
    return replay


async def _command(config: Path, *words: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "streams.cli", "replay", *words, "--config", str(config), env={**os.environ, "KAFKA_BOOTSTRAP": ""}
    )


def _content(record: Message) -> tuple[bytes | None, bytes | None, str | None]:
    return record.key, record.value, header(record.headers, "ce_id")


def _config(settings: KafkaSettings, folder: Path) -> Path:
    file = folder / "replay.toml"
    file.write_text(
        config_text(kafka={"bootstrap": settings.bootstrap, "topic_prefix": settings.topic_prefix}, apps={}, tenants={})
    )
    return file


def _caught_up(work: Running) -> bool:
    return all(processor.caught_up for processor in work.engine.all_processors())
