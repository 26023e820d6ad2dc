"""The connections to one workspace, spread over several HTTP clients.

A client's pool (httpcore 1.0) looks at all of its connections when a call begins and when it ends, and for each that is idle at all of them again. With
64 in one pool that was more work than the calls themselves.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx

_POOLS: Final = 8


class RestConnections:
    """HTTP clients; each call is made by the one that has the fewest under way."""

    def __init__(self, clients: Sequence[httpx.AsyncClient]) -> None:
        self._clients = clients
        self._under_way = [0] * len(clients)

    async def request(self, method: str, path: str, *, query: Sequence[tuple[str, str]], body: Any) -> httpx.Response:
        """Return the answer to a call, with its body."""
        number = min(range(len(self._clients)), key=self._under_way.__getitem__)
        self._under_way[number] += 1
        try:
            return await self._clients[number].request(method, path, params=list(query), json=body)
        finally:
            self._under_way[number] -= 1

    async def aclose(self) -> None:
        for client in self._clients:
            await client.aclose()


def connections(
    url: str, headers: Mapping[str, str], timeout: httpx.Timeout, *, most: int, transport: httpx.AsyncBaseTransport | None
) -> RestConnections:
    """Return connections for `most` calls at a time; a `transport` makes all calls in their place."""
    certificates = httpx.create_ssl_context()  # once for all: reading them takes 30 ms
    limits = httpx.Limits(max_connections=most, max_keepalive_connections=most // _POOLS)
    return RestConnections([
        httpx.AsyncClient(base_url=url, headers=headers, timeout=timeout, limits=limits, verify=certificates, transport=transport)
        for _ in range(_POOLS)
    ])  # fmt: skip
