"""The fast path gives the same responses as ASGI, whatever comes before, after or in pieces. A real server."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest
import pytest_asyncio

from connectors.intercom.ingress.endpoint import ACCEPTED, UNSIGNED, HttpResponse
from connectors.intercom.ingress.fast_path import FastPathProtocol
from tests.patience import DEADLINE_S
from tests.support.ingress import connected, exchange
from tests.support.uvicorn_server import served

pytestmark = pytest.mark.asyncio


class App:
    """Accepts `kept` at once, refuses `wrong`, fails at `broken`, delays `later`; notes the path that each post took."""

    def __init__(self) -> None:
        self.post_handler = self
        self.received: list[tuple[str, bytes]] = []
        self.delayed: list[Callable[[HttpResponse], None]] = []
        self.disconnects = 0

    def handle(
        self, headers: Mapping[bytes, bytes], body: bytes, started: float, respond: Callable[[HttpResponse], None]
    ) -> None:
        self.received.append(("fast", body))
        if body == b"broken":
            raise RuntimeError("broken")
        if body == b"later":
            self.delayed.append(respond)
        else:
            respond(UNSIGNED if body == b"wrong" else ACCEPTED)

    def client_disconnected(self) -> None:
        self.disconnects += 1

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        self.received.append(("asgi", body + message.get("body", b"")))
        await send(ACCEPTED.asgi_start)
        await send(ACCEPTED.asgi_body)


@pytest.fixture
def app() -> App:
    return App()


@pytest_asyncio.fixture
async def url(app: App) -> AsyncIterator[str]:
    async with served(app, FastPathProtocol, timeout_keep_alive=1) as address:
        yield address


def post(body: bytes, *lines: str, path: str = "/webhooks/intercom", version: str = "1.1") -> bytes:
    head = (f"POST {path} HTTP/{version}", "host: x", "X-Hub-Signature: sha1=0", f"content-length: {len(body)}", *lines)
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


async def wait_until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110  # the server sets no event
            await asyncio.sleep(0.01)


async def test_a_post_that_is_all_there_goes_the_short_way_and_the_next_one_too(app: App, url: str) -> None:
    async with connected(url) as (reader, writer):
        assert await exchange(reader, writer, post(b"kept")) == 200
        assert await exchange(reader, writer, post(b"wrong")) == 401
    assert app.received == [("fast", b"kept"), ("fast", b"wrong")]


async def test_the_answer_is_the_one_that_uvicorn_would_write(url: str) -> None:
    async with connected(url) as (reader, writer):
        writer.write(post(b"kept"))
        short = await reader.readuntil(b"\r\n\r\n")
        writer.write(post(b"kept", path="/elsewhere"))
        long = await reader.readuntil(b"\r\n\r\n")
    assert _without_date(short) == _without_date(long)
    assert b"\r\ndate: " in short


def _without_date(head: bytes) -> list[bytes]:
    return [line for line in head.split(b"\r\n") if not line.startswith(b"date:")]


async def test_a_post_that_comes_in_pieces_is_put_together(app: App, url: str) -> None:
    data = post(b"k" * 5_000)
    async with connected(url) as (reader, writer):
        for piece in (data[:40], data[40:200], data[200:3_000]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        assert await exchange(reader, writer, data[3_000:]) == 200
    assert app.received == [("fast", b"k" * 5_000)]


@pytest.mark.parametrize(
    "data",
    [post(b"kept", path="/health"), post(b"kept", path="/webhooks/intercom?a=b"), post(b"kept", version="1.0"),
     post(b"kept").replace(b"X-Hub-Signature", b"X-Other"), post(b"k" * 100_000), post(b"kept", "expect: 100-continue"),
     b"POST /webhooks/intercom HTTP/1.1\r\nhost: x\r\nx-hub-signature: a\r\ntransfer-encoding: chunked\r\n\r\n4\r\nkept\r\n0\r\n\r\n"],
    ids=["another path", "a query", "HTTP/1.0", "no signature", "a large body", "100-continue", "no length"],
)  # fmt: skip
async def test_everything_else_is_left_to_uvicorn(app: App, url: str, data: bytes) -> None:
    async with connected(url) as (reader, writer):
        writer.write(data)
        await wait_until(lambda: bool(app.received))
        assert b"200" in await reader.readuntil(b"content-length: 0\r\n")
    assert [path for path, _ in app.received] == ["asgi"]


async def test_posts_sent_without_waiting_are_answered_in_their_order(app: App, url: str) -> None:
    async with connected(url) as (reader, writer):
        writer.write(post(b"later") + post(b"wrong") + post(b"kept"))
        await wait_until(lambda: bool(app.delayed))
        app.delayed[0](UNSIGNED)
        assert [await exchange(reader, writer, b"") for _ in range(3)] == [401, 200, 200]
    assert app.received == [("fast", b"later"), ("asgi", b"wrong"), ("asgi", b"kept")]


async def test_a_post_that_cannot_be_handled_is_answered_500_and_the_connection_closed(url: str) -> None:
    async with connected(url) as (reader, writer):
        assert await exchange(reader, writer, post(b"broken")) == 500
        assert await reader.read() == b""


async def test_a_sender_that_hangs_up_half_way_is_counted_and_one_that_does_not_wait_hurts_nobody(app: App, url: str) -> None:
    async with connected(url) as (_, writer):
        writer.write(post(b"kept")[:-1])
        await writer.drain()
        await asyncio.sleep(0.05)
    await wait_until(lambda: app.disconnects == 1)
    async with connected(url) as (_, writer):
        writer.write(post(b"later"))
        await wait_until(lambda: bool(app.delayed))
    await asyncio.sleep(0.05)
    app.delayed[0](ACCEPTED)
    async with connected(url) as (reader, writer):
        assert await exchange(reader, writer, post(b"kept")) == 200


async def test_a_connection_that_nobody_uses_any_more_is_closed(url: str) -> None:
    async with connected(url) as (reader, writer):
        assert await exchange(reader, writer, post(b"kept", "connection: keep-alive")) == 200
        async with asyncio.timeout(DEADLINE_S):
            assert await reader.read() == b""


async def test_a_sender_that_wants_the_connection_closed_gets_its_answer_first(url: str) -> None:
    async with connected(url) as (reader, writer):
        assert await exchange(reader, writer, post(b"kept", "connection: close")) == 200
        assert await reader.read() == b""
