"""The worker's composition root: what the agents are given, and how they are run."""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import structlog

from connectors.kafka import topics
from connectors.kafka.schema_registry import codec
from schemas.errors import BadConfiguration, Unavailable
from streams.agents.topology import agents_of
from streams.engine.agent import Agent
from streams.engine.encodings import Encodings
from streams.engine.engine import CommitStats, Engine
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionStatus
from streams.engine.recovery.progress import RestoreDone, RestoreProgress
from streams.engine.runner import Running, running
from streams.engine.tables.rocksdb import RocksStores
from streams.engine.tables.store import MemoryStandbyStores, open_memory_store
from streams.settings import Settings
from streams.worker.settings_sync import sync_settings_facts

log = structlog.get_logger(__name__)

_NOTICED_SECONDS = 1.0  # a restoration that took so long is told to the person at the terminal
_RETRY_SECONDS = 2.0  # between two tries to reach Kafka or the registry at the start


class WorkerCallbacks(msgspec.Struct, frozen=True):
    """What the process around the worker wants to hear."""

    notify: Callable[[str], None]  # lines for a person
    started: Callable[[Engine], None]  # the engine, for probes
    committed: Callable[[CommitStats], None]  # every transaction, for metrics


async def work(settings: Settings, hooks: WorkerCallbacks, limits: Limits) -> None:
    """Run until SIGTERM or SIGINT; raise what made going on impossible. Waits for Kafka and the registry, and says so."""
    stop = _stop_signal()
    names = Naming(prefix=settings.kafka.topic_prefix)
    encodings = Encodings(configured=settings.worker.encoding)
    if (agents := await _prepared(settings, names, hooks, stop)) is None:
        return
    on_disk = _on_disk(settings, agents, names)
    async with running(
        agents,
        kafka=settings.kafka,
        names=names,
        limits=limits,
        store_of=on_disk or open_memory_store,
        spares=(on_disk or MemoryStandbyStores()) if settings.worker.standby else None,
        encodings=encodings,
        on_commit=hooks.committed,
        on_progress=partial(_report_restored, hooks),
        on_ready=lambda engine: hooks.notify(_state_of(engine, encodings)),
    ) as at_work:
        hooks.started(at_work.engine)
        await _watched(at_work, stop)


def _on_disk(settings: Settings, agents: tuple[Agent, ...], names: Naming) -> RocksStores | None:
    """Return where tables are kept that are not in memory: a rebuild in another generation, or another prefix, has a folder of its own."""
    wanted = frozenset(settings.worker.on_disk)
    if unknown := wanted - {agent.name for agent in agents}:
        known = ", ".join(agent.name for agent in agents)
        raise BadConfiguration(f"worker.on_disk: there is no agent {min(unknown)!r}; known: {known}")
    return RocksStores(Path(settings.worker.state_dir) / names.group, wanted) if wanted else None


async def _prepared(settings: Settings, names: Naming, hooks: WorkerCallbacks, stop: asyncio.Event) -> tuple[Agent, ...] | None:
    """Return the agents once schemas, topics and the configuration's facts are in place, or None when told to stop before."""
    said = ""
    while not stop.is_set():
        try:
            avro = await codec(settings.registry.url, settings.kafka.topic_prefix)
            agents = agents_of(settings.tenancy, avro)
            await topics.apply(settings.kafka, names.changelogs(agents))
            await sync_settings_facts(settings.kafka, avro, settings.tenancy)
        except Unavailable as error:
            if said != (said := str(error)):
                hooks.notify(f"waiting: {error}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _RETRY_SECONDS)
        else:
            return agents
    return None


async def _watched(at_work: Running, stop: asyncio.Event) -> None:
    """Return when told to stop; raise when the work cannot go on."""
    told = asyncio.create_task(stop.wait())
    failed = asyncio.create_task(at_work.failed())
    try:
        await asyncio.wait({told, failed}, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            raise failed.result()
    finally:
        told.cancel()
        failed.cancel()


def _report_restored(hooks: WorkerCallbacks, progress: RestoreProgress | RestoreDone) -> None:
    """Say how far it is, and that it is done where anybody had time to wonder."""
    if isinstance(progress, RestoreProgress) or progress.seconds >= _NOTICED_SECONDS:
        hooks.notify(str(progress))


def _state_of(engine: Engine, encodings: Encodings) -> str:
    lanes = engine.all_processors()
    stopped = sum(lane.status is PartitionStatus.STOPPED for lane in lanes)
    advice = encodings.advice(lane.commit_state.encoding for lane in lanes if lane.status is not PartitionStatus.STOPPED)
    said = f"ready: {len(lanes)} partitions" + (f", {stopped} of them stopped and waiting for you" if stopped else "")
    return f"{said}; {advice}" if advice else said


def _stop_signal() -> asyncio.Event:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told
