"""Calls are spread over several clients, so that no pool has many connections to look at."""

import asyncio

import httpx
import pytest

from connectors.intercom.rest.connections import RestConnections

CLIENTS, CALLS = 4, 16


class Counted(httpx.AsyncBaseTransport):
    """Answers once it is let go; notes how many calls it had under way at most."""

    def __init__(self, go: asyncio.Event) -> None:
        self._go, self.now, self.most, self.closed = go, 0, 0, False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self._go.wait()
        finally:
            self.now -= 1
        if request.url.path == "/away":
            raise httpx.ConnectError("away")
        return httpx.Response(200, json={"path": request.url.path})

    async def aclose(self) -> None:
        self.closed = True


def spread(path: str) -> tuple[list[Counted], list[httpx.Response | BaseException]]:
    async def calls() -> tuple[list[Counted], list[httpx.Response | BaseException]]:
        go = asyncio.Event()
        transports = [Counted(go) for _ in range(CLIENTS)]
        spread = RestConnections([httpx.AsyncClient(base_url="http://intercom.example", transport=each) for each in transports])
        made = [asyncio.create_task(spread.request("GET", path, query=(), body=None)) for _ in range(CALLS)]
        while sum(each.now for each in transports) < CALLS:  # noqa: ASYNC110  # one step of the loop each, until all have begun
            await asyncio.sleep(0)
        go.set()
        first = await asyncio.gather(*made, return_exceptions=True)
        again = [asyncio.create_task(spread.request("GET", path, query=(), body=None)) for _ in range(CALLS)]
        await asyncio.gather(*again, return_exceptions=True)
        await spread.aclose()
        return transports, first

    return asyncio.run(calls())


@pytest.mark.parametrize("path", ["/me", "/away"])
def test_each_client_has_its_share_of_the_calls_also_after_some_have_failed(path: str) -> None:
    transports, _ = spread(path)
    assert [each.most for each in transports] == [CALLS // CLIENTS] * CLIENTS
    assert all(each.closed for each in transports)


def test_an_answer_is_that_of_the_call() -> None:
    _, answers = spread("/me")
    assert {each.json()["path"] for each in answers if isinstance(each, httpx.Response)} == {"/me"}
    _, failures = spread("/away")
    assert {type(each) for each in failures} == {httpx.ConnectError}
