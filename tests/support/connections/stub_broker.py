"""A broker of one topic that answers only what a test lets it answer: how clients behave at a moment that a real broker passes at once."""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.protocol.admin import ApiVersionResponse_v0, ApiVersionResponse_v1
from aiokafka.protocol.metadata import MetadataResponse_v1

TOPIC = "t"
PRODUCE, LIST_OFFSETS, METADATA, VERSIONS = 0, 2, 3, 18
_UNDERSTOOD = [(PRODUCE, 0, 3), (LIST_OFFSETS, 0, 1), (METADATA, 1, 1), (VERSIONS, 0, 0)]


class StubBroker:
    """`silent` are kinds of requests (API keys) that get no answer; `asked` is set by each of them, and by nothing else.

    So many answers about the cluster as `fenced` says name no broker, as those of a broker that has just started.
    """

    def __init__(self) -> None:
        self.silent: set[int] = set()
        self.fenced = 0
        self.asked = asyncio.Event()
        self._port = 0

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self._port}"

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["StubBroker"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                key, version, correlation = struct.unpack(">hhi", (await reader.readexactly(size))[:8])
                if key in self.silent:
                    self.asked.set()
                else:
                    body = struct.pack(">i", correlation) + self._answer(key, version)
                    writer.write(struct.pack(">i", len(body)) + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, key: int, version: int) -> bytes:
        if key == VERSIONS:
            answer = ApiVersionResponse_v1(0, _UNDERSTOOD, 0) if version else ApiVersionResponse_v0(0, _UNDERSTOOD)
        else:
            assert key == METADATA, f"a test should keep the broker silent about requests of kind {key}"
            broker, partition = (1, "127.0.0.1", self._port, None), (0, 0, 1, [1], [1])
            self.fenced, named = max(0, self.fenced - 1), [] if self.fenced else [broker]
            answer = MetadataResponse_v1(named, 1, [(0, TOPIC, False, [partition])])
        return bytes(answer.encode())
