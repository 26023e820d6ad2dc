"""Run agents in this process until the caller is done, or until an error stops them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, cast

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.settings import KafkaSettings
from schemas.errors import MustStop
from streams.engine.agent import Agent
from streams.engine.encodings import Encodings
from streams.engine.engine import Engine
from streams.engine.faust_adapter.app import BatchApp
from streams.engine.garbage_collection import infrequent_gc
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import CommitStats
from streams.engine.recovery.generation_guard import GenerationGuard
from streams.engine.recovery.progress import RestoreDone, RestoreProgress
from streams.engine.state import Seeker
from streams.engine.tables.store import OpenStore, StandbyStores, open_memory_store


class Running(msgspec.Struct, frozen=True):
    """Running agents."""

    engine: Engine
    app: BatchApp

    async def failed(self) -> Exception:
        """Return the error that stops the process, when there is one."""
        crashed: asyncio.Task[Any] = asyncio.create_task(_wait_for_crash(self.app))
        failures: set[asyncio.Future[Any]] = {crashed, self.engine.fatal_error}
        try:
            await asyncio.wait(failures, return_when=asyncio.FIRST_COMPLETED)
        finally:
            crashed.cancel()
        if self.engine.fatal_error.done():
            return self.engine.fatal_error.result()
        reason = self.app.crash_reason
        return reason if isinstance(reason, Exception) else MustStop(f"the worker's consumer stopped: {reason!r}")


def _ignore_unretrieved(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Ignore aiokafka futures that are never awaited; the processor already handles the failed transaction."""
    if not (isinstance(context.get("exception"), KafkaError) and "never retrieved" in context["message"]):
        loop.default_exception_handler(context)


async def _wait_for_crash(app: BatchApp) -> None:
    """Return when the Faust app has crashed; mode has no public way to wait for it."""
    await app._crashed.wait()  # noqa: SLF001


@contextlib.asynccontextmanager
async def running(
    agents: tuple[Agent, ...],
    *,
    kafka: KafkaSettings,
    names: Naming | None = None,
    limits: Limits | None = None,
    store_of: OpenStore = open_memory_store,
    standby_stores: StandbyStores | None = None,
    encodings: Encodings | None = None,
    guard: GenerationGuard | None = None,
    stops: Mapping[TopicPartition, int] | None = None,
    on_commit: Callable[[CommitStats], None] = lambda _: None,
    on_failure: Callable[[str, str], None] = lambda _agent, _cause: None,
    on_progress: Callable[[RestoreProgress | RestoreDone], None] = lambda _: None,
    on_ready: Callable[[Engine], None] = lambda _: None,
    traces: bool = False,
) -> AsyncIterator[Running]:
    """Start agents; at the end, finish running transactions and leave the group. All topics must exist (`topics apply`).

    With `traces`, `on_commit` gets the records that belong to traces. With `standby_stores`, copies of the tables of partitions that
    other workers own are kept there. `stops` are positions of source partitions that nothing is read beyond; the caller may change
    them. `guard` knows whether another generation has taken over.
    """
    names = names or Naming(prefix=kafka.topic_prefix)
    limits = limits or Limits()
    with infrequent_gc() as long_lived:

        def when_ready(engine: Engine) -> None:
            long_lived.complete()
            on_ready(engine)

        engine = Engine(
            agents,
            kafka=kafka,
            names=names,
            limits=limits,
            store_of=store_of,
            standby_stores=standby_stores,
            encodings=encodings,
            guard=guard,
            stops=stops,
            on_commit=on_commit,
            on_failure=on_failure,
            on_progress=on_progress,
            on_ready=when_ready,
            traces=traces,
        )
        app = BatchApp(agents, kafka=kafka, names=names, limits=limits, assignment=engine.assignment)
        engine.connect(cast(Seeker, app.consumer))
        asyncio.get_running_loop().set_exception_handler(_ignore_unretrieved)
        try:
            await app.start()
            yield Running(engine, app)
        finally:
            try:
                await engine.close()
            finally:
                await app.stop()
