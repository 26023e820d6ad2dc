"""Chooses ports that no client takes: below the range from which the kernel assigns ports to outgoing connections.

Any client can take a port in that range between our choice and our listening, and a client that keeps
calling a stopped broker there can end up connected to itself.
"""

import random
import socket
from pathlib import Path

from schemas.errors import Unavailable

HOST = "127.0.0.1"
_LOWEST = 15_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUAL_EPHEMERAL = 32_768
_TRIES = 500


def free(taken: set[int]) -> int:
    """Return a port on which no program listens and that is not in `taken`."""
    limit = _first_ephemeral()
    for _ in range(_TRIES):
        port = random.randrange(_LOWEST, limit) if limit > _LOWEST + _TRIES else 0  # noqa: S311  not a secret
        chosen = _bindable(port)
        if chosen is not None and chosen not in taken:
            return chosen
    raise Unavailable("No free port was found on this machine. Look for programs that hold very many sockets.")


def is_free(port: int) -> bool:
    """Return whether we could listen on the port now."""
    return _bindable(port) is not None


def is_listening(port: int) -> bool:
    """Return whether a program listens on the port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _bindable(port: int) -> int | None:
    with socket.socket() as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # else a port counts as taken for a minute after its program ended
        try:
            probe.bind((HOST, port))
        except OSError:
            return None
        bound: int = probe.getsockname()[1]
        return bound


def _first_ephemeral() -> int:
    try:
        return int(_EPHEMERAL.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _USUAL_EPHEMERAL
