"""Sockets for one process, or for several on one port (SO_REUSEPORT: the kernel distributes connections evenly)."""

import socket

from schemas.errors import BadConfiguration


def bind(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Bind the address without listening; `shared` lets other processes of this user bind it too. Raises `BadConfiguration`."""
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
            f"The ingress cannot listen on {host}:{port}: {error.strerror}. "
            "Another process may have the port; change ingress.listen."
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
