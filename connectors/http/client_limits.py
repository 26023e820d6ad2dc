"""uvicorn's HTTP protocol, with limits it leaves to a proxy: size of the headers, size of a request, and time to send one.

Without them, connections that send a byte a minute hold memory and descriptors without end. One check of all connections a second
replaces a timer for every request, and the keep-alive timer too.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_BYTES: Final = 64 * 1024
REQUEST_BYTES: Final = 8 << 20  # above the body's limit: a sender may finish its request and read its 413
REQUEST_SECONDS: Final = 10.0  # twice what Intercom allows for a request and its response


class LimitedProtocol(HttpToolsProtocol):
    """One connection. `reading_since` is when the request being received, or the connection, began; None between requests.

    `idle_since` is when the last response was sent; None once another request begins.
    """

    reading_since: float | None = None
    idle_since: float | None = None
    _received = 0
    _in_headers = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.reading_since = self.loop.time()

    def data_received(self, data: bytes) -> None:
        if self.reading_since is None:
            self.reading_since, self.idle_since = self.loop.time(), None
        self._received += len(data)
        super().data_received(data)
        if self._received > HEADER_BYTES and (self._in_headers or self._received > REQUEST_BYTES):
            self.close_connection()

    def on_headers_complete(self) -> None:
        self._in_headers = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.on_request_received()
        super().on_message_complete()

    def on_request_received(self) -> None:
        """Stop the clock of a request that is complete: the next bytes belong to another."""
        self._received, self._in_headers, self.reading_since = 0, True, None

    def on_response_complete(self) -> None:
        if self.pipeline:
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self.idle_since = self.loop.time()

    def close_connection(self) -> None:
        """Close the connection without a response: the sender would not read one."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()


async def close_slow_clients(connections: Iterable[Any], every_s: float = 1.0) -> None:
    """Check all connections once a second and close those that take too long to send a request, or are idle for too long."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(every_s)
        now = loop.time()
        for connection in list(connections):
            reading, idle = connection.reading_since, connection.idle_since
            if (reading is not None and reading < now - REQUEST_SECONDS) or (
                idle is not None and idle < now - connection.timeout_keep_alive
            ):
                connection.close_connection()
