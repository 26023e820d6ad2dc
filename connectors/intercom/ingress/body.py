"""Reading a post's body up to a limit, whatever the sender says about its length. How long it may take is the guard's business."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

BODY_LIMIT: Final = 1 << 20  # Intercom's posts are a few kB

Receive = Callable[[], Awaitable[Any]]


class BodyTooLarge(Exception):  # it names what happened
    """Say that a body is larger than the limit; the rest of it is not read."""


class ClientDisconnected(Exception):  # it names what happened
    """Say that the sender hung up, or was cut off, before the body was complete."""


async def read_body(receive: Receive, content_length: bytes | None) -> bytes:
    """Return the whole body. Raises `BodyTooLarge` or `ClientDisconnected`."""
    if content_length is not None and (len(content_length) > 7 or int(content_length) > BODY_LIMIT):  # noqa: PLR2004  # digits of the limit
        raise BodyTooLarge
    message = await receive()
    if not message.get("more_body"):
        return _checked(message)
    body = bytearray(_checked(message))
    while message.get("more_body"):
        message = await receive()
        body += _checked(message)
        if len(body) > BODY_LIMIT:
            raise BodyTooLarge
    return bytes(body)


def _checked(message: Any) -> bytes:
    if message["type"] == "http.disconnect":
        raise ClientDisconnected
    body: bytes = message.get("body", b"")
    if len(body) > BODY_LIMIT:
        raise BodyTooLarge
    return body
