"""`serve`: bind the address, run one process or several on it, stop them all."""

import socket

import structlog
import uvloop

from connectors.http.sockets import bind, share, url_of
from connectors.intercom.ingress.app import run
from connectors.intercom.ingress.config import IngressConfig
from connectors.intercom.ingress.endpoint import WEBHOOK_PATH
from connectors.intercom.ingress.supervisor import supervise

_log = structlog.get_logger(__name__)


def serve(config: IngressConfig) -> None:
    """Serve until SIGTERM or SIGINT; return when all accepted posts are persisted.

    Raises `BadConfiguration` for an address in use. Writes one line to standard output once it listens:
    `listening on http://host:port/webhooks/intercom`.
    """
    sock = bind(config.host, config.port)
    if config.processes == 1:
        uvloop.run(run(config, sock, index=0, ready=lambda: _print_address(sock)))
        return
    with share(sock) as reserved:
        supervise(config, reserved, lambda: _print_address(reserved))


def _print_address(sock: socket.socket) -> None:
    url = url_of(sock, WEBHOOK_PATH)
    _log.info("listening", url=url)
    print(f"listening on {url}", flush=True)  # noqa: T201  # after a start with port 0 the caller reads the port here
