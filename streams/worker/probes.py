"""A worker's probes: is it alive, is it ready, and what is each partition doing. Ready means that all tables are restored."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Collection
from typing import TYPE_CHECKING, Self

import structlog
import uvicorn
from prometheus_client import generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.http.signal_free_server import SignalFreeServer
from connectors.observability import metrics
from connectors.observability.tracing import RecordTracer
from schemas.errors import StoreFailed
from streams.engine.partition.processor import CommitStats, PartitionProcessor, PartitionStatus
from streams.engine.recovery.progress import RestoreProgress

if TYPE_CHECKING:
    from streams.engine.engine import Engine  # it loads Faust, and `sync` has these probes too

log = structlog.get_logger(__name__)

_BY_PARTITION = (
    metrics.PARTITION_LIVE, metrics.PARTITION_STOPPED, metrics.PARTITION_LAG, metrics.PARTITION_PENDING_WORK, metrics.TABLE_ROWS, metrics.STANDBY_LAG,
    metrics.RESTORE_READ, metrics.RESTORE_OF, metrics.PARTITION_WAKE_OVERDUE,
)  # fmt: skip
_PORTS_TRIED = 64  # several workers of one machine count up from the configured port


class Probes:
    """Serve /health, /ready and /metrics on `listen` (host:port, or empty for none) while the context is open."""

    def __init__(self, listen: str, tracer: RecordTracer | None = None) -> None:
        self._listen = listen
        self._tracer = tracer
        self._engine: Engine | None = None
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None
        self.address = ""

    async def __aenter__(self) -> Self:
        if self._listen:
            listener = _first_free(self._listen)
            self.address = "{}:{}".format(*listener.getsockname()[:2])
            config = uvicorn.Config(self.application(), log_config=None, access_log=False, lifespan="off")
            self._server = SignalFreeServer(config)
            self._task = asyncio.create_task(self._server.serve([listener]))
            log.info("probes listening", listen=self.address)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def watch(self, engine: "Engine") -> None:
        """Report the state of this engine from now on."""
        self._engine = engine

    def committed(self, stats: CommitStats) -> None:
        """Count a transaction, and trace its records."""
        metrics.RECORDS.labels(stats.agent).inc(stats.records - stats.dead)
        metrics.DEAD_LETTERS.labels(stats.agent).inc(stats.dead)
        if stats.traced and self._tracer is not None:
            self._tracer.committed(stats.agent, stats.partition, stats.traced, stats.seconds)
        metrics.BATCH_SECONDS.labels(stats.agent).observe(stats.seconds)
        if stats.oldest is not None:
            metrics.RECORD_AGE.labels(stats.agent).observe(max(0.0, time.time() - stats.oldest / 1000))
        for name, count in stats.notes.items():
            metrics.STEP_NOTES.labels(stats.agent, name).inc(count)
        if not stats.records:
            metrics.CONTINUED.labels(stats.agent).inc()

    def failed(self, agent: str, cause: str) -> None:
        """Count a partition that has to be loaded again."""
        metrics.PARTITION_FAILURES.labels(agent, cause).inc()

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(routes=[Route("/health", self._health), Route("/ready", self._ready), Route("/metrics", self._metrics)])

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def _ready(self, _: Request) -> Response:
        if self._engine is None:
            return JSONResponse({"ready": False, "hint": "waiting for Kafka or the schema registry"}, 503)
        processors = self._engine.all_processors()
        ready = self._engine.ready.is_set() and all(processor.status is PartitionStatus.LIVE for processor in processors)
        restoring = self._engine.progress()
        status: dict[str, object] = {"ready": ready, "hint": "" if ready else _hint(processors, restoring)}
        if restoring is not None:
            status["restoring"] = _restoring(restoring)
        return JSONResponse({**status, "partitions": [_partition(processor) for processor in processors]}, 200 if ready else 503)

    async def _metrics(self, _: Request) -> Response:
        if self._engine is not None:
            _set_gauges(self._engine)
        return Response(generate_latest(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _hint(processors: Collection[PartitionProcessor], restoring: RestoreProgress | None) -> str:
    """Return why a worker is not ready: first what a person has to fix, then what takes time."""
    if stopped := sum(processor.status is PartitionStatus.STOPPED for processor in processors):
        return f"{stopped} of {len(processors)} partitions are stopped and wait for you: see `reason`"
    if restoring is not None:
        return str(restoring)
    if still := next((each.reason for each in processors if each.status is PartitionStatus.FAILED and each.reason), ""):
        return still
    if any(processor.status is PartitionStatus.FAILED for processor in processors):
        return "a partition is being loaded again after a failure; the log says of what"
    return "partitions are being assigned"


def _restoring(progress: RestoreProgress) -> dict[str, object]:
    remaining = progress.remaining_seconds
    return {
        "offsets_read": progress.total.read, "offsets": progress.total.of, "seconds": round(progress.seconds, 1),
        "remaining_seconds": None if remaining is None else round(remaining, 1),
        "agents": {part.agent: {"offsets_read": part.read, "offsets": part.of} for part in progress.parts},
    }  # fmt: skip


def _partition(processor: PartitionProcessor) -> dict[str, object]:
    return {
        "agent": processor.agent.name, "partition": processor.partition, "status": processor.status, "lag": processor.lag,
        "pending_work": processor.pending_work_count, "positions": processor.positions, "rows": _rows(processor),
        "encoding": processor.commit_state.encoding, "reason": processor.reason,
    }  # fmt: skip


def _rows(processor: PartitionProcessor) -> int | None:
    """Count rows; None where their disk fails."""
    try:
        return len(processor.store)
    except StoreFailed:
        return None


def _set_gauges(engine: "Engine") -> None:
    """Set the gauges that are measured when they are scraped. Partitions that moved to another worker have no values any more."""
    for gauge in _BY_PARTITION:
        gauge.clear()
    for processor in engine.all_processors():
        labels = processor.agent.name, str(processor.partition)
        metrics.PARTITION_LIVE.labels(*labels).set(processor.status is PartitionStatus.LIVE)
        metrics.PARTITION_STOPPED.labels(*labels).set(processor.status is PartitionStatus.STOPPED)
        metrics.PARTITION_LAG.labels(*labels).set(processor.lag)
        metrics.PARTITION_PENDING_WORK.labels(*labels).set(processor.pending_work_count)
        metrics.PARTITION_WAKE_OVERDUE.labels(*labels).set(processor.wake_timer.overdue())
        if (rows := _rows(processor)) is not None:
            metrics.TABLE_ROWS.labels(*labels).set(rows)
    for (agent, partition), lag in engine.standby_lag().items():
        metrics.STANDBY_LAG.labels(agent, str(partition)).set(lag)
    restoring = engine.progress()
    for part in restoring.parts if restoring is not None else ():
        metrics.RESTORE_READ.labels(part.agent).set(part.read)
        metrics.RESTORE_OF.labels(part.agent).set(part.of)


def _first_free(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    last_error: OSError | None = None
    for number in range(int(port), int(port) + _PORTS_TRIED) if int(port) else [0]:
        try:
            return socket.create_server((host.strip("[]"), number), reuse_port=False)
        except OSError as error:
            last_error = error
    raise OSError(f"no free port from {listen} on: {last_error}")
