"""The short way of a post: when all of it is there it is taken at once, without a task, and its answer is one write.

An ASGI call costs a task, an event, a scope and four messages for every request, more than all of our work on a post. Only the plain
case goes this way (HTTP/1.1, a declared length, nothing else under way on the connection); everything else is left to uvicorn.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, Protocol

import structlog
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from connectors.intercom.ingress.client_limits import LimitedProtocol
from connectors.intercom.ingress.endpoint import WEBHOOK_PATH, HttpResponse
from connectors.intercom.ingress.signature import WEBHOOK

_PATH: Final = WEBHOOK_PATH.encode()
_MAX_LENGTH_DIGITS: Final = 6  # digits
_INTERNAL_ERROR: Final = HttpResponse(500, "this post could not be handled; the log says why\n")
_NO_EVENT: Final = asyncio.Event()  # uvicorn sets a request's event; nobody waits for that of a direct one
_log = structlog.get_logger(__name__)


class PostHandler(Protocol):
    """What takes posts whose bytes are all there."""

    def handle(self, headers: Mapping[bytes, bytes], body: bytes, begun: float, answer: Callable[[HttpResponse], None]) -> None:
        """Call `answer` once, now or when the post is kept."""

    def client_disconnected(self) -> None:
        """Note a sender that hung up before its post was complete."""


class Request:
    """One post and its answer, in the shape in which uvicorn's protocol expects what is under way on a connection."""

    __slots__ = ("begun", "body", "disconnected", "headers", "keep_alive", "message_event", "more_body", "response_complete")

    def __init__(self, headers: dict[bytes, bytes], *, keep_alive: bool) -> None:
        self.begun = time.perf_counter()
        self.headers = headers
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.more_body = True
        self.response_complete = False
        self.disconnected = False
        self.message_event = _NO_EVENT


class FastPathProtocol(LimitedProtocol):
    """One connection. The app's `direct` takes the posts that go the short way."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._handler: PostHandler = self.config.app.direct  # type: ignore[union-attr]  # uvicorn knows any callable as an app
        self._request: Request | None = None

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        if self.url == _PATH and self._is_plain() and (headers := _headers_of_plain_post(self.headers)) is not None:
            self._in_headers = False
            self.cycle = self._request = Request(headers, keep_alive=self.parser.should_keep_alive())  # type: ignore[assignment]
            return
        self._request = None
        url, headers_, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()  # the scope, which only ASGI needs
        self.url, self.expect_100_continue = url, expects
        self.headers += headers_
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._request is None:
            super().on_body(body)
        else:
            self._request.body += body  # no longer than was declared

    def on_message_complete(self) -> None:
        exchange = self._request
        if exchange is None:
            super().on_message_complete()
            return
        self.on_request_received()
        self._request, exchange.more_body = None, False

        def answer(found: HttpResponse) -> None:
            self._answer(exchange, found)

        try:
            self._handler.handle(exchange.headers, bytes(exchange.body), exchange.begun, answer)
        except Exception as error:  # noqa: BLE001  # as uvicorn around an app: the connection must not hang, and Intercom retries
            _log.error("a post failed", exc_info=error)
            exchange.keep_alive = False
            answer(_INTERNAL_ERROR)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._request is not None:
            self._handler.client_disconnected()
            self._request = None
        super().connection_lost(exc)

    def _is_plain(self) -> bool:
        before, parser = self.cycle, self.parser
        return (
            (before is None or before.response_complete)
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and not self.expect_100_continue
            and not self.flow.write_paused
            and not parser.should_upgrade()
        )

    def _answer(self, exchange: Request, answer: HttpResponse) -> None:
        if exchange.disconnected or exchange.response_complete:
            return
        exchange.response_complete = True
        self.transport.write(_encode(answer, exchange.keep_alive, tuple(self.server_state.default_headers)))
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()


def _headers_of_plain_post(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes] | None:
    """Return the headers by name where they announce a signed body that is read in one go."""
    found = dict(headers)
    length = found.get(b"content-length", b"")
    if WEBHOOK.header not in found or not length.isdigit() or len(length) > _MAX_LENGTH_DIGITS or int(length) > HIGH_WATER_LIMIT:
        return None
    return found


@lru_cache(maxsize=64)  # the default headers are the same for a second: the date
def _encode(answer: HttpResponse, keep_alive: bool, defaults: tuple[tuple[bytes, bytes], ...]) -> bytes:  # a key of the cache
    """Spell an answer as it goes over the wire, as uvicorn does."""
    closing = () if keep_alive else ((b"connection", b"close"),)
    lines = [name + b": " + value + b"\r\n" for name, value in (*defaults, *answer.headers, *closing)]
    return b"".join([STATUS_LINE[answer.status], *lines, b"\r\n", answer.text])
