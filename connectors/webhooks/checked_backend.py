"""Connects to permitted addresses only. The address is checked as it is connected to, so a name that is resolved to another one later helps nobody.

Apart from the rules, so that a process that only reads a configuration loads no HTTP client.
"""

import asyncio
import socket
from collections.abc import Sequence
from typing import Any

import httpcore

from connectors.webhooks.addresses import Network, permitted


class AddressRefused(Exception):  # named after what happened
    """No address of the host may be connected to; the text has the host's addresses and what would allow them."""


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to permitted addresses only. TLS still verifies the name of the URL."""

    def __init__(self, allowed: Sequence[Network], *, in_the_clear: bool) -> None:
        self._allowed, self._in_the_clear = allowed, in_the_clear
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None, socket_options: Any = None
    ) -> httpcore.AsyncNetworkStream:
        addresses = await _resolved(host, port)
        may = [each for each in addresses if permitted(each, self._allowed, in_the_clear=self._in_the_clear)]
        if not may:
            raise AddressRefused(self._refusal(host, addresses))
        for address in may[:-1]:
            try:
                return await self._connect(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._connect(may[-1], port, timeout, local_address, socket_options)

    async def _connect(
        self, address: str, port: int, timeout: float | None, local_address: str | None, socket_options: Any
    ) -> httpcore.AsyncNetworkStream:
        return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)

    def _refusal(self, host: str, addresses: Sequence[str]) -> str:
        found = ", ".join(addresses)
        if self._in_the_clear:
            return f"{host} is {found}, and plain http goes to networks of `allow` only; use https, or add its network to `allow`"
        return f"{host} is {found}, no public address; if it is meant, add its network to `allow` of the endpoint"


async def _resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a host in the resolver's order. Raises ConnectError where it has none."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise httpcore.ConnectError(f"the name {host} is not found") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
