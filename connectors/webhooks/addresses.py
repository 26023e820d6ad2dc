"""Which addresses may be connected to.

Without this, somebody who may configure an endpoint could have the product post to the metadata service of a cloud, to a database, or to itself.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: its last 32 bits are an IPv4 address


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
    return not in_the_clear and all(each.is_global and not each.is_multicast for each in meant or (address,))


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
