"""One SCIM process: its parts composed, started in order, and stopped."""

import asyncio
import contextlib
import signal
import socket
from typing import Any, Final

import msgspec
import structlog
import uvicorn
import uvloop
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from connectors.http.client_limits import LimitedProtocol, close_slow_clients
from connectors.http.signal_free_server import SignalFreeServer
from connectors.http.sockets import bind, url_of
from connectors.kafka import schema_registry as registry
from connectors.staff.scim.application import PREFIX, ScimApplication
from connectors.staff.scim.config import ScimConfig
from connectors.staff.scim.resources import provider
from connectors.staff.scim.sources import Sources
from connectors.staff.scim.tokens import BearerTokens
from schemas.codec import Avro
from schemas.errors import BadConfiguration, Unavailable

_log = structlog.get_logger(__name__)
_GRACE_S: Final = 20  # for requests in flight at a stop: as long as a write may take
_KEEP_ALIVE_S: Final = 75
_BACKLOG: Final = 256
_RETRY_S: Final = 1.0


class ScimStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The status of a process. `degraded` has a sentence for each problem."""

    ready: bool
    degraded: tuple[str, ...] = ()


def serve(config: ScimConfig) -> None:
    """Serve until SIGTERM or SIGINT. Raises `BadConfiguration` for an address in use, and where no source is configured.

    Writes one line to standard output once it listens: `listening on http://host:port/scim/v2`.
    """
    if not config.origins():
        raise BadConfiguration("No tenant has a [[tenants.scim]]: without a source and its token no request can be believed.")
    uvloop.run(_run(config, bind(config.host, config.port, key="scim.listen")))


async def _run(config: ScimConfig, sock: socket.socket) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sock.listen(_BACKLOG)
    _print_address(sock)
    avro = await _codec(config, stop)
    if avro is None:
        return
    sources = Sources(config.kafka, avro, config.origins())
    sources.count()
    server = SignalFreeServer(uvicorn.Config(
        _app(config, sources), http=LimitedProtocol, ws="none", lifespan="off", log_config=None, access_log=False,
        server_header=False, proxy_headers=False, timeout_keep_alive=_KEEP_ALIVE_S, timeout_graceful_shutdown=_GRACE_S,
    ))  # fmt: skip
    follower, serving = asyncio.create_task(sources.follower.run()), asyncio.create_task(server.serve([sock]))
    limits = asyncio.create_task(close_slow_clients(server.server_state.connections))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({follower, serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        await serving
        for task in (follower, limits, stopping):
            task.cancel()
        await sources.close()
        results = await asyncio.gather(follower, limits, stopping, return_exceptions=True)
    if isinstance(results[0], Exception):
        raise results[0]


async def _codec(config: ScimConfig, stop: asyncio.Event) -> Avro | None:
    """Return the codec as soon as the registry answers, None after a stop."""
    while not stop.is_set():
        try:
            return await registry.codec(config.registry_url, config.kafka.topic_prefix)
        except Unavailable as error:
            _log.warning("the schema registry does not answer", reason=str(error), hint="it is asked again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _RETRY_S)
    return None


def _app(config: ScimConfig, sources: Sources) -> "_Dispatcher":
    tokens = BearerTokens({name: store.origin.scim.tokens for name, store in sources.stores.items()})
    scim = ScimApplication(sources.stores, tokens, provider(), public_url=config.public_url)

    async def health(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(_: Request) -> Response:
        problem = await sources.behind()
        status = ScimStatus(ready=problem is None, degraded=() if problem is None else (problem,))
        return Response(msgspec.json.encode(status), 200 if status.ready else 503, media_type="application/json")

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    probes = Starlette(routes=[Route("/health", health), Route("/ready", ready), Route("/metrics", metrics)])
    return _Dispatcher(scim, probes)


class _Dispatcher:
    """SCIM requests in front of the probes."""

    def __init__(self, scim: Any, probes: Any) -> None:
        self._scim = scim
        self._probes = probes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        belongs = scope["type"] == "http" and (scope["path"] == PREFIX or scope["path"].startswith(f"{PREFIX}/"))
        await (self._scim if belongs else self._probes)(scope, receive, send)


def _print_address(sock: socket.socket) -> None:
    url = url_of(sock, PREFIX)
    _log.info("listening", url=url)
    print(f"listening on {url}", flush=True)  # noqa: T201  # after a start with port 0 the caller reads the port here
