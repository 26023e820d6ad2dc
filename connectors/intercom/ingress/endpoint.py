"""The webhook route as a bare ASGI endpoint: read, verify, route, keep, answer. Nothing is parsed before its signature fits.

200 kept (a post twice too), 401 signature bad or missing, 413 too large, 429 above the configured ceiling, 503 cannot be kept.
Never 410: it disables the subscription.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from connectors.intercom.ingress.body import BodyTooLarge, ClientDisconnected, Receive, read_body
from connectors.intercom.ingress.counters import IngressCounters
from connectors.intercom.ingress.durable_writer import CannotPersist, DurableWriter
from connectors.intercom.ingress.routing import AuthenticPost, RoutedPost, Router, WrongApp
from connectors.intercom.ingress.signature import CALLBACK, WEBHOOK, Keyring, Scheme
from schemas.intercom.envelope import TooLarge

WEBHOOK_PATH: Final = "/webhooks/intercom"
CALLBACK_PATH: Final = "/webhooks/intercom/callback"

Send = Callable[[Any], Awaitable[None]]
_HEADERS_READ: Final = frozenset({
    WEBHOOK.header, CALLBACK.header, b"content-length", b"content-type", b"content-encoding", b"traceparent",
})  # fmt: skip
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")


class HttpResponse:
    """One answer, ready to send, in ASGI's form and in parts."""

    __slots__ = ("body", "headers", "start", "status", "text")

    def __init__(self, status: int, text: str, *headers: tuple[bytes, bytes]) -> None:
        body = text.encode()
        length = (b"content-length", str(len(body)).encode())
        self.status = status
        self.headers = (_TEXT, length, *headers)
        self.text = body
        self.start = {"type": "http.response.start", "status": status, "headers": self.headers}
        self.body = {"type": "http.response.body", "body": body}


ACCEPTED: Final = HttpResponse(200, "")  # no body: head and body are two writes to the socket, and nobody reads it
HELLO: Final = HttpResponse(200, "")  # HEAD, by which Intercom validates the address, and a person's GET
UNSIGNED: Final = HttpResponse(
    401, "signature missing or wrong: it has to be made of the raw body with the app's client secret\n"
)
WRONG_APP: Final = HttpResponse(401, "this workspace is configured for another app than the one that signed\n")
TOO_LARGE: Final = HttpResponse(413, "body larger than 1 MiB, or than 4 MiB once inflated\n")
WRONG_METHOD: Final = HttpResponse(405, "POST a webhook here\n", (b"allow", b"POST, GET, HEAD"))
OVERLOADED: Final = HttpResponse(429, "more posts at a time than the configured ceiling\n", (b"retry-after", b"1"))
UNAVAILABLE: Final = HttpResponse(503, "neither Kafka nor the spool can keep this post now\n")

RESPONSES: Final = (ACCEPTED, HELLO, UNSIGNED, WRONG_APP, TOO_LARGE, WRONG_METHOD, OVERLOADED, UNAVAILABLE)


class Endpoint:
    """Answers the posts of one process. `tally` is told every answer and what became of the post."""

    def __init__(
        self, *, keyring: Keyring, router: Router, writer: DurableWriter, counters: IngressCounters, ceiling: int = 0
    ) -> None:
        self._keyring = keyring
        self._router = router
        self._writer = writer
        self._counters = counters
        self._ceiling = ceiling
        self._in_progress = 0

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        begun = time.perf_counter()
        try:
            answer = await self._respond(scope, receive)
        except ClientDisconnected:
            self._counters.disconnected()
            return
        self._counters.answered(answer.status, time.perf_counter() - begun)
        await send(answer.start)
        await send(answer.body)

    def handle(self, headers: Mapping[bytes, bytes], body: bytes, begun: float, answer: Callable[[HttpResponse], None]) -> None:
        """Take a webhook that is all there; call `answer` once, now or when it is kept. `begun` is by `time.perf_counter`."""
        found = (
            OVERLOADED if self._ceiling and self._in_progress >= self._ceiling else self._verify_and_route(WEBHOOK, headers, body)
        )
        if isinstance(found, HttpResponse):
            self._counters.answered(found.status, time.perf_counter() - begun)
            answer(found)
            return
        self._in_progress += 1

        def kept(error: Exception | None) -> None:
            self._in_progress -= 1
            outcome = self._response(found, error)
            self._counters.answered(outcome.status, time.perf_counter() - begun)
            answer(outcome)

        self._writer.write_then(found.records, kept)

    def client_disconnected(self) -> None:
        """Count a sender that hung up before its post was complete."""
        self._counters.disconnected()

    async def _respond(self, scope: Any, receive: Receive) -> HttpResponse:
        method = scope["method"]
        if method != "POST":
            return HELLO if method in ("HEAD", "GET") else WRONG_METHOD
        if self._ceiling and self._in_progress >= self._ceiling:
            return OVERLOADED
        self._in_progress += 1
        try:
            return await self._handle_post(scope, receive)
        finally:
            self._in_progress -= 1

    async def _handle_post(self, scope: Any, receive: Receive) -> HttpResponse:
        scheme = CALLBACK if scope["path"] == CALLBACK_PATH else WEBHOOK
        headers = {name: value for name, value in scope["headers"] if name in _HEADERS_READ}
        if scheme.header not in headers:
            return UNSIGNED
        try:
            body = await read_body(receive, headers.get(b"content-length"))
        except BodyTooLarge:
            return TOO_LARGE
        found = self._verify_and_route(scheme, headers, body)
        if isinstance(found, HttpResponse):
            return found
        try:
            await self._writer.write(found.records)
        except CannotPersist as error:
            return self._response(found, error)
        return self._response(found, None)

    def _verify_and_route(self, scheme: Scheme, headers: Mapping[bytes, bytes], body: bytes) -> RoutedPost | HttpResponse:
        """Verify and route; return the records to keep, or why there are none."""
        signers = self._keyring.signers(scheme, body, headers[scheme.header])
        if not signers:
            return UNSIGNED
        try:
            return self._route(scheme, _post_of(body, signers, headers))
        except TooLarge:
            return TOO_LARGE
        except WrongApp:
            return WRONG_APP

    def _response(self, routed: RoutedPost, error: Exception | None) -> HttpResponse:
        if error is not None:
            self._counters.refused(str(error))
            return UNAVAILABLE
        self._counters.accepted(routed)
        return ACCEPTED

    def _route(self, scheme: Scheme, post: AuthenticPost) -> RoutedPost:
        now = time.time_ns() // 1_000_000
        return self._router.webhook(post, now) if scheme is WEBHOOK else self._router.callback(post, now)


def _post_of(body: bytes, signers: frozenset[str], headers: Mapping[bytes, bytes]) -> AuthenticPost:
    encoding = headers.get(b"content-encoding", b"").strip().lower()
    return AuthenticPost(
        body=body,
        signers=signers,
        content_type=headers.get(b"content-type"),
        encoding=None if encoding in (b"", b"identity") else b"gzip" if encoding == b"x-gzip" else encoding,
        trace_parent=headers.get(b"traceparent"),
    )
