"""A worker's probes: is it alive, is it ready, and what does each partition do. Ready means that all tables are recovered."""

import asyncio
import contextlib
import socket
from collections.abc import Collection
from typing import Self

import structlog
import uvicorn
from prometheus_client import generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.observability import metrics
from schemas.errors import StoreFailed
from streams.engine.engine import CommitStats, Engine
from streams.engine.partition.processor import PartitionProcessor, PartitionStatus
from streams.engine.recovery.progress import RestoreProgress

log = structlog.get_logger(__name__)

_OF_PARTITIONS = (
    metrics.PARTITION_LIVE, metrics.PARTITION_LAG, metrics.PARTITION_PENDING_WORK, metrics.TABLE_ROWS, metrics.STANDBY_LAG,
    metrics.RESTORE_READ, metrics.RESTORE_OF,
)  # fmt: skip
_PORTS_TRIED = 64  # several workers of one machine count up from the configured port


class Probes:
    """Serve /health, /ready and /metrics on `listen` (host:port, or empty for none) while the context is open."""

    def __init__(self, listen: str) -> None:
        self._listen = listen
        self._engine: Engine | None = None
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None
        self.address = ""

    async def __aenter__(self) -> Self:
        if self._listen:
            place = _free_from(self._listen)
            self.address = "{}:{}".format(*place.getsockname()[:2])
            config = uvicorn.Config(self.application(), log_config=None, access_log=False, lifespan="off")
            self._server = uvicorn.Server(config)
            self._server.install_signal_handlers = _none  # type: ignore[attr-defined]  # signals are the worker's
            self._task = asyncio.create_task(self._server._serve(sockets=[place]))  # noqa: SLF001  # `serve` would take the signals
            log.info("probes", listen=self.address)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def watch(self, engine: Engine) -> None:
        """Report of this engine from now on."""
        self._engine = engine

    def committed(self, done: CommitStats) -> None:
        """Count a transaction."""
        metrics.RECORDS.labels(done.agent).inc(done.records - done.dead)
        metrics.DEAD_LETTERS.labels(done.agent).inc(done.dead)
        metrics.BATCH_SECONDS.labels(done.agent).observe(done.seconds)
        if not done.records:
            metrics.CONTINUED.labels(done.agent).inc()

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(routes=[Route("/health", self._health), Route("/ready", self._ready), Route("/metrics", self._metrics)])

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def _ready(self, _: Request) -> Response:
        if self._engine is None:
            return JSONResponse({"ready": False, "hint": "waiting for Kafka or the schema registry"}, 503)
        lanes = self._engine.all_processors()
        ready = self._engine.ready.is_set() and all(lane.status is PartitionStatus.LIVE for lane in lanes)
        restoring = self._engine.progress()
        said: dict[str, object] = {"ready": ready, "hint": "" if ready else _hint(lanes, restoring)}
        if restoring is not None:
            said["restoring"] = _restore_text(restoring)
        return JSONResponse({**said, "partitions": [_row(lane) for lane in lanes]}, 200 if ready else 503)

    async def _metrics(self, _: Request) -> Response:
        if self._engine is not None:
            _measure(self._engine)
        return Response(generate_latest(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _hint(lanes: Collection[PartitionProcessor], restoring: RestoreProgress | None) -> str:
    """Say why a worker is not ready: first what a person has to mend, then what takes its time."""
    if stopped := sum(lane.status is PartitionStatus.STOPPED for lane in lanes):
        return f"{stopped} of {len(lanes)} partitions are stopped and wait for you: see `reason`"
    if restoring is not None:
        return str(restoring)
    if any(lane.status is PartitionStatus.LOST for lane in lanes):
        return "a partition is being read back after a failure; the log says of what"
    return "partitions are being handed out"


def _restore_text(restoring: RestoreProgress) -> dict[str, object]:
    left = restoring.left_seconds
    return {
        "offsets_read": restoring.total.read, "offsets": restoring.total.of, "seconds": round(restoring.seconds, 1),
        "left_seconds": None if left is None else round(left, 1),
        "agents": {part.agent: {"offsets_read": part.read, "offsets": part.of} for part in restoring.parts},
    }  # fmt: skip


def _row(lane: PartitionProcessor) -> dict[str, object]:
    return {
        "agent": lane.agent.name, "partition": lane.partition, "status": lane.status, "lag": lane.lag,
        "left_over": lane.has_pending_work, "positions": lane.positions, "rows": _rows(lane), "encoding": lane.commit_state.encoding,
        "reason": lane.reason,
    }  # fmt: skip


def _rows(lane: PartitionProcessor) -> int | None:
    """Count rows; None where the disk they are on does not answer."""
    try:
        return len(lane.store)
    except StoreFailed:
        return None


def _measure(engine: Engine) -> None:
    """Set what is measured when it is asked for. What was ours before and is not now says nothing any more."""
    for gone in _OF_PARTITIONS:
        gone.clear()
    for lane in engine.all_processors():
        place = lane.agent.name, str(lane.partition)
        metrics.PARTITION_LIVE.labels(*place).set(lane.status is PartitionStatus.LIVE)
        metrics.PARTITION_LAG.labels(*place).set(lane.lag)
        metrics.PARTITION_PENDING_WORK.labels(*place).set(lane.has_pending_work)
        if (rows := _rows(lane)) is not None:
            metrics.TABLE_ROWS.labels(*place).set(rows)
    for (agent, partition), lag in engine.standby_lag().items():
        metrics.STANDBY_LAG.labels(agent, str(partition)).set(lag)
    restoring = engine.progress()
    for part in restoring.parts if restoring is not None else ():
        metrics.RESTORE_READ.labels(part.agent).set(part.read)
        metrics.RESTORE_OF.labels(part.agent).set(part.of)


def _free_from(listen: str) -> socket.socket:
    host, _, port = listen.rpartition(":")
    last: OSError | None = None
    for number in range(int(port), int(port) + _PORTS_TRIED) if int(port) else [0]:
        try:
            return socket.create_server((host.strip("[]"), number), reuse_port=False)
        except OSError as error:
            last = error
    raise OSError(f"no free port from {listen} on: {last}")


def _none() -> None:
    """Install nothing."""
