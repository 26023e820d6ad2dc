"""A campaign of operators' work: replays and rebuilds during traffic, killed at random moments, beside workers that are killed too.

At the end profiles equal the oracle's, each public id came once, and every rebuild has ended one way or the other.
"""

import asyncio
import contextlib
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import transactions
from schemas.codec import Avro
from schemas.errors import Unavailable
from schemas.message import header
from streams.agents.topology import source_topics
from streams.ops.generations.live import agents_lag
from streams.ops.generations.state import read_generations
from streams.ops.replay.journal import replays
from tests.faults.fleet import Fleet
from tests.patience import DEADLINE_S
from tests.support.config import config_text, write_config
from tests.support.counting_agent import read_all
from tests.support.engines import append_posts, latest
from tests.support.histories import World
from tests.support.oracle import pipeline_of
from tests.support.tenancy import TENANCY

APP, PERSONS, POSTS_PER_SECOND = "abc12345", 300, 20
AVRO = Avro.local()
Lags = Callable[[], Awaitable[dict[str, int]]]
_T = TypeVar("_T")
_PUBLIC = ("people", "people.changes", "people.aliases", "memberships")
_SECONDS = 1_200.0  # a campaign that does not end is a failure too
_TRIES = 5
_AWAY = ("does not answer", "Trying again is safe")


