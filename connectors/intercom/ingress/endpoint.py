"""The webhook route as a bare ASGI endpoint: read, verify, route, persist, respond. It parses no body before verifying it.

200 persisted (also a duplicate), 401 signature bad or missing, 413 too large, 429 above the configured ceiling, 503 cannot be
persisted. Never 410: it disables the subscription. Both paths take every kind of post; the signature's header says which kind it is.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from connectors.intercom.ingress.body import BodyTooLarge, ClientDisconnected, Receive, read_body
from connectors.intercom.ingress.counters import IngressCounters
from connectors.intercom.ingress.durable_writer import CannotPersist, DurableWriter
from connectors.intercom.ingress.routing import AuthenticPost, Quarantine, RoutedPost, Router, WrongApp
from connectors.intercom.ingress.signature import CALLBACK, SCHEMES, WEBHOOK, Keyring, Scheme
from connectors.observability.tracing import PostTracer
from schemas.intercom.envelope import TooLarge

WEBHOOK_PATH: Final = "/webhooks/intercom"
CALLBACK_PATH: Final = "/webhooks/intercom/callback"

Send = Callable[[Any], Awaitable[None]]
_HEADERS_READ: Final = frozenset({
    WEBHOOK.header, CALLBACK.header, b"content-length", b"content-type", b"content-encoding", b"traceparent",
})  # fmt: skip
_TEXT: Final = b"text/plain; charset=utf-8"
_JSON: Final = b"application/json"


class HttpResponse:
    """One response, prepared in full: its parts, and the two ASGI messages made of them."""

    __slots__ = ("asgi_body", "asgi_start", "body", "headers", "status")

    def __init__(self, status: int, text: str, *headers: tuple[bytes, bytes], content_type: bytes = _TEXT) -> None:
        self.body = text.encode()
        self.status = status
        self.headers = ((b"content-type", content_type), (b"content-length", str(len(self.body)).encode()), *headers)
        self.asgi_start = {"type": "http.response.start", "status": status, "headers": self.headers}
        self.asgi_body = {"type": "http.response.body", "body": self.body}


ACCEPTED: Final = HttpResponse(200, "")  # no body: Intercom ignores it, and it would be a second write to the socket
HEALTHY: Final = HttpResponse(200, '{"state":"OK"}', content_type=_JSON)  # the answer that Intercom's health check wants
HEALTH_UNKNOWN: Final = HttpResponse(200, '{"state":"UNKNOWN"}', content_type=_JSON)  # for a workspace that is not configured
HELLO: Final = HttpResponse(200, "")  # to HEAD, by which Intercom validates the address, and to a person's GET
UNSIGNED: Final = HttpResponse(
    401, "signature missing or wrong: it has to be made of the raw body with the app's client secret\n"
)
WRONG_APP: Final = HttpResponse(401, "this workspace is configured for another app than the one that signed\n")
TOO_LARGE: Final = HttpResponse(413, "body larger than 1 MiB, or than 4 MiB once inflated\n")
WRONG_METHOD: Final = HttpResponse(405, "POST a webhook here\n", (b"allow", b"POST, GET, HEAD"))
OVERLOADED: Final = HttpResponse(429, "more posts at a time than the configured ceiling\n", (b"retry-after", b"1"))
UNAVAILABLE: Final = HttpResponse(503, "neither Kafka nor the spool can keep this post now\n")

RESPONSES: Final = (
    ACCEPTED, HEALTHY, HEALTH_UNKNOWN, HELLO, UNSIGNED, WRONG_APP, TOO_LARGE, WRONG_METHOD, OVERLOADED, UNAVAILABLE,
)  # fmt: skip


class Endpoint:
    """Answers the posts of one process. `counters` counts every response and the outcome of every post."""

    def __init__(
        self,
        *,
        keyring: Keyring,
        router: Router,
        writer: DurableWriter,
        counters: IngressCounters,
        ceiling: int = 0,
        tracer: PostTracer | None = None,
    ) -> None:
        self._keyring = keyring
        self._router = router
        self._writer = writer
        self._counters = counters
        self._ceiling = ceiling
        self._tracer = tracer
        self._in_progress = 0

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        try:
            response = await self._respond(scope, receive)
        except ClientDisconnected:
            self._counters.disconnected()
            return
        self._counters.answered(response.status, time.perf_counter() - started)
        await send(response.asgi_start)
        await send(response.asgi_body)

    def handle(
        self, headers: Mapping[bytes, bytes], body: bytes, started: float, respond: Callable[[HttpResponse], None]
    ) -> None:
        """Handle a complete webhook; call `respond` once, now or when it is persisted. `started` is by `time.perf_counter`."""
        routed = OVERLOADED if self._overloaded() else self._verify_and_route(headers, body)
        if isinstance(routed, HttpResponse):
            self._counters.answered(routed.status, time.perf_counter() - started)
            respond(routed)
            return
        self._in_progress += 1

        def on_written(error: Exception | None) -> None:
            self._in_progress -= 1
            response = self._response(routed, error)
            self._counters.answered(response.status, time.perf_counter() - started)
            respond(response)

        self._writer.write_then(routed.records, on_written)

    def client_disconnected(self) -> None:
        """Count a sender that disconnected before its post was complete."""
        self._counters.disconnected()

    async def _respond(self, scope: Any, receive: Receive) -> HttpResponse:
        method = scope["method"]
        if method != "POST":
            return HELLO if method in ("HEAD", "GET") else WRONG_METHOD
        if self._overloaded():
            return OVERLOADED
        self._in_progress += 1
        try:
            return await self._handle_post(scope, receive)
        finally:
            self._in_progress -= 1

    async def _handle_post(self, scope: Any, receive: Receive) -> HttpResponse:
        headers = {name: value for name, value in scope["headers"] if name in _HEADERS_READ}
        if not is_signed(headers):
            return UNSIGNED
        try:
            body = await read_body(receive, headers.get(b"content-length"))
        except BodyTooLarge:
            return TOO_LARGE
        routed = self._verify_and_route(headers, body)
        if isinstance(routed, HttpResponse):
            return routed
        try:
            await self._writer.write(routed.records)
        except CannotPersist as error:
            return self._response(routed, error)
        return self._response(routed, None)

    def _overloaded(self) -> bool:
        return bool(self._ceiling) and self._in_progress >= self._ceiling

    def _verify_and_route(self, headers: Mapping[bytes, bytes], body: bytes) -> RoutedPost | HttpResponse:
        """Verify and route; return the records to persist, or the response that refuses the post.

        One right signature is enough, for it covers the whole body; it also decides what the post is.
        """
        for scheme in SCHEMES:
            signature = headers.get(scheme.header)
            if signature is not None and (signers := self._keyring.signers(scheme, body, signature)):
                return self._route(scheme, _post_of(body, signers, headers))
        return UNSIGNED

    def _response(self, routed: RoutedPost, error: Exception | None) -> HttpResponse:
        if routed.span is not None:
            status = ACCEPTED.status if error is None else UNAVAILABLE.status
            routed.span.end(status, name=routed.name, topic=routed.records[0].topic)
        if error is not None:
            self._counters.refused(str(error))
            return UNAVAILABLE
        self._counters.accepted(routed)
        if routed.quarantine is Quarantine.CALLBACK:
            return HEALTHY if routed.configured else HEALTH_UNKNOWN
        return ACCEPTED

    def _route(self, scheme: Scheme, post: AuthenticPost) -> RoutedPost | HttpResponse:
        if self._tracer is None:
            return self._route_untraced(scheme, post)
        span = self._tracer.begin(post.trace_parent)
        routed = self._route_untraced(scheme, post._replace(trace_parent=span.trace_parent or post.trace_parent))
        if isinstance(routed, HttpResponse):
            span.end(routed.status)
            return routed
        return routed._replace(span=span)

    def _route_untraced(self, scheme: Scheme, post: AuthenticPost) -> RoutedPost | HttpResponse:
        now = time.time_ns() // 1_000_000
        try:
            return self._router.webhook(post, now) if scheme is WEBHOOK else self._router.callback(post, now)
        except TooLarge:
            return TOO_LARGE
        except WrongApp:
            return WRONG_APP


def is_signed(headers: Mapping[bytes, bytes]) -> bool:
    """Return whether the headers have a signature of either kind; without one the body need not be read."""
    return WEBHOOK.header in headers or CALLBACK.header in headers


def _post_of(body: bytes, signers: frozenset[str], headers: Mapping[bytes, bytes]) -> AuthenticPost:
    encoding = headers.get(b"content-encoding", b"").strip().lower()
    return AuthenticPost(
        body=body,
        signers=signers,
        content_type=headers.get(b"content-type"),
        encoding=None if encoding in (b"", b"identity") else b"gzip" if encoding == b"x-gzip" else encoding,
        trace_parent=headers.get(b"traceparent"),
    )
