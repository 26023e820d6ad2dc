"""The simulator as a process: its parts composed, started in order, and stopped."""

import asyncio
import signal
from typing import Final

import uvicorn
import uvloop

from connectors.http.signal_free_server import SignalFreeServer
from connectors.http.sockets import bind, url_of
from connectors.simulator.rest.application import application
from connectors.simulator.rest.composition import simulation
from connectors.simulator.rest.config import SimulatorConfig
from connectors.simulator.rest.control import control_routes

_BACKLOG: Final = 256
_GRACE_S: Final = 5


def serve(config: SimulatorConfig) -> None:
    """Serve until SIGTERM or SIGINT. Raises `BadConfiguration` for an address in use.

    Writes one line to standard output once it listens: `listening on http://host:port`.
    """
    uvloop.run(_run(config))


async def _run(config: SimulatorConfig) -> None:
    sock = bind(config.host, config.port, key="--listen")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    parts = simulation(config)
    server = SignalFreeServer(uvicorn.Config(
        application(parts.api, control_routes(parts), (parts.send_webhooks, parts.live)), ws="none", lifespan="on", log_config=None, access_log=False, server_header=False,
        date_header=False, timeout_graceful_shutdown=_GRACE_S,
    ))  # fmt: skip
    sock.listen(_BACKLOG)
    print(f"listening on {url_of(sock, '')}", flush=True)  # noqa: T201  # after a start with port 0 the caller reads the port here
    serving, stopping = asyncio.create_task(server.serve([sock])), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        server.should_exit = True
        stopping.cancel()
        await serving
