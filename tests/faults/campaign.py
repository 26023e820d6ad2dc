"""A campaign: events flow, faults happen at random moments, and at the end everything is counted from the input alone."""

import asyncio
import contextlib
import random
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from aiokafka.errors import KafkaError

from connectors.kafka.settings import KafkaSettings
from connectors.local import LocalStack
from schemas.partition import partition_of
from streams.engine.naming import Naming
from tests.faults.audit import audit, table_on_disk
from tests.faults.counting_worker import AGENT
from tests.faults.fleet import Fleet
from tests.support.counting_agent import PARTITIONS, SECOND, SOURCE, create_topics, producing

KEYS = 200
BROKERS = {"log.cleaner.backoff.ms": "1000"}
"""Settings of a cluster that compacts changelogs while a campaign runs; by default the cleaner waits 15 s."""
_CAMPAIGN_SECONDS = 1_800.0  # ten times a campaign's duration on two free cores: a campaign that does not end is a failure too
_CHANGELOG = {
    "cleanup.policy": "compact",
    "segment.ms": "2000",
    "min.cleanable.dirty.ratio": "0.01",
    "min.compaction.lag.ms": "0",
}


class Kind(NamedTuple):
    """The disturbances of a campaign, and where its tables may be: in memory (0), or on the disks of so many hosts."""

    disturbances: Sequence["Disturbance"]
    hosts: Sequence[int] = (0,)


class Campaign:
    """Two to four workers on one cluster. `stack` is given if brokers may be harmed too. The seed decides all but the timing."""

    def __init__(self, settings: KafkaSettings, folder: Path, *, kind: Kind, seed: int, stack: LocalStack | None = None) -> None:
        self.settings = settings
        self.names = Naming(prefix=settings.topic_prefix)
        self.chance = random.Random(seed)
        self.kind = kind
        self.transaction_ms = self.chance.choice([3_000, 6_000])  # half the session, or all of it
        self.done: list[str] = []
        self.events = 0
        self._keys = random.Random(
            f"keys {seed}"
        )  # a separate generator: the number of drawn keys depends on the machine's speed
        self._stack = stack
        self._tombstones_ms = self.chance.choice([2_000, 86_400_000])
        self._hosts = [folder / f"host{number}" for number in range(self.chance.choice(kind.hosts))]
        self._host_of: dict[subprocess.Popen[bytes], Path] = {}
        self.workers = Fleet(
            ["-m", "tests.faults.counting_worker", settings.bootstrap, settings.topic_prefix, str(self.transaction_ms)],
            folder,
            {"KAFKA_BOOTSTRAP": settings.bootstrap},
        )

    def __str__(self) -> str:
        where = f"on {len(self._hosts)} disks" if self._hosts else "in memory"
        return f"{self.events} events, tables {where}, transactions of {self.transaction_ms // 1000} s: {', '.join(self.done)}"

    @property
    def stack(self) -> LocalStack:
        """The cluster whose brokers may be harmed."""
        assert self._stack is not None, "this campaign leaves brokers alone"
        return self._stack

    async def run(self, disturbances: int) -> None:
        """Run so many disturbances, then verify."""
        compaction = _CHANGELOG | {"delete.retention.ms": str(self._tombstones_ms)}
        async with asyncio.timeout(_CAMPAIGN_SECONDS):
            await create_topics(self.settings, AGENT, changelog=compaction)
            try:
                for _ in range(2):
                    self.start()
                async with self._feed():
                    await asyncio.sleep(self.chance.uniform(3, 5))
                    for disturbance in self._draw(disturbances):
                        self.done.append(disturbance.__name__.replace("_", " "))
                        await disturbance(self)
                        self._check_alive()
                        await asyncio.sleep(self.chance.uniform(0.2, 4))
                await self._verify()
            except AssertionError as wrong:
                raise AssertionError(f"{wrong} after {self.done}\n{self.workers.log_tails()}") from wrong
            finally:
                self.workers.close()

    def start(self, host: Path | None = None) -> None:
        """Start a worker on a host."""
        host = host or (self.chance.choice(self._hosts) if self._hosts else None)
        process = self.workers.start(*([str(host)] if host else []))
        if host is not None:
            self._host_of[process] = host

    def random_worker(self) -> int:
        """Return the index of a random running worker."""
        return self.chance.randrange(len(self.workers.running))

    def random_host(self) -> tuple[Path, list[int]]:
        """Return a random host and the indexes of its workers, the last first."""
        chosen = self.chance.choice(self._hosts)
        at = [which for which, process in enumerate(self.workers.running) if self._host_of[process] == chosen]
        return chosen, at[::-1]

    def _draw(self, disturbances: int) -> Iterator["Disturbance"]:
        """Yield random disturbances; each one comes once before any of them comes again."""
        deck: list[Disturbance] = []
        for _ in range(disturbances):
            deck = deck or self.chance.sample(self.kind.disturbances, len(self.kind.disturbances))
            yield deck.pop()

    @contextlib.asynccontextmanager
    async def _feed(self) -> AsyncIterator[None]:
        """Write about 200 events per second to the two sources; a failed write is no input, a repeated write is two inputs."""

        async def feed() -> None:
            async with producing(self.settings, acks="all", request_timeout_ms=10_000) as producer:
                while True:
                    key = f"k{self._keys.randrange(KEYS)}".encode()
                    topic = self.settings.topic(self._keys.choice([SOURCE, SECOND]))
                    with contextlib.suppress(KafkaError):
                        sent = await producer.send(topic, b"x", key=key, partition=partition_of(key, PARTITIONS))
                        sent.add_done_callback(lambda done: done.cancelled() or done.exception())
                    await asyncio.sleep(0.004)

        task = asyncio.create_task(feed())
        try:
            yield
            assert not task.done(), "nothing was fed any more"
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _check_alive(self) -> None:
        assert self.workers.exit_codes() == [], "a worker gave up"

    async def _verify(self) -> None:
        table = await audit(self.settings, self._check_alive)
        self.events = table.total()
        assert self.events > KEYS, "next to nothing was fed"
        await asyncio.to_thread(self._stop_workers)
        for host in filter(Path.exists, self._hosts):
            assert await table_on_disk(self.settings, host) == table, f"{host.name} holds another table"

    def _stop_workers(self) -> None:
        """Stop all workers in order, which releases their disks at once."""
        while self.workers.running:
            self.workers.stop(0)


Disturbance = Callable[[Campaign], Awaitable[None]]
