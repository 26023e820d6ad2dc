"""A worker and rebuilds of one installation on a real Kafka, in the test's own process."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.message import Message, header
from schemas.profiles.registers import Registers
from schemas.tenancy import Tenancy
from streams.agents.topology import agents_of
from streams.core.profiles.storage import join_stored
from streams.engine.engine import Engine
from streams.ops.rebuild import start
from streams.ops.rebuild.job import RebuildJob
from streams.ops.rebuild.run import Outcome, RebuildWatcher
from streams.ops.rebuild.swap import REBUILD_HEADER
from streams.settings import Settings, load
from streams.worker.main import WorkerCallbacks, work
from tests.support.config import config_text, write_config
from tests.support.counting_agent import read_all
from tests.support.engines import QUICK
from tests.support.tenancy import TENANCY

AVRO = Avro.local()
QUIET = RebuildWatcher(lambda _: None, lambda _: None, lambda: False)


def installed(kafka: KafkaSettings, folder: Path) -> Settings:
    """Return the settings of an installation with one workspace."""
    table = {"bootstrap": kafka.bootstrap, "topic_prefix": kafka.topic_prefix, "partitions": kafka.partitions}
    return load(str(write_config(folder, config_text(kafka=table))))


def job_of(kafka: KafkaSettings, tenancy: Tenancy = TENANCY) -> RebuildJob:
    return RebuildJob(kafka=kafka, avro=AVRO, tenancy=tenancy, agents=agents_of(tenancy, AVRO), limits=QUICK)


class WorkingWorker:
    """A worker while it runs: the engine it has at the moment, and what it says."""

    def __init__(self) -> None:
        self.engines: list[Engine] = []
        self.lines: list[str] = []
        self.task: asyncio.Task[None] | None = None

    @property
    def engine(self) -> Engine:
        return self.engines[-1]

    def rows(self, agent: str) -> dict[str, bytes]:
        """Return the rows of an agent's table by key, of all partitions."""
        stores = [each.store for each in self.engine.all_processors() if each.agent.name == agent]
        return dict(sorted(row for store in stores for row in store.items()))

    @property
    def caught_up(self) -> bool:
        return bool(self.engines) and self.engine.ready.is_set() and all(each.caught_up for each in self.engine.all_processors())


@contextlib.asynccontextmanager
async def worker(settings: Settings) -> AsyncIterator[WorkingWorker]:
    """Run a worker inside the block."""
    running = WorkingWorker()
    callbacks = WorkerCallbacks(
        notify=running.lines.append, started=running.engines.append, committed=lambda _: None, failed=lambda _agent, _cause: None
    )
    running.task = asyncio.create_task(work(settings, callbacks, QUICK))
    try:
        yield running
    finally:
        running.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running.task


async def rebuilt(
    job: RebuildJob, agent: str, *, swap: bool, partitions: int = 0, watcher: RebuildWatcher = QUIET, listed: int = 1000
) -> Outcome:
    """Rebuild an agent as the command does."""
    unit = start.unit_named(agent, job.agents)
    entry = await start.begin_or_continue(job, unit, partitions=partitions, actor="ops", reason="a test")
    return await start.run(job, entry, unit, watcher, swap=swap, listed=listed)


def leaves_out_some(storage: Any, a: Registers, b: Registers) -> Registers:
    """A merge with a fault, in place of `join_stored`: it leaves out the fields of events of some seconds."""
    return join_stored(storage, a, msgspec.structs.replace(b, now=tuple(layer for layer in b.now if layer[0].second % 7)))


async def corrections(kafka: KafkaSettings, topic: str, rebuild: str) -> list[Message]:
    """Return the records that a swap wrote to a topic."""
    records: Sequence[Message] = await read_all(kafka, topic)  # type: ignore[assignment]
    return [record for record in records if header(record.headers, REBUILD_HEADER) == rebuild]
