"""The fast path of a post: a complete post is handled at once, without a task, and its response is one write.

An ASGI call costs a task, an event, a scope and four messages for every request, more than all of our work on a post. Only plain
posts take this path (HTTP/1.1, a declared length, no other request in progress on the connection); uvicorn handles the others.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any, Final, Protocol

import structlog
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from connectors.http.client_limits import LimitedProtocol
from connectors.intercom.ingress.endpoint import CALLBACK_PATH, WEBHOOK_PATH, HttpResponse, is_signed

_PATHS: Final = frozenset({WEBHOOK_PATH.encode(), CALLBACK_PATH.encode()})
_MAX_LENGTH_DIGITS: Final = 6  # digits
_INTERNAL_ERROR: Final = HttpResponse(500, "this post could not be handled; the log says why\n")
_NO_EVENT: Final = asyncio.Event()  # uvicorn sets a request's event; on the fast path no task waits for it
_log = structlog.get_logger(__name__)


class PostHandler(Protocol):
    """Handles posts that have been received completely."""

    def handle(
        self, headers: Mapping[bytes, bytes], body: bytes, started: float, respond: Callable[[HttpResponse], None]
    ) -> None:
        """Call `respond` once, now or when the post is persisted."""

    def client_disconnected(self) -> None:
        """Count a sender that disconnected before its post was complete."""


class Request:
    """One post and the state of its response, with the attributes that uvicorn's protocol expects of a request in progress."""

    __slots__ = ("chunks", "disconnected", "headers", "keep_alive", "message_event", "more_body", "response_complete", "started")

    def __init__(self, headers: dict[bytes, bytes], *, keep_alive: bool) -> None:
        self.started = time.perf_counter()
        self.headers = headers
        self.keep_alive = keep_alive
        self.chunks: list[bytes] = []
        self.more_body = True
        self.response_complete = False
        self.disconnected = False
        self.message_event = _NO_EVENT

    def body(self) -> bytes:
        return self.chunks[0] if len(self.chunks) == 1 else b"".join(self.chunks)


class FastPathProtocol(LimitedProtocol):
    """One connection. The app's `post_handler` handles the posts that take the fast path."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._handler: PostHandler = self.config.app.post_handler  # type: ignore[union-attr]  # uvicorn takes any callable
        self._request: Request | None = None

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if self.url in _PATHS and (headers := self._headers_of_plain_post()) is not None:
            self._in_headers = False
            self.cycle = self._request = Request(headers, keep_alive=self.parser.should_keep_alive())  # type: ignore[assignment]
            return
        self._request = None
        url, headers_ = self.url, self.headers
        super().on_message_begin()  # the scope, which only ASGI needs
        self.url = url
        for name, value in headers_:
            super().on_header(name, value)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._request is None:
            super().on_body(body)
        else:
            self._request.chunks.append(body)  # the parser stops at the declared length

    def on_message_complete(self) -> None:
        request = self._request
        if request is None:
            super().on_message_complete()
            return
        self.on_request_received()
        self._request, request.more_body = None, False
        respond = partial(self._respond, request)
        try:
            self._handler.handle(request.headers, request.body(), request.started, respond)
        except Exception as error:  # noqa: BLE001  # as uvicorn around an app: the connection must not hang, and Intercom retries
            _log.error("a post failed", exc_info=error)
            request.keep_alive = False
            respond(_INTERNAL_ERROR)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._request is not None:
            self._handler.client_disconnected()
            self._request = None
        super().connection_lost(exc)

    def _headers_of_plain_post(self) -> dict[bytes, bytes] | None:
        """Return the headers by name if they begin a signed post that uvicorn would not pause while receiving, else None."""
        previous, parser = self.cycle, self.parser
        if (previous is not None and not previous.response_complete) or self.flow.write_paused:
            return None
        headers = dict(self.headers)
        length = headers.get(b"content-length", b"")
        plain = (
            length.isdigit()
            and len(length) <= _MAX_LENGTH_DIGITS
            and int(length) <= HIGH_WATER_LIMIT
            and is_signed(headers)
            and b"expect" not in headers
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and not parser.should_upgrade()
        )
        return headers if plain else None

    def _respond(self, request: Request, response: HttpResponse) -> None:
        if request.disconnected or request.response_complete:
            return
        request.response_complete = True
        self.transport.write(_encode(response, request.keep_alive, tuple(self.server_state.default_headers)))
        if not request.keep_alive:
            self.transport.close()
        self.on_response_complete()


@lru_cache(maxsize=64)  # the default headers stay the same for a second: they hold the date
def _encode(response: HttpResponse, keep_alive: bool, defaults: tuple[tuple[bytes, bytes], ...]) -> bytes:  # a key of the cache
    """Return the bytes of a response on the wire, as uvicorn writes them."""
    closing = () if keep_alive else ((b"connection", b"close"),)
    lines = [name + b": " + value + b"\r\n" for name, value in (*defaults, *response.headers, *closing)]
    return b"".join([STATUS_LINE[response.status], *lines, b"\r\n", response.body])
