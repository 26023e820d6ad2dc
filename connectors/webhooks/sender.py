"""Posts events to one endpoint: signed, within a time, to permitted addresses. Redirects are not followed: the next address would be anybody's.

The answer's status decides, by Standard Webhooks 1.0, "Webhook responses": 2xx accepts, 410 asks for no more, all else is tried again.
"""

import asyncio
import math
import ssl
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from email.utils import parsedate_to_datetime
from enum import StrEnum
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import httpcore
import httpx
import msgspec

from connectors.webhooks.addresses import networks
from connectors.webhooks.checked_backend import AddressRefused, CheckedBackend
from connectors.webhooks.explain import explained
from connectors.webhooks.signature import key_of, signature
from schemas.errors import BadConfiguration
from schemas.tenancy import WebhookEndpoint
from schemas.webhooks.posted import PostedEvent

TIMEOUT_S: Final = 15.0  # as Standard Webhooks recommends: for connecting, sending and the answer together
_CONNECTIONS: Final = 8
_IDLE_S: Final = 30.0
_READ: Final = 64 * 1024  # bytes of an answer's body that are read so that its connection can be used again
_READ_S: Final = 1.0  # … and for how long they are waited for
_BROKEN: Final = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError, TimeoutError)
_GONE: Final = 410
_OK: Final = range(200, 300)
_REDIRECT: Final = range(300, 400)
_OVERLOADED: Final = (408, 425, 429, 502, 503, 504)  # says nothing about the event: the endpoint is away or has too much to do
_LONGEST_WAIT_S: Final = 3600.0  # more than this of Retry-After is not believed


class WebhookResult(StrEnum):
    """What became of a post. Metrics have it as a label."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # answered, and the answer is about this event or this endpoint's code
    AWAY = "away"  # not answered, or overloaded
    GONE = "gone"  # 410: it wants no more events


class PostAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one post, why it failed, and how long (s) the endpoint asks to wait."""

    result: WebhookResult
    reason: str = ""
    retry_after_s: float = 0.0


class EndpointSender:
    """Connections to one endpoint. Raises BadConfiguration where its certificates file or secrets cannot be used."""

    def __init__(
        self, endpoint: WebhookEndpoint, agent: str, *, timeout_s: float = TIMEOUT_S, clock: Callable[[], float] = time.time
    ) -> None:
        self._url = endpoint.url.reveal()
        parts = urlsplit(self._url)
        self.host = parts.hostname or ""
        self._keys = tuple(key_of(secret) for secret in endpoint.secrets)
        self._headers = [("Content-Type", "application/json"), ("User-Agent", agent)]
        self._timeout_s, self._clock = timeout_s, clock
        backend = CheckedBackend(networks(endpoint.allow), in_the_clear=parts.scheme == "http")
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(endpoint.ca_file), max_connections=_CONNECTIONS, keepalive_expiry=_IDLE_S, network_backend=backend
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._pool)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._stack.aclose()

    async def post(self, event: PostedEvent) -> PostAnswer:
        """Post an event once. Raises nothing but a cancellation."""
        now = int(self._clock())
        headers = [
            *self._headers,
            ("webhook-id", event.id),
            ("webhook-timestamp", str(now)),
            ("webhook-signature", signature(self._keys, event.id, now, event.body)),
        ]
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(headers, event.body)
        except (AddressRefused, *_BROKEN) as error:
            return PostAnswer(result=WebhookResult.AWAY, reason=explained(error, self.host, self._timeout_s))

    async def _exchange(self, headers: list[tuple[str, str]], body: bytes) -> PostAnswer:
        async with self._pool.stream("POST", self._url, headers=headers, content=body) as response:
            with suppress(*_BROKEN):  # the status has been sent: only the connection is at stake
                async with asyncio.timeout(_READ_S):
                    await _read(response)
            return self._answer(response.status, dict(response.headers))

    def _answer(self, status: int, headers: dict[bytes, bytes]) -> PostAnswer:
        if status in _OK:
            return PostAnswer(result=WebhookResult.ACCEPTED)
        if status == _GONE:
            return PostAnswer(result=WebhookResult.GONE, reason=f"{self.host} answered 410: it wants no more events")
        if status in _REDIRECT:
            reason = f"{self.host} answered {status}, a redirect, which is not followed; put the final address into `url`"
            return PostAnswer(result=WebhookResult.REFUSED, reason=reason)
        after = _seconds(next((value for name, value in headers.items() if name.lower() == b"retry-after"), b""), self._clock())
        result = WebhookResult.AWAY if status in _OVERLOADED else WebhookResult.REFUSED
        return PostAnswer(result=result, reason=f"{self.host} answered {status}", retry_after_s=after)


async def _read(response: httpcore.Response) -> None:
    read = 0
    async for part in response.aiter_stream():
        read += len(part)
        if read > _READ:
            return


def _seconds(value: bytes, now: float) -> float:
    """Return what a Retry-After asks for: seconds, or a date; 0 for what is neither."""
    text = value.decode("latin-1").strip()
    try:
        seconds = float(text) if text.replace(".", "", 1).isdecimal() else parsedate_to_datetime(text).timestamp() - now
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), _LONGEST_WAIT_S) if math.isfinite(seconds) else 0.0


def _tls(ca_file: str) -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError) as error:
            raise BadConfiguration(
                f"ca_file {ca_file} cannot be used: {error.strerror or error}; it has to hold certificates in PEM"
            ) from error
    return context
