"""Which addresses may be connected to. The address is checked as it is connected to, so a name that is resolved to another one later helps nobody.

Without this, somebody who may configure an endpoint could have the product post to the metadata service of a cloud, to a database, or to itself.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import Any, Final

import httpcore

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: its last 32 bits are an IPv4 address


class AddressRefused(Exception):  # named after what happened
    """No address of the host may be connected to; the text has the host's addresses and what would allow them."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return networks of texts like 10.1.0.0/16. Raises ValueError."""
    return tuple(ipaddress.ip_network(text) for text in texts)


def permitted(text: str, allowed: Sequence[Network], *, in_the_clear: bool = False) -> bool:
    """Return whether an address may be connected to: a public one, or one of the allowed networks.

    Only allowed ones where the connection is `in_the_clear`. An address that holds another one (IPv4 in IPv6) is as permitted as that one.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    meant = _embedded(address)
    if any(each in network for network in allowed for each in (address, *meant) if each.version == network.version):
        return True
    return not in_the_clear and all(each.is_global and not each.is_multicast for each in (*(meant or (address,)),))


def _embedded(address: Address) -> tuple[Address, ...]:
    if isinstance(address, ipaddress.IPv4Address):
        return ()
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        return (address, address.sixtofour)
    if address.teredo is not None:
        return (address, *address.teredo)
    if address in _NAT64:
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    return ()


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
