"""Keep-alive connections driven by hand over epoll: an HTTP client would cost more than the server it measures.

A request is bytes prepared before. An answer is looked into only when its length is new; else its first bytes and its length say it all.
"""

import select
import socket
from collections.abc import Iterator, Sequence

_ACCEPTED = b"HTTP/1.1 200"
_CONNECT_S = 10


class Connection:
    """One socket, and what is under way on it. `sent_at` is the instant the running post counts from."""

    __slots__ = ("buffer", "sent_at", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=_CONNECT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.buffer = b""
        self.sent_at = 0.0


class Connections:
    """All connections of a generator, and what came back on them."""

    def __init__(self, port: int, count: int, posts: Sequence[bytes]) -> None:
        self._port = port
        self._posts = posts
        self._next = 0
        self._poll = select.epoll()
        self._open: dict[int, Connection] = {}
        self._length = 0  # of the last answer that was parsed
        self.accepted = 0
        self.refused = 0
        self.broken = 0
        for _ in range(count):
            self.open()

    def open(self) -> Connection:
        """Add a connection."""
        made = Connection(self._port)
        self._open[made.socket.fileno()] = made
        self._poll.register(made.socket.fileno(), select.EPOLLIN)
        return made

    def all(self) -> list[Connection]:
        """Return every open connection."""
        return list(self._open.values())

    def send(self, connection: Connection, at: float) -> None:
        """Post the next body, counted from the instant `at`."""
        connection.sent_at = at
        post = self._posts[self._next]
        self._next = (self._next + 1) % len(self._posts)
        try:
            sent = connection.socket.send(post)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # closed under us: the poll tells, and it is counted there
        if sent < len(post):  # never seen on one machine: a socket's buffer holds many posts
            connection.socket.setblocking(True)
            connection.socket.sendall(post[sent:])
            connection.socket.setblocking(False)

    def answered(self, seconds: float) -> Iterator[Connection]:
        """Wait at most so long and yield each connection whose answer is complete; a broken one is replaced, and yielded as new."""
        if seconds > 0:
            select.select([self._poll], [], [], seconds)  # epoll itself counts in milliseconds
        for number, _ in self._poll.poll(0, 1024):
            connection = self._open[number]
            try:
                data = connection.socket.recv(65_536)
            except OSError:
                data = b""
            if not data:
                yield self._replaced(connection)
            elif answer := self._answer(connection, data):
                if answer.startswith(_ACCEPTED):
                    self.accepted += 1
                else:
                    self.refused += 1
                yield connection

    def close(self) -> None:
        for connection in self._open.values():
            connection.socket.close()
        self._poll.close()

    def _answer(self, connection: Connection, data: bytes) -> bytes:
        """Return an answer once it is all there, else nothing."""
        if len(data) == self._length and not connection.buffer:
            return data
        whole = connection.buffer + data
        head, found, body = whole.partition(b"\r\n\r\n")
        if not found or len(body) < _content_length(head):
            connection.buffer = whole
            return b""
        connection.buffer = b""
        self._length = len(whole)
        return whole

    def _replaced(self, connection: Connection) -> Connection:
        self.broken += 1
        number = connection.socket.fileno()
        self._poll.unregister(number)
        del self._open[number]
        connection.socket.close()
        made = self.open()
        made.sent_at = connection.sent_at
        return made


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    return 0
