"""Reads a post's body up to a limit, whatever length the sender declares. `client_limits` bounds how long that may take."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

BODY_LIMIT: Final = 1 << 20  # Intercom's posts are a few kB
_LIMIT_DIGITS: Final = len(str(BODY_LIMIT))

Receive = Callable[[], Awaitable[Any]]


class BodyTooLarge(Exception):  # named after what happened
    """The body is larger than the limit; the rest of it is not read."""


class ClientDisconnected(Exception):  # named after what happened
    """The sender disconnected, or was disconnected, before the body was complete."""


async def read_body(receive: Receive, content_length: bytes | None) -> bytes:
    """Return the whole body. Raises `BodyTooLarge` or `ClientDisconnected`."""
    if content_length is not None and (len(content_length) > _LIMIT_DIGITS or int(content_length) > BODY_LIMIT):
        raise BodyTooLarge
    message = await receive()
    if not message.get("more_body"):
        return _chunk(message)
    body = bytearray(_chunk(message))
    while message.get("more_body"):
        message = await receive()
        body += _chunk(message)
        if len(body) > BODY_LIMIT:
            raise BodyTooLarge
    return bytes(body)


def _chunk(message: Any) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientDisconnected
    body: bytes = message.get("body", b"")
    if len(body) > BODY_LIMIT:
        raise BodyTooLarge
    return body
