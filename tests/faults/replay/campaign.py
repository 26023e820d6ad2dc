"""A long history replayed twice beside live traffic, killed and resumed: nothing that it had changes, and nothing is published again."""

import asyncio
import hashlib
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import NamedTuple

from connectors.kafka import topics
from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import transactions
from schemas.codec import Avro
from schemas.message import Message, header
from schemas.tenancy import App, Tenancy, Tenant, Workspace
from streams.ops.replay.journal import Replay, replays
from streams.supervise.self_process import argv
from tests.faults.fleet import Fleet
from tests.faults.replay.contents import contents, differences, repeated, until_settled
from tests.faults.replay.live_traffic import APP as LIVE_APP
from tests.faults.replay.live_traffic import LiveTraffic
from tests.support.config import config_text, write_config
from tests.support.engines import append_posts, latest
from tests.support.histories import World
from tests.support.oracle import pipeline_of

APP, SOURCE = "abc12345", "intercom.contacts"
AVRO = Avro.local()
EVENTS_A_CONTACT = 10
_AT_ONCE = 500  # posts in a transaction
_LIVE_TENANCY = Tenancy.of(
    [App(name="support", client_secrets=())], [Tenant(id="live", workspaces=(Workspace(app_id=LIVE_APP, app="support"),))]
)


class ReplayScale(NamedTuple):
    """How large a campaign is. `rate` has to leave each replay unfinished after `kills` times the longest window (s)."""

    events: int
    kills: int  # of each of the two replays
    window_s: tuple[float, float]
    rate: float  # records a second
    live_per_second: float
    deadline_s: float
    workers: int = 1


SHORT = ReplayScale(events=2_000, kills=1, window_s=(0.3, 1.5), rate=500, live_per_second=20, deadline_s=400)
LONG = ReplayScale(events=200_000, kills=5, window_s=(4, 8), rate=4_000, live_per_second=40, deadline_s=3_600, workers=2)


