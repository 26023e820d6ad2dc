"""One ingress process: its parts composed, started in order, and stopped so that every accepted post is persisted."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

import structlog
import uvicorn

from connectors.http.client_limits import close_slow_clients
from connectors.http.signal_free_server import SignalFreeServer
from connectors.intercom.ingress.breaker import Breaker
from connectors.intercom.ingress.config import IngressConfig
from connectors.intercom.ingress.counters import IngressCounters
from connectors.intercom.ingress.durable_writer import DurableWriter
from connectors.intercom.ingress.endpoint import CALLBACK_PATH, WEBHOOK_PATH, Endpoint
from connectors.intercom.ingress.fast_path import FastPathProtocol
from connectors.intercom.ingress.followed_workspaces import FollowedWorkspaces
from connectors.intercom.ingress.kafka_publisher import KafkaPublisher
from connectors.intercom.ingress.multiprocess_metrics import MultiprocessMetrics
from connectors.intercom.ingress.probes import IngressStatus, probes
from connectors.intercom.ingress.routing import Router
from connectors.intercom.ingress.signature import Keyring
from connectors.intercom.ingress.spools import Spools
from connectors.observability import tracing
from connectors.observability.metrics import (
    INGRESS_BREAKER_OPEN,
    INGRESS_BREAKER_TRIPS,
    INGRESS_SPOOL_ASIDE,
    INGRESS_SPOOL_BYTES,
    INGRESS_SPOOL_LIMIT,
    INGRESS_TOPICS_MISSING,
)
from schemas.intercom.routes import TOPICS
from schemas.workspaces import HELD

_log = structlog.get_logger(__name__)
_GRACE_S: Final = 10  # for requests in flight at a stop; twice what Intercom waits
_STOP_TIMEOUT_S: Final = 30  # from the last response to the end; a process that takes longer hangs, and its posts are on the disk
_KEEP_ALIVE_S: Final = 75  # longer than senders and proxies keep a connection, so that they close it first
_BACKLOG: Final = 2048
_GC_THRESHOLD: Final = (
    20_000,
    20,
    50,
)  # posts create many objects and no cycles: less frequent collection saved a seventh of the CPU
_WEBHOOK_PATHS: Final = frozenset({WEBHOOK_PATH, CALLBACK_PATH})


class IngressProcess:
    """The parts of one process."""

    def __init__(self, config: IngressConfig, index: int) -> None:
        self.breaker = Breaker(always_open=config.spool_always, on_trip=_on_trip)
        topics = [config.kafka.topic(topic) for topic in (*TOPICS, HELD)]
        self._states = FollowedWorkspaces(config.kafka, config.registry_url, config.spool)
        self.publisher = KafkaPublisher(config.kafka, topics, on_connected=lambda: self.breaker.record_success(0))
        self.spools = Spools(
            config.spool,
            index=index,
            max_bytes=config.spool_max_bytes // config.processes,
            publisher=self.publisher,
            breaker=self.breaker,
        )
        self._config = config
        self._counters = IngressCounters()
        self._metrics = MultiprocessMetrics(
            folder=config.spool, index=index, processes=config.processes, before_read=self._counters.flush
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Any]:
        """Start the parts, yield the ASGI app, and stop the parts: the writer first, then what it writes to."""
        await self.spools.open()
        self.publisher.start()
        writer = DurableWriter(self.publisher, self.spools.own, self.breaker)
        endpoint = Endpoint(
            keyring=Keyring(self._config.tenancy.apps.values()),
            router=Router(self._config.tenancy, self._config.kafka.topic, self._states.inactive),
            writer=writer,
            counters=self._counters,
            ceiling=self._config.ceiling,
            tracer=None if (tracer := tracing.tracer()) is None else tracing.PostTracer(tracer),
        )
        self._register_gauges()
        metrics_task = asyncio.create_task(self._metrics.publish())
        states_task = asyncio.create_task(self._states.follow())
        try:
            yield _App(endpoint, probes(self._status, self._metrics.page))
        finally:
            metrics_task.cancel()
            states_task.cancel()
            await writer.close()
            await self.spools.close()
            await self.publisher.close()
            await asyncio.gather(metrics_task, states_task, return_exceptions=True)

    def _register_gauges(self) -> None:
        """Set the functions that the gauges call at each scrape."""
        INGRESS_SPOOL_BYTES.set_function(lambda: sum(spool.bytes for spool in self.spools.spools))
        INGRESS_SPOOL_LIMIT.set(self._config.spool_max_bytes // self._config.processes)
        INGRESS_SPOOL_ASIDE.set_function(lambda: sum(spool.aside for spool in self.spools.spools))
        INGRESS_BREAKER_OPEN.set_function(lambda: float(self.breaker.open))
        INGRESS_TOPICS_MISSING.set_function(lambda: len(self.publisher.missing_topics))

    def _status(self) -> IngressStatus:
        spools = self.spools.spools
        own = self.spools.own
        spooled_bytes = sum(spool.bytes for spool in spools)
        spool_writable = not own.failing and own.bytes < self._config.spool_max_bytes // self._config.processes
        return IngressStatus(
            ready=spool_writable or not self.breaker.open,
            kafka="slow or away" if self.breaker.open else "there",
            spooled_bytes=spooled_bytes,
            degraded=tuple(self._degraded(spooled_bytes, spool_writable=spool_writable)),
        )

    def _degraded(self, spooled_bytes: int, *, spool_writable: bool) -> Iterator[str]:
        if not self.publisher.connected:
            yield "Kafka cannot be reached: posts go to the spool. Check kafka.bootstrap and the brokers."
        elif self.breaker.open and not self._config.spool_always:
            yield "Kafka is slow: posts go to the spool until a round comes back within 250 ms."
        for topic in self.publisher.missing_topics:
            yield f"Topic {topic} is missing: its posts stay in the spool. Run `intercom-streams topics apply`."
        if spooled_bytes:
            yield f"The spool holds {spooled_bytes} bytes that are not in Kafka yet."
        if not spool_writable:
            yield f"The spool takes no more: {self.spools.own.failing or 'it is full'}. Give its disk room, or bring Kafka back."
        if aside := sum(spool.aside for spool in self.spools.spools):
            yield f"{aside} groups of records in the spool can be neither read nor sent. See the log for why."
        for path in self.spools.damaged_files():
            yield f"{path.name} was moved aside because it is damaged: its posts are not in Kafka. Keep the file."


def _on_trip() -> None:
    INGRESS_BREAKER_TRIPS.inc()
    _log.warning("Kafka is slow or away", hint="posts go to the spool until a round comes back within 250 ms")


class _App:
    """The webhook route in front of the probes; `post_handler` handles the posts of the fast path, without ASGI."""

    def __init__(self, endpoint: Endpoint, probes_app: Any) -> None:
        self.post_handler = endpoint
        self._probes_app = probes_app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] in _WEBHOOK_PATHS:
            await self.post_handler(scope, receive, send)
        else:
            await self._probes_app(scope, receive, send)


def _on_parent_gone(loop: asyncio.AbstractEventLoop, parent_pipe: int, server: uvicorn.Server) -> None:
    loop.remove_reader(parent_pipe)
    server.should_exit = True


async def run(
    config: IngressConfig, sock: socket.socket, *, index: int, ready: Callable[[], None], parent_pipe: int | None = None
) -> None:
    """Serve on a bound socket until SIGTERM or SIGINT; return when all accepted posts are persisted.

    Calls `ready` once it listens. `parent_pipe` is the reading end of a pipe whose writing end only the supervising process
    holds: when that process ends, this one stops too.
    """
    tracing.configure("ingress")
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLD)
    async with IngressProcess(config, index).running() as app:
        server = SignalFreeServer(uvicorn.Config(
            app, http=FastPathProtocol, ws="none", lifespan="off", log_config=None, access_log=False, server_header=False,
            proxy_headers=False, timeout_keep_alive=_KEEP_ALIVE_S, timeout_graceful_shutdown=_GRACE_S, backlog=_BACKLOG,
        ))  # fmt: skip
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, setattr, server, "should_exit", True)
        if parent_pipe is not None:
            loop.add_reader(parent_pipe, _on_parent_gone, loop, parent_pipe, server)
        limits_task = asyncio.create_task(close_slow_clients(server.server_state.connections))
        sock.listen(_BACKLOG)
        ready()
        try:
            await server.serve([sock])
        finally:
            signal.alarm(_STOP_TIMEOUT_S)
            limits_task.cancel()
            await asyncio.gather(limits_task, return_exceptions=True)