class OperationsCampaign:
    """Two workers, traffic, and one operator. The seed decides all but the timing."""

    def __init__(self, settings: KafkaSettings, folder: Path, seed: int) -> None:
        self.settings = settings
        self.done: list[str] = []
        self.bodies: list[bytes] = []
        self._posted_enough = asyncio.Event()
        self._chance = random.Random(seed)
        self._world = World(seed, APP)
        table = {
            name: getattr(settings, name) for name in ("bootstrap", "topic_prefix", "partitions", "replication", "min_insync")
        }
        self._config = write_config(folder, config_text(kafka=table, worker={"session_timeout_ms": 6_000}))
        environment = {"KAFKA_BOOTSTRAP": ""}
        self._workers = Fleet(["-m", "streams.cli", "worker", "--config", str(self._config)], folder, environment)

    def __str__(self) -> str:
        return f"{len(self.bodies)} posts: {', '.join(self.done)}"

    async def run(self, disturbances: int) -> None:
        """Run so many disturbances, then verify."""
        kinds: list[Callable[[], Awaitable[None]]] = [
            self.kill_worker, self.replay, self.killed_replay, self.compare, self.swap, self.killed_rebuild, self.discard, self.grow,
        ]  # fmt: skip
        async with asyncio.timeout(_SECONDS):
            posting = asyncio.create_task(self._post())
            try:
                for _ in range(2):
                    self._workers.start()
                await asyncio.sleep(15)
                for _ in range(disturbances):
                    disturbance = self._chance.choice(kinds)
                    self.done.append(disturbance.__name__.replace("_", " "))
                    await disturbance()
                    await asyncio.sleep(self._chance.uniform(0.2, 3))
                self._posted_enough.set()
                await posting
                await self._end_rebuilds()
                await self._verify()
            except AssertionError as wrong:
                raise AssertionError(f"{wrong} after {self.done}\n{self._workers.log_tails()}") from wrong
            finally:
                posting.cancel()
                self._workers.close()

    async def kill_worker(self) -> None:
        """SIGKILL a worker and start another."""
        self._workers.kill(self._chance.randrange(len(self._workers.running)))
        self._workers.start()

    async def replay(self) -> None:
        """Replay all posts."""
        await self._replay("3000")

    async def killed_replay(self) -> None:
        """Replay all posts, be killed, and continue."""
        await self._replay("500", killed=True)

    async def _replay(self, rate: str, *, killed: bool = False) -> None:
        code, errors = await self._run("replay", "intercom.contacts", "--reprocess", "--rate", rate, killed=killed)
        assert killed or code == 0 or _away(errors), f"replay: {errors[-2_000:]}"
        for replay in (await _patiently(lambda: replays(self.settings, AVRO))).values():
            if replay.result is None:
                await self._command("replay", "--resume", replay.id, "--rate", "3000")

    async def compare(self) -> None:
        """Build a generation, or continue with it, and compare."""
        await self._command("rebuild", "contacts")

    async def swap(self) -> None:
        """Let a rebuilt generation take over."""
        await self._command("rebuild", "contacts", "--swap")

    async def killed_rebuild(self) -> None:
        """Be killed at a random moment of a rebuild with a swap."""
        await self._command("rebuild", "contacts", "--swap", killed=True)

    async def discard(self) -> None:
        """End a rebuild, or delete what the last one replaced; there may be nothing, or a swap that has to be completed."""
        await self._command("rebuild", "contacts", "--discard", may_refuse=True)

    async def grow(self) -> None:
        """Give the tables other partitions; an unfinished rebuild with others stands in the way."""
        partitions = self._chance.choice(("4", "8"))
        await self._command("rebuild", "contacts", "--partitions", partitions, "--swap", may_refuse=True)

    async def _post(self) -> None:
        """Post until it is enough. What may not have been taken is posted again: an event that comes twice is one event.

        It is not cancelled: a transaction that is broken off may be committed all the same, and its posts be in no list.
        """
        bodies: list[bytes] = []
        while bodies or not self._posted_enough.is_set():
            with contextlib.suppress(Unavailable):
                async with transactions(self.settings, "ingress") as ingress:
                    while bodies or not self._posted_enough.is_set():
                        bodies = bodies or [
                            self._world.event(self._chance.randrange(PERSONS)) for _ in range(POSTS_PER_SECOND // 2)
                        ]
                        await append_posts(ingress, "intercom.contacts", bodies)
                        self.bodies += bodies
                        bodies = []
                        await asyncio.sleep(0.5)

    async def _command(self, *words: str, killed: bool = False, may_refuse: bool = False) -> None:
        """Run a command; again where brokers did not answer in time, as an operator would: it continues where it stood."""
        for _ in range(_TRIES):
            code, errors = await self._run(*words, killed=killed)
            if code == 0 or not _away(errors):
                break
            self.done.append("brokers did not answer")
        assert killed or may_refuse or code == 0, f"{' '.join(words)}: {errors[-2_000:]}"

    async def _run(self, *words: str, killed: bool) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streams.cli", *words, "--config", str(self._config),
            env={**os.environ, "KAFKA_BOOTSTRAP": ""}, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        if killed:
            await asyncio.sleep(self._chance.uniform(1, 15))
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGKILL)
        _, errors = await process.communicate()
        return process.returncode, errors.decode()

    async def _end_rebuilds(self) -> None:
        for entry in (await _patiently(lambda: read_generations(self.settings))).rebuilds.values():
            if entry.result is None:
                await self._command("rebuild", "contacts", "--swap")
        state = await _patiently(lambda: read_generations(self.settings))
        assert all(entry.result is not None for entry in state.rebuilds.values()), "a rebuild has not ended"
        assert state.hold is None or state.hold.until is not None, "agents stand still for good"

    async def _verify(self) -> None:
        posts = {record.value for record in await read_all(self.settings, "intercom.contacts")}
        assert posts == set(self.bodies), "the topic has other posts than those that were sent"
        expected = pipeline_of(self.bodies, TENANCY).values("people")
        async with agents_lag(self.settings, source_topics()) as lags:
            people, wrong, behind = await self._people(expected, lags)
        assert not wrong, (
            f"{len(wrong)} of {len(expected)} people are not the oracle's, such as {_difference(people, expected, min(wrong))};"
            f" records that agents have not read: {behind}"
        )
        for topic in _PUBLIC:
            ids = Counter(header(record.headers, "ce_id") for record in await read_all(self.settings, topic))
            twice = [id_ for id_, count in ids.items() if count > 1]
            assert not twice, f"{topic}: {len(twice)} ids came twice, such as {twice[0]}"

    async def _people(self, expected: dict[str, Any], lags: Lags) -> tuple[dict[str, Any], list[str], dict[str, int]]:
        """Wait until people are as expected, or nothing moves any more. Return them, who is wrong, and how far agents are behind."""
        before, deadline = None, 0.0
        while True:
            people = {key: AVRO.decode(value)[1] for key, value in (await latest(self.settings, "people")).items()}
            wrong = [key for key in people.keys() | expected.keys() if people.get(key) != expected.get(key)]
            behind = await lags()
            if (people, behind) != before:
                before, deadline = (people, behind), time.monotonic() + DEADLINE_S
            if not wrong or time.monotonic() > deadline:
                return people, wrong, behind
            await asyncio.sleep(1)


def _away(errors: str) -> bool:
    return any(text in errors for text in _AWAY)


async def _patiently(read: Callable[[], Awaitable[_T]]) -> _T:
    """Read again where brokers do not answer in time."""
    for _ in range(_TRIES - 1):
        with contextlib.suppress(Unavailable):
            return await read()
    return await read()


def _difference(people: dict[str, Any], expected: dict[str, Any], key: str) -> str:
    """Return a person's id, and the fields that are not the oracle's."""
    found, right = people.get(key) or {}, expected.get(key) or {}
    return f"{key} in {sorted(name for name in found.keys() | right.keys() if found.get(name) != right.get(name))}"
