"""Sockets for one process, or for several on one port (SO_REUSEPORT: the kernel distributes connections evenly)."""

import socket

from schemas.errors import BadConfiguration

_LAST_PORT = 65_535
_ALL_INTERFACES = ("0.0.0.0", "::")  # noqa: S104  # recognised, not bound


def address(listen: str, *, key: str = "ingress.listen") -> tuple[str, int]:
    """Split `host:port`, `[v6]:port` or `:port` (all interfaces). Raises `BadConfiguration`, which names the key."""
    host, _, port = listen.rpartition(":")
    if not port.isdigit() or int(port) > _LAST_PORT:
        raise BadConfiguration(f"{key} is {listen!r}; expected host:port, like 127.0.0.1:8080 (port 0 takes a free one)")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104  # an empty host means all interfaces


def url_of(sock: socket.socket, path: str) -> str:
    """Return the URL of a path on a bound socket."""
    host, port = sock.getsockname()[:2]
    shown = "127.0.0.1" if host in _ALL_INTERFACES else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}{path}"


def bind(host: str, port: int, *, shared: bool = False, key: str = "ingress.listen") -> socket.socket:
    """Bind the address without listening; `shared` lets other processes of this user bind it too.

    Raises `BadConfiguration`, which names the key of the configuration that the address is from.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise BadConfiguration(
            f"This process cannot listen on {host}:{port}: {error.strerror}. Another process may have the port; change {key}."
        ) from error
    sock.setblocking(False)
    return sock


def share(sock: socket.socket) -> socket.socket:
    """Close a socket that proved the address free, and bind the same address so that other processes can bind it too.

    The returned socket only reserves the address: it never listens, so it receives no connection.
    """
    host, port = sock.getsockname()[:2]
    sock.close()
    return bind(host, port, shared=True)
