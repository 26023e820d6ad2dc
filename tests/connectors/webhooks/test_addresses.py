import asyncio

import httpcore
import pytest

from connectors.webhooks import checked_backend
from connectors.webhooks.addresses import networks, permitted
from connectors.webhooks.checked_backend import AddressRefused, CheckedBackend

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1",
    "2002:a00:1::1", "2002:7f00:1::",
]  # fmt: skip
PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused(address):
    assert not permitted(address, ())


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_permitted_but_not_in_the_clear(address):
    assert permitted(address, ())
    assert not permitted(address, (), in_the_clear=True)


@pytest.mark.parametrize(
    ("address", "allowed", "expected"),
    [
        ("10.1.2.3", "10.1.0.0/16", True), ("10.2.2.3", "10.1.0.0/16", False), ("::ffff:10.1.2.3", "10.1.0.0/16", True),
        ("fd00::7", "fd00::/8", True), ("10.1.2.3", "fd00::/8", False), ("127.0.0.1", "127.0.0.1/32", True),
    ],
)  # fmt: skip
def test_an_allowed_network_is_permitted_and_no_other(address, allowed, expected):
    assert permitted(address, networks([allowed])) is expected
    assert permitted(address, networks([allowed]), in_the_clear=True) is expected


@pytest.mark.asyncio
async def test_the_address_that_is_checked_is_the_one_that_is_connected_to(monkeypatch):
    """A name that is public when it is looked at and private when it is connected to has one look-up, and is refused by it."""
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    connected = []

    async def resolved(host, port):
        return next(answers)

    class Noting(httpcore.AsyncNetworkBackend):
        async def connect_tcp(self, host, port, *rest, **more):
            connected.append(host)
            raise httpcore.ConnectError("far away")

    monkeypatch.setattr(checked_backend, "_resolved", resolved)
    backend = CheckedBackend((), in_the_clear=False)
    backend._backend = Noting()
    with pytest.raises(httpcore.ConnectError):
        await backend.connect_tcp("rebinds.example", 443)
    with pytest.raises(AddressRefused, match=r"rebinds\.example is 127\.0\.0\.1"):
        await backend.connect_tcp("rebinds.example", 443)
    assert connected == ["93.184.216.34"]


@pytest.mark.asyncio
async def test_of_several_addresses_only_permitted_ones_are_tried(monkeypatch):
    connected = []

    async def resolved(host, port):
        return ["10.0.0.1", "93.184.216.34", "127.0.0.1", "8.8.8.8"]

    class Noting(httpcore.AsyncNetworkBackend):
        async def connect_tcp(self, host, port, *rest, **more):
            connected.append(host)
            raise httpcore.ConnectTimeout

    monkeypatch.setattr(checked_backend, "_resolved", resolved)
    backend = CheckedBackend((), in_the_clear=False)
    backend._backend = Noting()
    with pytest.raises(httpcore.ConnectTimeout):
        await asyncio.wait_for(backend.connect_tcp("several.example", 443), 30)
    assert connected == ["93.184.216.34", "8.8.8.8"]
