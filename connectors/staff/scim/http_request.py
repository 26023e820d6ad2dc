"""Reads an HTTP request as the SCIM library wants it, whatever a client sends."""

import asyncio
from typing import Any, Final
from urllib.parse import parse_qsl

from scim2_models import PayloadTooLargeException, SCIMException
from scim2_server.requests import ScimRequest

PREFIX: Final = "/scim/v2"
BODY_LIMIT: Final = 4 << 20  # a group with its members is the largest; a user is 1 kB
_BODY_S: Final = 30.0


class ClientGone(Exception):  # named after what happened
    """The client hung up before its request was complete."""


class BodyTooSlow(SCIMException):
    """The body was not complete in time."""

    status = 408
    _default_detail = "the body did not arrive in time"


def head_of(scope: Any, public_url: str) -> ScimRequest:
    """Return the request without its body. `public_url` begins the addresses of resources; empty: as the client named the host."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    host = next((value for name, value in headers if name.lower() == "host"), "")
    root = public_url.rstrip("/") or f"{scope['scheme']}://{host}"
    return ScimRequest(
        method=scope["method"],
        base_url=f"{root}{PREFIX}",
        path=scope["path"].removeprefix(PREFIX) or "/",
        query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        headers=headers,
    )


async def read_body(receive: Any) -> bytes:
    """Return the body. Raises PayloadTooLargeException, BodyTooSlow, and ClientGone."""
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                body += message.get("body", b"")
                if len(body) > BODY_LIMIT:
                    raise PayloadTooLargeException(detail=f"the body has more than {BODY_LIMIT} bytes")
                if not message.get("more_body"):
                    return bytes(body)
    except TimeoutError:
        raise BodyTooSlow from None
