"""The engine of one process: its parts, its status, and its end.

`FaustCallbacks` is what Faust calls, `EngineProcessorHost` what processors call, `EngineLoaderHost` what loads call; they share
`EngineState`.
"""

import asyncio
from collections.abc import Callable, Mapping

from aiokafka import TopicPartition

from connectors.kafka.settings import KafkaSettings
from streams.engine.agent import Agent
from streams.engine.encodings import Encodings
from streams.engine.faust_callbacks import FaustCallbacks
from streams.engine.limits import Limits
from streams.engine.loader_host import EngineLoaderHost
from streams.engine.naming import Naming
from streams.engine.partition.processor import CommitStats, PartitionId, PartitionProcessor
from streams.engine.processor_host import EngineProcessorHost
from streams.engine.recovery.generation_guard import GenerationGuard
from streams.engine.recovery.loader import Loader
from streams.engine.recovery.producer_clients import ProducerClients
from streams.engine.recovery.progress import RestoreDone, RestoreProgress
from streams.engine.recovery.standby import Standby
from streams.engine.state import EngineState, Seeker
from streams.engine.tables.store import OpenStore, StandbyStores, open_memory_store


class Engine:
    """Put the parts together. Everything here runs on one event loop; only fetching has a thread of its own."""

    def __init__(
        self,
        agents: tuple[Agent, ...],
        *,
        kafka: KafkaSettings,
        names: Naming,
        limits: Limits,
        store_of: OpenStore = open_memory_store,
        standby_stores: StandbyStores | None = None,
        encodings: Encodings | None = None,
        guard: GenerationGuard | None = None,
        stops: Mapping[TopicPartition, int] | None = None,
        on_commit: Callable[[CommitStats], None] = lambda _: None,
        on_failure: Callable[[str, str], None] = lambda _agent, _cause: None,
        on_progress: Callable[[RestoreProgress | RestoreDone], None] = lambda _: None,
        on_ready: Callable[["Engine"], None] = lambda _: None,
        traces: bool = False,
    ) -> None:
        self._state = state = EngineState(names)
        self._standby = standby = (
            None
            if standby_stores is None
            else Standby(agents, kafka=kafka, names=names, limits=limits, standby_stores=standby_stores)
        )
        clients = ProducerClients(kafka, limits)
        self._loader = Loader(
            kafka=kafka,
            names=names,
            limits=limits,
            encodings=encodings or Encodings(),
            clients=clients,
            host=EngineLoaderHost(state, open_store=store_of, standby=standby),
            guard=guard,
            on_progress=on_progress,
        )
        self._processor_host = EngineProcessorHost(
            state,
            loader=self._loader,
            clients=clients,
            names=names,
            limits=limits,
            on_commit=on_commit,
            on_failure=on_failure,
            traces=traces,
        )
        self.assignment = FaustCallbacks(
            agents,
            state,
            names=names,
            limits=limits,
            loader=self._loader,
            host=self._processor_host,
            standby=standby,
            stops={} if stops is None else stops,
            on_ready=lambda: on_ready(self),
        )

    @property
    def ready(self) -> asyncio.Event:
        """Set while all assigned partitions have been loaded."""
        return self._state.ready

    @property
    def fatal_error(self) -> asyncio.Future[Exception]:
        """The error that stops the process, when there is one."""
        return self._state.fatal_error

    def connect(self, seeker: Seeker) -> None:
        """Use this consumer to seek; it is created after the engine."""
        self._state.seeker = seeker

    def all_processors(self) -> list[PartitionProcessor]:
        """Return the processors of the current assignment."""
        return sorted(set(self._state.by_source.values()), key=lambda processor: processor.id)

    def progress(self) -> RestoreProgress | None:
        """Return how far tables are restored, or None where none is being restored."""
        return self._loader.progress()

    def standby_lag(self) -> Mapping[PartitionId, int]:
        """Return how many changelog offsets the standby copies are behind."""
        return {} if self._standby is None else self._standby.lag()

    async def close(self) -> None:
        """Finish running transactions and release everything."""
        await self.assignment.revoked()
        await self._loader.wait_until_idle()
        if self._standby is not None:
            await self._standby.close()
        await self._processor_host.close()
        await self.assignment.close()
