"""The bytes of topics on the brokers' disks, compressed as they are, by Kafka's DescribeLogDirs request (key 35, version 1).

Neither client library has it: https://kafka.apache.org/protocol#The_Messages_DescribeLogDirs. Plain connections only.
"""

import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterable

_API_KEY, _VERSION, _CORRELATION = 35, 1, 1
_ALL_TOPICS = -1
_TIMEOUT_S = 30


class _Response:
    """Read a response's fields in order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def number(self, form: str) -> int:
        (value,) = struct.unpack_from(f">{form}", self._data, self._position)
        self._position += struct.calcsize(f">{form}")
        return int(value)

    def text(self) -> str:
        length = self.number("h")
        begin, self._position = self._position, self._position + length
        return self._data[begin : self._position].decode()

    def each(self, read: Callable[[], None]) -> None:
        for _ in range(self.number("i")):
            read()


def topic_bytes(brokers: Iterable[tuple[str, int]]) -> Counter[str]:
    """Return the bytes of each topic's segments, summed over all brokers."""
    sizes: Counter[str] = Counter()
    for host, port in brokers:
        _add_folders(_Response(_request(host, port)), sizes)
    return sizes


def _request(host: str, port: int) -> bytes:
    client = b"bench"
    body = struct.pack(f">hhih{len(client)}si", _API_KEY, _VERSION, _CORRELATION, len(client), client, _ALL_TOPICS)
    with socket.create_connection((host, port), timeout=_TIMEOUT_S) as connection:
        connection.sendall(struct.pack(">i", len(body)) + body)
        with connection.makefile("rb") as answer:
            (length,) = struct.unpack(">i", answer.read(4))
            return answer.read(length)


def _add_folders(response: _Response, sizes: Counter[str]) -> None:
    def partition(topic: str) -> None:
        response.number("i")  # its number
        sizes[topic] += response.number("q")
        response.number("q")  # the lag of a copy
        response.number("?")  # whether it moves to another folder

    def topic() -> None:
        name = response.text()
        response.each(lambda: partition(name))

    def folder() -> None:
        response.number("h")  # error
        response.text()  # path
        response.each(topic)

    response.number("i")  # correlation
    response.number("i")  # throttle time
    response.each(folder)
