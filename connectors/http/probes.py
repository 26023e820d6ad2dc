"""Probes of a process that serves nothing else: /health, /ready and /metrics."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog
import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.http.signal_free_server import SignalFreeServer
from connectors.http.sockets import address, bind

_log = structlog.get_logger(__name__)

Readiness = Callable[[], dict[str, Any]]
"""Return the body of /ready, with `ready`; called before /metrics too, so that gauges can be set."""


@contextlib.asynccontextmanager
async def probes(listen: str, readiness: Readiness, *, key: str) -> AsyncIterator[str]:
    """Serve probes on `host:port` while the context is open, and yield the address; with an empty `listen` serve none.

    Raises BadConfiguration, which names the key, for an address that cannot be used.
    """
    if not listen:
        yield ""
        return
    sock = bind(*address(listen, key=key), key=key)
    sock.listen()
    server = SignalFreeServer(
        uvicorn.Config(_application(readiness), lifespan="off", log_config=None, access_log=False, server_header=False)
    )
    task = asyncio.create_task(server.serve([sock]))
    where = "{}:{}".format(*sock.getsockname()[:2])
    _log.info("probes listening", listen=where)
    try:
        yield where
    finally:
        server.should_exit = True
        await task


def _application(readiness: Readiness) -> Starlette:
    async def health(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def ready(_: Request) -> Response:
        body = readiness()
        return JSONResponse(body, 200 if body["ready"] else 503)

    async def metrics(_: Request) -> Response:
        readiness()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/health", health), Route("/ready", ready), Route("/metrics", metrics)])
