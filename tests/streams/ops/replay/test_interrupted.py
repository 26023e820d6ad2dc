"""What an operator reads about a replay that did not come to its end, on a real broker."""

import asyncio
from pathlib import Path

import pytest

from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.errors import Fenced, Unavailable
from streams.ops.replay import run as running
from streams.ops.replay import start
from streams.ops.replay.journal import Replay
from streams.ops.replay.run import Watcher
from streams.ops.replay.selection import ReplaySelection
from streams.ops.replay.start import ReplayLimits, begin, end, resume
from tests.streams.cli.installation import Installation
from tests.streams.cli.verbs.test_replay import post

AVRO = Avro.local()
CONTACTS = "intercom.contacts"
UNHURRIED = ReplayLimits(rate=5, max_lag=1 << 40)  # no worker runs in these tests, so none is waited for


@pytest.fixture
def installation(kafka: str, prefix: str, tmp_path: Path) -> Installation:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=3)
    return Installation(settings, tmp_path, [CONTACTS, "operations"])


def test_a_replay_that_another_operator_ends_says_so_and_not_that_kafka_is_away(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(running, "_CHUNK", 3)
    installation.append(*(post(number) for number in range(30)))

    async def ended_meanwhile() -> None:
        at_once = Watcher(print, print, lambda: True)
        paused = await begin(
            installation.kafka, AVRO, ReplaySelection(topic=CONTACTS), None,
            actor=None, reason=None, limits=UNHURRIED, watcher=at_once,
        )  # fmt: skip
        others: list[asyncio.Task[Replay]] = []

        def progress(_: Replay) -> None:
            if not others:
                others.append(asyncio.ensure_future(end(installation.kafka, AVRO, paused.id)))

        try:
            await resume(installation.kafka, AVRO, paused.id, UNHURRIED, Watcher(progress, print, lambda: False))
        finally:
            await asyncio.gather(*others)

    with pytest.raises(Fenced, match=r"has continued replay r-\w+, or has ended it"):
        asyncio.run(ended_meanwhile())


def test_a_replay_whose_kafka_goes_away_names_the_command_that_continues_it(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
):
    installation.append(*(post(number) for number in range(5)))

    async def away(*_: object) -> Replay:
        raise Unavailable("Kafka does not answer.")

    monkeypatch.setattr(start, "run", away)
    stopped = installation.types("replay", CONTACTS, "--reprocess", "--max-lag", "1000000")
    (unfinished,) = installation.printed("replay", "--list")
    assert f"`intercom-streams replay --resume {unfinished['id']}` continues it" in str(stopped.exception)


def test_a_paused_replay_has_not_ended_well(installation: Installation, monkeypatch: pytest.MonkeyPatch):
    installation.append(*(post(number) for number in range(5)))

    async def paused(_kafka: KafkaSettings, _avro: Avro, replay: Replay, *_: object) -> Replay:
        return replay

    monkeypatch.setattr(start, "run", paused)
    stopped = installation.types("replay", CONTACTS, "--reprocess", "--max-lag", "1000000")
    assert stopped.exit_code == 130
    assert "paused; `intercom-streams replay --resume" in stopped.output
