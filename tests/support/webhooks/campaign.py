"""The process `deliver` is killed at many moments while its endpoint fails half of the time; then every event is looked for."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Self

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.webhooks import endpoint_states
from schemas.webhooks.posted import REDELIVERIES, SOURCE
from tests.support.config import config_text
from tests.support.webhooks.findings import finding_event, write
from tests.support.webhooks.receiver import SECRET, Post, receiving, verified

TOPICS = (SOURCE, REDELIVERIES, endpoint_states.TOPIC, "dead.letters", "operations")
LIMIT_S = 900  # twenty starts of a process, on a machine that does other things, too


def configuration(kafka: KafkaSettings, folder: Path, port: int, more: str = "") -> Path:
    """Write a configuration with one endpoint on this machine."""
    text = config_text(kafka={"bootstrap": kafka.bootstrap, "topic_prefix": kafka.topic_prefix})
    endpoint = f'[[tenants.webhooks]]\nname = "pager"\nurl = "http://127.0.0.1:{port}/hook"\nsecrets = ["{SECRET}"]\nallow = ["127.0.0.0/8"]\n'
    path = folder / "deliver.toml"
    path.write_text(f"{text}{endpoint}{more}")
    return path


class KilledDeliver:
    """The process, started again whenever it is gone; `kill` ends it as a power failure would."""

    def __init__(self, config: Path, log: Path) -> None:
        self._config, self._log = config, log
        self._ending = False
        self._process: subprocess.Popen | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending = True
        if self._process is not None:
            self._process.terminate()
        self._thread.join(60)

    def kill(self) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)

    def _run(self) -> None:
        environment = {name: value for name, value in os.environ.items() if name != "KAFKA_BOOTSTRAP"}
        while not self._ending:
            with self._log.open("ab") as log:
                words = [sys.executable, "-m", "streams.cli", "--config", str(self._config), "deliver"]
                self._process = subprocess.Popen(words, stdout=log, stderr=log, env=environment)
                self._process.wait()


class Kills:
    """Kills the process at chosen posts: before the answer, after it, or a moment later. Half of the posts fail, of one event `most` at most."""

    def __init__(self, chance: random.Random, at: set[int], most: int) -> None:
        self._chance, self._at, self._most = chance, at, most
        self._failures: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._count = 0
        self.done = 0
        self.process: KilledDeliver | None = None

    def answer(self, post: Post) -> int:
        with self._lock:
            self._count += 1
            is_moment = self._count in self._at
            status = 500 if self._chance.random() < 0.5 and self._failures[post.id] < self._most else 204
            self._failures[post.id] += status == 500
            when = self._chance.choice(("before", "behind", "later"))
        if is_moment and self.process is not None:
            self.done += 1
            if when == "before":
                self.process.kill()
            else:
                threading.Timer(0.002 if when == "behind" else self._chance.uniform(0.01, 0.4), self.process.kill).start()
        return status


def kill_campaign(
    kafka: KafkaSettings,
    folder: Path,
    *,
    kills: int,
    findings: int,
    each: int,
    seed: int,
    most: int = 4,
    note: Callable[[str], None] = lambda _: None,
) -> dict[str, int]:
    """Deliver `each` events of so many findings through so many kills. Raises AssertionError where a promise is broken; returns counts."""
    chance = random.Random(seed)
    asyncio.run(topics.apply(kafka, only=TOPICS))
    waves = [[finding_event(f"f{n}", sequence) for n in range(findings)] for sequence in range(1, each + 1)]
    expected = {event.id: event for wave in waves for event in wave}
    least = len(expected) * 3 // 2
    moments = Kills(chance, {5 + (least - 10) * number // max(1, kills) for number in range(kills)}, most)
    started = time.monotonic()
    with receiving(moments.answer) as receiver:
        with KilledDeliver(configuration(kafka, folder, receiver.port), folder / "deliver.log") as process:
            moments.process = process
            for number, wave in enumerate(waves):
                chance.shuffle(wave)
                asyncio.run(write(kafka, [finding_event(f"f{n}", 100 + number) for n in range(3)], abort=True))
                asyncio.run(write(kafka, [*wave, finding_event("other", number + 1, tenant="another")]))
            try:
                receiver.wait_for(len(expected), LIMIT_S)
            except AssertionError as late:
                raise AssertionError(f"seed {seed}: {late}\n{(folder / 'deliver.log').read_text()[-3000:]}") from late
        posts = list(receiver.posts)
    problems = broken_promises(posts, expected)
    assert not problems, f"seed {seed}: {problems[:5]}"
    counts = {
        "events": len(expected), "posts": len(posts), "kills": moments.done, "repeated": len([p for p in posts if p.status < 300]) - len(expected),
        "seconds": int(time.monotonic() - started),
    }  # fmt: skip
    note(str(counts))
    return counts


def broken_promises(posts: list[Post], expected: dict) -> list[str]:
    """Return what is wrong with the posts that were received, in the order of their arrival."""
    found, bodies, accepted = [], {}, {}
    for post in posts:
        if post.id not in expected:
            found.append(f"{post.id} was never committed for this tenant")
            continue
        event = expected[post.id]
        if not verified(post):
            found.append(f"{post.id} is not signed")
        if bodies.setdefault(post.id, post.body) != post.body or post.event["data"]["metadata"]["uid"] != post.id:
            found.append(f"{post.id} names two bodies")
        had = accepted.setdefault(event.finding, 0)
        if event.sequence > had + 1:
            found.append(f"{event.finding}: {event.sequence} was posted when only {had} had been accepted")
        if post.status < 300:
            accepted[event.finding] = max(had, event.sequence)
    lost = expected.keys() - {post.id for post in posts if post.status < 300}
    return [*found, *(f"{expected[id_].finding} {expected[id_].sequence} never arrived" for id_ in sorted(lost))]