class ReplayFigures(NamedTuple):
    """What was counted, and the 99th percentiles (ms) of live posts in windows without and with a replay, in pairs."""

    rows: int
    live_posts: int
    replayed: int
    left_out: int
    quiet_ms: list[float]
    busy_ms: list[float]
    slowest_ms: float

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios."""
        return median(busy / quiet for quiet, busy in zip(self.quiet_ms, self.busy_ms, strict=True) if quiet)

    def __str__(self) -> str:
        shown = ", ".join(f"{quiet:.0f} and {busy:.0f}" for quiet, busy in zip(self.quiet_ms, self.busy_ms, strict=True))
        return (
            f"{self.replayed} records replayed, {self.left_out} replays left out, {self.rows} rows the same bytes, {self.live_posts} live posts; "
            f"their p99 in ms without and with a replay: {shown}; ratio {self.ratio:.2f} by median; slowest {self.slowest_ms:.0f} ms"
        )


class ReplayCampaign:
    """One installation with two companies: the one whose history is replayed, and the one that posts meanwhile."""

    def __init__(self, kafka: KafkaSettings, folder: Path, seed: int, scale: ReplayScale) -> None:
        self._kafka = kafka
        self._scale = scale
        self._chance = random.Random(seed)
        self._world = World(seed, APP)
        self._live = LiveTraffic(kafka, seed, per_second=scale.live_per_second)
        tenants = {"acme": {APP: "support"}, "live": {LIVE_APP: "support"}}
        table = {"bootstrap": kafka.bootstrap, "topic_prefix": kafka.topic_prefix, "partitions": kafka.partitions}
        self._config = str(write_config(folder, config_text(kafka=table, tenants=tenants)))
        self._environment = {"KAFKA_BOOTSTRAP": "", "SCHEMA_REGISTRY_URL": ""}
        self._workers = Fleet(argv(self._config, "worker")[1:], folder, self._environment)
        self._quiet: list[tuple[float, float]] = []
        self._busy: list[tuple[float, float]] = []

    async def run(self) -> ReplayFigures:
        """Raise AssertionError where a law is broken."""
        await topics.apply(self._kafka)
        try:
            for _ in range(self._scale.workers):
                self._workers.start()
            await self._post_history()
            await until_settled(self._kafka, self._scale.deadline_s)
            before = await contents(self._kafka)
            async with self._live.flowing():
                first = await self._killed_and_resumed()
                second = await self._killed_and_resumed()
            await until_settled(self._kafka, self._scale.deadline_s)
            assert self._workers.exit_codes() == [], "a worker gave up"
            after = await contents(self._kafka)
            wrong = [*differences(before, after), *repeated(after), *await self._wrong_replays(first, second)]
            assert not wrong, "\n".join(wrong)
            await self._verify_live_people(before.events["people"].keys())
        except AssertionError as broken:
            raise AssertionError(f"{broken}\n{self._workers.log_tails()}") from broken
        finally:
            self._workers.close()
        return ReplayFigures(
            rows=before.count(),
            live_posts=len(self._live.bodies),
            replayed=first.progress.sent + second.progress.sent,
            left_out=second.progress.skipped,
            quiet_ms=[self._live.p99_ms(*window) for window in self._quiet],
            busy_ms=[self._live.p99_ms(*window) for window in self._busy],
            slowest_ms=self._live.slowest_ms(),
        )

    async def _post_history(self) -> None:
        contacts = self._scale.events // EVENTS_A_CONTACT
        async with transactions(self._kafka, "ingress") as ingress:
            for start in range(0, self._scale.events, _AT_ONCE):
                count = min(_AT_ONCE, self._scale.events - start)
                await append_posts(ingress, SOURCE, [self._world.event(self._chance.randrange(contacts)) for _ in range(count)])

    async def _killed_and_resumed(self) -> Replay:
        """Run a replay to its end, killed some times at random moments; a quiet window of the same length comes before each of them."""
        id_, words = None, ("--reprocess", SOURCE, "--reason", "a campaign")
        for _ in range(self._scale.kills):
            length = self._chance.uniform(*self._scale.window_s)
            self._quiet.append(await self._window(length))
            process = await self._start(*words)
            id_ = await self._until_it_sends(process)
            self._busy.append(await self._window(length))
            assert process.returncode is None, "the replay ended before it could be killed: its rate is too high"
            process.send_signal(signal.SIGKILL)
            await process.communicate()
            words = ("--resume", id_)
        process = await self._start(*words)
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()[-2_000:]
        unfinished, ended = await self._replays()
        assert not unfinished, f"{unfinished} have not ended"
        found = ended[id_] if id_ else list(ended.values())[-1]
        assert found.result == "completed", found
        return found

    async def _start(self, *words: str) -> asyncio.subprocess.Process:
        command = argv(self._config, "replay", *words, "--rate", str(self._scale.rate))
        return await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **self._environment}, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )

    async def _until_it_sends(self, process: asyncio.subprocess.Process) -> str:
        """Return the id of the unfinished replay once it has sent more than before."""
        sent = {id_: each.progress.sent for id_, each in (await self._replays())[0].items()}
        async with asyncio.timeout(self._scale.deadline_s):
            while True:
                if process.returncode is not None:
                    _, errors = await process.communicate()
                    raise AssertionError(f"the replay ended with {process.returncode}: {errors.decode()[-2_000:]}")
                for id_, each in (await self._replays())[0].items():
                    if each.progress.sent > sent.get(id_, 0):
                        return id_
                await asyncio.sleep(0.1)

    async def _window(self, length: float) -> tuple[float, float]:
        begin = time.monotonic()
        await asyncio.sleep(length)
        return begin, time.monotonic()

    async def _replays(self) -> tuple[dict[str, Replay], dict[str, Replay]]:
        """Return the unfinished ones and those that have ended."""
        found = await replays(self._kafka, AVRO)
        unfinished = {id_: each for id_, each in found.items() if each.result is None}
        return unfinished, {id_: each for id_, each in found.items() if each.result is not None}

    async def _wrong_replays(self, *done: Replay) -> list[str]:
        """Return what is wrong with the records that were sent again: each of a range's posts once, and nothing else."""
        posted: dict[str, Counter[tuple[bytes, str]]] = {each.id: Counter() for each in done}
        again: dict[str, Counter[tuple[bytes, str]]] = {each.id: Counter() for each in done}
        left_out = dict.fromkeys(again, 0)
        async with open_ranges(self._kafka, self._kafka.topic(SOURCE)) as reader:
            async for record in reader.records():
                replay = header(record.headers, "ce_replayid")
                if replay is not None:
                    again[replay][_event(record)] += 1
                for each in done:
                    if record.offset < each.ends[record.partition]:
                        left_out[each.id] += replay is not None
                        posted[each.id].update([_event(record)] if replay is None else [])
        wrong = [f"replay {id_} did not send each post of its range once" for id_ in again if again[id_] != posted[id_]]
        wrong += [
            f"replay {each.id} left out {each.progress.skipped} replays of {left_out[each.id]}"
            for each in done
            if each.progress.skipped != left_out[each.id]
        ]
        return wrong

    async def _verify_live_people(self, known: set[bytes]) -> None:
        """Compare the people of the company that posted meanwhile with the oracle's."""
        expected = await asyncio.to_thread(lambda: pipeline_of(self._live.bodies, _LIVE_TENANCY).values("people"))
        people = {
            key: AVRO.decode(value)[1]
            for key, value in (await latest(self._kafka, "people")).items()
            if key.encode() not in known
        }
        wrong = [key for key in people.keys() | expected.keys() if people.get(key) != expected.get(key)]
        assert not wrong, f"{len(wrong)} of {len(expected)} live people are not the oracle's, such as {min(wrong)}"


def _event(record: Message) -> tuple[bytes, str]:
    return hashlib.blake2b(record.value or b"", digest_size=16).digest(), header(record.headers, "ce_id") or ""
