"""Keep-alive connections on plain sockets and epoll: an HTTP client would cost more than the server that it measures.

Requests are prepared bytes. A response is parsed only if its length differs from the last one; else its status line is enough.
"""

import select
import socket
from collections.abc import Iterator, Sequence

_ACCEPTED = b"HTTP/1.1 200"
_CONNECT_S = 10


class Connection:
    """One socket with its partial response. `sent_at` is the time from which the current post is measured."""

    __slots__ = ("buffer", "sent_at", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_CONNECT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.buffer = b""
        self.sent_at = 0.0


class Connections:
    """All connections of a load generator, and the numbers of their responses."""

    def __init__(self, port: int, count: int, posts: Sequence[bytes]) -> None:
        self._port = port
        self._posts = posts
        self._next = 0
        self._poll = select.epoll()
        self._open: dict[int, Connection] = {}
        self._length = 0  # of the last response that was parsed
        self.accepted = 0
        self.refused = 0
        self.broken = 0
        for _ in range(count):
            self.open()

    def open(self) -> Connection:
        """Open a connection."""
        connection = Connection(self._port)
        self._open[connection.socket.fileno()] = connection
        self._poll.register(connection.socket.fileno(), select.EPOLLIN)
        return connection

    def open_connections(self) -> list[Connection]:
        """Return every open connection."""
        return list(self._open.values())

    def send(self, connection: Connection, at: float) -> None:
        """Post the next body, measured from the time `at`."""
        connection.sent_at = at
        post = self._posts[self._next]
        self._next = (self._next + 1) % len(self._posts)
        try:
            sent = connection.socket.send(post)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # closed by the server: the poll reports it and it is counted there
        if sent < len(post):  # not observed on one machine: a socket's buffer has room for many posts
            connection.socket.setblocking(True)
            connection.socket.sendall(post[sent:])
            connection.socket.setblocking(False)

    def wait_for_responses(self, seconds: float) -> Iterator[Connection]:
        """Wait at most so long; yield each connection with a complete response, and a new connection for each broken one."""
        if seconds > 0:
            select.select([self._poll], [], [], seconds)  # epoll's timeout has only milliseconds
        for number, _ in self._poll.poll(0, 1024):
            connection = self._open[number]
            try:
                data = connection.socket.recv(65_536)
            except OSError:
                data = b""
            if not data:
                yield self._replace(connection)
            elif response := self._response(connection, data):
                if response.startswith(_ACCEPTED):
                    self.accepted += 1
                else:
                    self.refused += 1
                yield connection

    def close(self) -> None:
        for connection in self._open.values():
            connection.socket.close()
        self._poll.close()

    def _response(self, connection: Connection, data: bytes) -> bytes:
        """Return the response once it is complete, else empty bytes."""
        if len(data) == self._length and not connection.buffer:
            return data
        response = connection.buffer + data
        head, separator, body = response.partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            connection.buffer = response
            return b""
        connection.buffer = b""
        self._length = len(response)
        return response

    def _replace(self, connection: Connection) -> Connection:
        self.broken += 1
        number = connection.socket.fileno()
        self._poll.unregister(number)
        del self._open[number]
        connection.socket.close()
        replacement = self.open()
        replacement.sent_at = connection.sent_at
        return replacement


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0
