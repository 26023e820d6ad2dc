"""The product's agents with a sampling profiler: `python -m bench.profiles.sampled CONFIG RESULT WARM_UP`.

The system interrupts the process by its CPU time; each sample counts for the agent whose step runs, and for the package of the
innermost frame that is ours or the Kafka client's. Counting begins behind the warm-up's records and ends with SIGTERM.
"""

import asyncio
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType

import msgspec
import uvloop

from bench.profiles.workloads import CONTACTS
from connectors.kafka import topics
from schemas.codec import Avro
from streams.agents.topology import agents_of
from streams.engine.agent import Agent, Batch, Cursor, Outbox
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.settings import Settings, load

OUTSIDE = "outside steps"
OTHER = "other"
_INTERVAL_S = 0.001  # of CPU time; systems round it up to their tick, often 4 ms
_PARTS = {"streams": 3, "schemas": 2, "connectors": 2, "aiokafka": 1, "faust": 1, "mode": 1}
"""Packages that are named, and how many parts of a module's name."""


class Samples(msgspec.Struct):
    """CPU seconds, records of contacts, and samples by agent and package joined with a blank."""

    cpu_s: float
    records: int
    counts: dict[str, int]


class _Sampler:
    """Counts samples. `agent` is the one whose step runs."""

    def __init__(self, warm_up: int) -> None:
        self.agent = OUTSIDE
        self._left = warm_up
        self._records = 0
        self._counts: Counter[tuple[str, str]] = Counter()
        self._began = time.process_time()

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, _INTERVAL_S, _INTERVAL_S)

    def saw(self, records: int) -> None:
        """Count records of contacts; forget what was counted before the last of the warm-up."""
        if self._left > 0:
            self._left -= records
            if self._left <= 0:
                self._counts.clear()
                self._began = time.process_time()
        else:
            self._records += records

    def samples(self) -> Samples:
        signal.setitimer(signal.ITIMER_PROF, 0)
        counts = {f"{agent}/{package}": count for (agent, package), count in self._counts.items()}
        return Samples(time.process_time() - self._began, self._records, counts)

    def _sample(self, number: int, frame: FrameType | None) -> None:
        self._counts[self.agent, _package(frame)] += 1


def _package(frame: FrameType | None) -> str:
    while frame is not None:
        parts = str(frame.f_globals.get("__name__", "")).split(".")
        if parts[0] in _PARTS:
            return ".".join(parts[: _PARTS[parts[0]]])
        frame = frame.f_back
    return OTHER


def _observed(agent: Agent, sampler: _Sampler) -> Agent:
    """Return the agent with a step that names it while it runs."""

    def step(batch: Batch, table: object, out: Outbox) -> Cursor | None:
        if batch.topic == CONTACTS:
            sampler.saw(len(batch.records))
        sampler.agent = agent.name
        try:
            return agent.step(batch, table, out)
        finally:
            sampler.agent = OUTSIDE

    return msgspec.structs.replace(agent, step=step)


async def _work(settings: Settings, sampler: _Sampler) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    agents = tuple(_observed(agent, sampler) for agent in agents_of(settings.tenancy, Avro.local()))
    names = Naming(prefix=settings.kafka.topic_prefix)
    await topics.apply(settings.kafka, names.changelogs(agents))
    async with running(agents, kafka=settings.kafka, names=names) as work:
        sampler.start()
        failed = asyncio.ensure_future(work.failed())
        await asyncio.wait({failed, asyncio.ensure_future(ended.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            raise failed.result()


def main(config: str, result: str, warm_up: str) -> None:
    """Work until ended, then write the samples."""
    sampler = _Sampler(int(warm_up))
    uvloop.run(_work(load(config), sampler))
    Path(result).write_bytes(msgspec.json.encode(sampler.samples()))


if __name__ == "__main__":
    main(*sys.argv[1:])
