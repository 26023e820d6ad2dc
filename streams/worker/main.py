"""The worker's composition root: what the agents are given, and how they are run."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

from connectors.kafka import topics
from schemas.errors import BadConfiguration, Unavailable
from schemas.versioned import OLDEST
from streams.agents.topology import agents_of
from streams.engine.agent import Agent
from streams.engine.encodings import Encodings
from streams.engine.engine import Engine
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import CommitStats, PartitionStatus
from streams.engine.recovery.progress import RestoreDone, RestoreProgress
from streams.engine.runner import Running, running
from streams.engine.tables.rocksdb import RocksStores
from streams.engine.tables.store import MemoryStandbyStores, open_memory_store
from streams.ops.codec import configured_codec
from streams.ops.generations.state import read_generations
from streams.ops.rebuild.job import with_inputs
from streams.settings import Settings
from streams.worker.generations import GenerationReplaced, GenerationWatch
from streams.worker.identity_rules import sync_identity_rules
from streams.worker.profile_policies import sync_profile_policies
from streams.worker.settings_sync import monitored, sync_settings_facts

log = structlog.get_logger(__name__)

_REPORTED_SECONDS = 1.0  # a restoration that took this long is reported to the person at the terminal
_RETRY_SECONDS = 2.0  # between two attempts to reach Kafka or the registry at the start


class WorkerCallbacks(msgspec.Struct, frozen=True):
    """What the worker calls in the process around it."""

    notify: Callable[[str], None]  # lines for a person
    started: Callable[[Engine], None]  # the engine, for probes
    committed: Callable[[CommitStats], None]  # every transaction, for metrics
    failed: Callable[[str, str], None]  # an agent's partition that has to be loaded again, and the cause
    traces: bool = False  # whether `committed` wants the records that belong to traces


async def work(settings: Settings, callbacks: WorkerCallbacks, limits: Limits) -> None:
    """Run until SIGTERM or SIGINT; raise the error that stops the work. Waits for Kafka and the registry, and reports that."""
    stop_requested = _stop_on_signals()
    while (prepared := await _prepare(settings, callbacks, stop_requested)) is not None:
        try:
            await _run(settings, prepared, callbacks, limits, stop_requested)
        except GenerationReplaced as error:
            callbacks.notify(str(error))


class _Prepared(NamedTuple):
    """What a worker runs: all agents under the names of their live generations."""

    agents: tuple[Agent, ...]
    names: Naming
    generations: GenerationWatch


async def _run(
    settings: Settings, prepared: _Prepared, callbacks: WorkerCallbacks, limits: Limits, stop_requested: asyncio.Event
) -> None:
    """Run the agents until a request to stop; raise the error that stops the work, GenerationReplaced among others."""
    agents, names, generations = prepared
    encodings = Encodings(configured=settings.worker.encoding)
    disk_stores = _disk_stores(settings, agents, names)
    async with (
        generations.watching(),
        running(
            agents,
            kafka=settings.kafka,
            names=names,
            limits=limits,
            store_of=disk_stores or open_memory_store,
            standby_stores=(disk_stores or MemoryStandbyStores()) if settings.worker.standby else None,
            encodings=encodings,
            guard=generations,
            on_commit=callbacks.committed,
            on_failure=callbacks.failed,
            on_progress=partial(_report_restored, callbacks),
            on_ready=lambda engine: callbacks.notify(_ready_text(engine, encodings)),
            traces=callbacks.traces,
        ) as worker,
    ):
        callbacks.started(worker.engine)
        async with _kept_wiped(disk_stores):
            await _run_until_stopped(worker, stop_requested, generations)


def _disk_stores(settings: Settings, agents: tuple[Agent, ...], names: Naming) -> RocksStores | None:
    """Return the stores of tables that are kept on disk. A later generation of an agent, and another prefix, has its own folder."""
    names_on_disk = frozenset(settings.worker.on_disk)
    if unknown := names_on_disk - {agent.name for agent in agents}:
        known = ", ".join(agent.name for agent in agents)
        raise BadConfiguration(f"worker.on_disk: there is no agent {min(unknown)!r}; known: {known}")
    later = {name: f"{name}.g{each.number}" for name, each in names.generations.items() if each.number > 1}
    return RocksStores(Path(settings.worker.state_dir) / names.group, names_on_disk, later) if names_on_disk else None


async def _prepare(settings: Settings, callbacks: WorkerCallbacks, stop_requested: asyncio.Event) -> _Prepared | None:
    """Return the agents once schemas, topics and the configuration's facts are in place, or None after a request to stop."""
    last_error = ""
    while not stop_requested.is_set():
        try:
            avro = await configured_codec(settings)
            await topics.apply(settings.kafka)
            state = await read_generations(settings.kafka)
            names = state.names(settings.kafka.topic_prefix)
            agents = with_inputs(agents_of(settings.tenancy, avro), state.live.generations)
            await topics.apply(settings.kafka, names.changelogs(agents), only=())
            await sync_settings_facts(settings.kafka, avro, await monitored(settings.kafka, avro, settings.tenancy))
            encoding = settings.worker.encoding or OLDEST
            await sync_identity_rules(settings.kafka, settings.tenancy, encoding=encoding)
            await sync_profile_policies(settings.kafka, avro, settings.tenancy, encoding=encoding)
        except Unavailable as error:
            if last_error != (last_error := str(error)):
                callbacks.notify(f"waiting: {error}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop_requested.wait(), _RETRY_SECONDS)
        else:
            return _Prepared(agents, names, GenerationWatch(settings.kafka, state))
    return None


@contextlib.asynccontextmanager
async def _kept_wiped(disk_stores: RocksStores | None) -> AsyncIterator[None]:
    """Have erased rows leave the disk meanwhile."""
    wiping = asyncio.create_task(disk_stores.keep_wiped()) if disk_stores else None
    try:
        yield
    finally:
        if wiping is not None:
            wiping.cancel()


async def _run_until_stopped(worker: Running, stop_requested: asyncio.Event, generations: GenerationWatch) -> None:
    """Return after a request to stop; raise the error that stops the work."""
    stopped = asyncio.create_task(stop_requested.wait())
    failed = asyncio.create_task(worker.failed())
    replaced = asyncio.create_task(generations.replaced.wait())
    try:
        await asyncio.wait({stopped, failed, replaced}, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            raise failed.result()
        if replaced.done():
            raise GenerationReplaced
    finally:
        stopped.cancel()
        failed.cancel()
        replaced.cancel()


def _report_restored(callbacks: WorkerCallbacks, progress: RestoreProgress | RestoreDone) -> None:
    """Report the progress, and the end of a restoration that took long enough to be noticed."""
    if isinstance(progress, RestoreProgress) or progress.seconds >= _REPORTED_SECONDS:
        callbacks.notify(str(progress))


def _ready_text(engine: Engine, encodings: Encodings) -> str:
    processors = engine.all_processors()
    stopped = sum(processor.status is PartitionStatus.STOPPED for processor in processors)
    working = (processor for processor in processors if processor.status is not PartitionStatus.STOPPED)
    advice = encodings.advice(processor.commit_state.encoding for processor in working)
    text = f"ready: {len(processors)} partitions" + (f", {stopped} of them stopped and waiting for you" if stopped else "")
    return f"{text}; {advice}" if advice else text


def _stop_on_signals() -> asyncio.Event:
    stop_requested = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop_requested.set)
    return stop_requested
