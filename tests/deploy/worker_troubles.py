"""What is wrong with a worker when an alert fires: done to the worker's own probes, over an engine that is connected to nothing."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

from connectors.kafka.settings import KafkaSettings
from streams.engine.agent import Wake
from streams.engine.engine import Engine
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import CommitStats, PartitionProcessor, PartitionStatus
from streams.engine.partition.wake_timer import WakeTimer
from streams.engine.recovery.progress import RestorePart, RestoreProgress
from streams.engine.tables.commit_state import CommitState
from streams.worker.probes import Probes
from tests.support.counting_agent import SOURCE, counting


class WatchedWorker:
    """Probes of a worker with one partition, which is caught up."""

    def __init__(self) -> None:
        self.engine: Any = Engine((), kafka=KafkaSettings(), names=Naming(), limits=Limits())
        self.processor = PartitionProcessor(counting(), 0, limits=Limits(), host=self.engine._processor_host)
        self.processor.status = PartitionStatus.LIVE
        self.read(100, of=100)
        self.engine.all_processors = lambda: [self.processor]
        self.probes = Probes("")
        self.probes.watch(self.engine)

    def read(self, position: int, *, of: int, pending: tuple[bytes, ...] = ()) -> None:
        self.processor.commit_state, self.processor.ends = CommitState({SOURCE: position}, pending), {SOURCE: of}

    def commits(self, records: int = 10, *, dead: int = 0, age_s: float = 0.02) -> None:
        oldest = int((time.time() - age_s) * 1000)
        self.probes.committed(CommitStats("count", 0, records, dead, 0.02, {}, oldest))

    async def page(self) -> str:
        transport = httpx.ASGITransport(self.probes.application())
        async with httpx.AsyncClient(transport=transport, base_url="http://worker") as client:
            return (await client.get("/metrics")).text


def stops(worker: WatchedWorker) -> None:
    worker.processor.status = PartitionStatus.STOPPED


def stands_still(worker: WatchedWorker) -> None:
    worker.read(100, of=120)


def is_behind(worker: WatchedWorker) -> None:
    worker.commits(1000)
    worker.read(1000, of=200_000)


def is_slow(worker: WatchedWorker) -> None:
    worker.commits(age_s=30)


def fails_again(worker: WatchedWorker) -> None:
    for _ in range(6):
        worker.probes.failed("count", "ProducerFenced")


def rejects(worker: WatchedWorker) -> None:
    worker.commits(10, dead=2)


def leaves_work(worker: WatchedWorker) -> None:
    worker.read(100, of=100, pending=(b"a",))


def oversleeps(worker: WatchedWorker) -> None:
    timer = WakeTimer(msgspec.structs.replace(counting(), wake=lambda _: Wake(1, SOURCE, b"", b"")), time.time)
    timer.plan(worker.processor.view())
    worker.processor.wake_timer = timer


def restores(worker: WatchedWorker) -> None:
    worker.engine.progress = lambda: RestoreProgress((RestorePart("count", 5, 100),), 1.0)


def copies_late(worker: WatchedWorker) -> None:
    worker.engine.standby_lag = lambda: {("count", 1): 200_000}


TROUBLES: dict[str, Callable[[WatchedWorker], None]] = {
    "PartitionStopped": stops,
    "AgentStandsStill": stands_still,
    "AgentBehind": is_behind,
    "ResultsSlow": is_slow,
    "PartitionFailsAgain": fails_again,
    "DeadLetters": rejects,
    "PendingWorkStandsStill": leaves_work,
    "WakeOverdue": oversleeps,
    "TablesRestoreForLong": restores,
    "StandbyBehind": copies_late,
}
