"""Connections that take too long or send too much are closed, and no others. A real server on a real socket."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from connectors.http import client_limits
from connectors.http.client_limits import LimitedProtocol
from tests.patience import DEADLINE_S
from tests.support.ingress import connected, exchange, request
from tests.support.uvicorn_server import served

pytestmark = pytest.mark.asyncio


async def _app(scope: Any, receive: Any, send: Any) -> None:
    """Read a body and answer with 200."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body"})


@pytest_asyncio.fixture
async def url(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    monkeypatch.setattr(client_limits, "REQUEST_SECONDS", 0.3)
    async with served(_app, LimitedProtocol) as address:
        yield address


async def is_closed(url: str, data: bytes) -> bool:
    """Send bytes and no more; return whether the server closes the connection without a response."""
    async with connected(url) as (reader, writer):
        writer.write(data)
        async with asyncio.timeout(DEADLINE_S):
            try:
                return await reader.read(1) == b""
            except ConnectionError:
                return True


@pytest.mark.parametrize(
    "data",
    [b"", b"POST / HT", b"POST / HTTP/1.1\r\nhost: x\r\n", request(b"short", {}, length=500),
     b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"],
    ids=["nothing", "half a line", "half the headers", "half the body", "an endless body"],
)  # fmt: skip
async def test_a_request_that_does_not_come_in_is_cut_off(url: str, data: bytes) -> None:
    assert await is_closed(url, data)


async def test_headers_without_end_are_cut_off(url: str) -> None:
    assert await is_closed(url, b"POST / HTTP/1.1\r\n" + b"x-filler: " + b"y" * (client_limits.HEADER_BYTES + 100_000))


async def test_a_request_without_end_is_cut_off(url: str) -> None:
    assert await is_closed(url, request(b"x" * (client_limits.REQUEST_BYTES + 1_000_000), {}, length=1 << 30))


async def test_a_connection_between_two_requests_is_left_alone(url: str) -> None:
    async with connected(url) as (reader, writer):
        assert await exchange(reader, writer, request(b"x" * 100_000, {})) == 200
        await asyncio.sleep(0.6)
        assert await exchange(reader, writer, request(b"again", {})) == 200


async def test_requests_sent_without_waiting_are_all_answered(url: str) -> None:
    async with connected(url) as (reader, writer):
        writer.write(request(b"x", {}) * 5)
        for _ in range(5):
            assert await exchange(reader, writer, b"") == 200
