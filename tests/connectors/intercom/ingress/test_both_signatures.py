"""Which signature counts: either header on either path, each with its own algorithm. The real protocol, app and endpoint."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
import pytest_asyncio

from connectors.intercom.ingress.breaker import Breaker
from connectors.intercom.ingress.counters import IngressCounters
from connectors.intercom.ingress.durable_writer import DurableWriter
from connectors.intercom.ingress.endpoint import CALLBACK_PATH, WEBHOOK_PATH, Endpoint
from connectors.intercom.ingress.fast_path import FastPathProtocol
from connectors.intercom.ingress.routing import Router
from connectors.intercom.ingress.signature import CALLBACK, WEBHOOK, Keyring, sign
from connectors.kafka.publisher import MemoryPublisher
from connectors.spool.spool import Spool
from tests.support.posts import NEXT_SECRET, SALES_SECRET, SECRET, TENANCY, notification
from tests.support.uvicorn_server import served

pytestmark = pytest.mark.asyncio

BODY = notification()
SHA1 = sign(WEBHOOK, SECRET, BODY)
SHA256 = sign(CALLBACK, SECRET, BODY)
WRONG_SHA1 = sign(WEBHOOK, "wrong", BODY)
WRONG_SHA256 = sign(CALLBACK, "wrong", BODY)
AS_WEBHOOK = (200, ["intercom.contacts"])
AS_CALLBACK = (200, ["intercom.other"])
REFUSED = (401, list[str]())

CASES = {
    "a webhook": (SHA1, None, AS_WEBHOOK),
    "a webhook by the next secret": (sign(WEBHOOK, NEXT_SECRET, BODY), None, AS_WEBHOOK),
    "a callback": (None, SHA256, AS_CALLBACK),
    "a callback with a prefix": (None, f"sha256={SHA256}", AS_CALLBACK),
    "a callback by the next secret": (None, sign(CALLBACK, NEXT_SECRET, BODY), AS_CALLBACK),
    "both right": (SHA1, SHA256, AS_WEBHOOK),
    "the webhook's right, the callback's wrong": (SHA1, WRONG_SHA256, AS_WEBHOOK),
    "the webhook's right, the callback's empty": (SHA1, "", AS_WEBHOOK),
    "the webhook's wrong, the callback's right": (WRONG_SHA1, SHA256, AS_CALLBACK),
    "the webhook's malformed, the callback's right": ("garbage", SHA256, AS_CALLBACK),
    "both wrong": (WRONG_SHA1, WRONG_SHA256, REFUSED),
    "none": (None, None, REFUSED),
    "both empty": ("", "", REFUSED),
    "a webhook by a wrong secret": (WRONG_SHA1, None, REFUSED),
    "a callback by a wrong secret": (None, WRONG_SHA256, REFUSED),
    "a webhook by the other app": (sign(WEBHOOK, SALES_SECRET, BODY), None, REFUSED),
    "a callback by the other app": (None, sign(CALLBACK, SALES_SECRET, BODY), REFUSED),
    "SHA-256 in the webhook's header": (SHA256, None, REFUSED),
    "SHA-256 in the webhook's header, as sha256=": (f"sha256={SHA256}", None, REFUSED),
    "SHA-256 in the webhook's header, as sha1=": (f"sha1={SHA256}", None, REFUSED),
    "SHA-1 in the callback's header": (None, SHA1, REFUSED),
    "SHA-1 in the callback's header, bare": (None, SHA1.removeprefix("sha1="), REFUSED),
    "SHA-1 in the callback's header, as sha256=": (None, SHA1.replace("sha1", "sha256"), REFUSED),
    "both the wrong way round": (SHA256, SHA1, REFUSED),
}


class Site(NamedTuple):
    """A served endpoint, and what it published."""

    client: httpx.AsyncClient
    publisher: MemoryPublisher
    taken: list[str]  # by which way each post came

    async def post(self, path: str, way: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """Post with a declared length, which takes the fast path if it is signed, or in chunks, which are left to ASGI."""

        async def chunks() -> AsyncIterator[bytes]:
            yield body

        return await self.client.post(path, content=body if way == "fast" else chunks(), headers=headers)


class NotingApp:
    """The endpoint as an app, noting by which way it was called."""

    def __init__(self, endpoint: Endpoint, taken: list[str]) -> None:
        self.post_handler = self
        self.client_disconnected = endpoint.client_disconnected
        self._endpoint = endpoint
        self._taken = taken

    def handle(self, *values) -> None:
        self._taken.append("fast")
        self._endpoint.handle(*values)

    async def __call__(self, scope, receive, send) -> None:
        self._taken.append("asgi")
        await self._endpoint(scope, receive, send)


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    spool = Spool(tmp_path / "a.spool", max_bytes=1 << 24)
    await spool.open()
    breaker = Breaker()
    breaker.record_success(0)
    publisher, taken = MemoryPublisher(), list[str]()
    endpoint = Endpoint(
        keyring=Keyring(TENANCY.apps.values()),
        router=Router(TENANCY, str),
        writer=DurableWriter(publisher, spool, breaker),
        counters=IngressCounters(),
    )
    async with served(NotingApp(endpoint, taken), FastPathProtocol) as url, httpx.AsyncClient(base_url=url) as client:
        yield Site(client, publisher, taken)
    await spool.close()


@pytest.mark.parametrize("way", ["fast", "asgi"])
@pytest.mark.parametrize("path", [WEBHOOK_PATH, CALLBACK_PATH])
async def test_either_header_counts_on_either_path_and_never_the_wrong_way_round(site: Site, path: str, way: str) -> None:
    outcomes = {}
    for case, (hub, body_signature, _) in CASES.items():  # one server for all cases: starting one takes longer than they do
        sent = {"X-Hub-Signature": hub, "X-Body-Signature": body_signature}
        headers = {name: value for name, value in sent.items() if value is not None}
        response = await site.post(path, way, BODY, headers)
        outcomes[case] = (response.status_code, [record.topic for record in site.publisher.records])
        assert site.taken.pop() == (way if headers else "asgi"), case
        site.publisher.records.clear()
    assert outcomes == {case: expected for case, (_, _, expected) in CASES.items()}


HEALTH_CHECKS = (
    (b'{"workspace_id": "ws1"}', {"state": "OK"}),
    (b'{"app_id": "ws1"}', {"state": "OK"}),
    (b'{"workspace_id": "ws9"}', {"state": "UNKNOWN"}),
    (b'{"workspace_id": 7}', {"state": "UNKNOWN"}),
    (b"not json", {"state": "UNKNOWN"}),
)


@pytest.mark.parametrize("way", ["fast", "asgi"])
@pytest.mark.parametrize("path", [WEBHOOK_PATH, CALLBACK_PATH])
async def test_a_health_check_learns_whether_the_workspace_is_configured(site: Site, path: str, way: str) -> None:
    for body, state in HEALTH_CHECKS:
        response = await site.post(path, way, body, {"X-Body-Signature": sign(CALLBACK, SECRET, body)})
        assert (response.status_code, response.headers["content-type"], response.json()) == (200, "application/json", state)
    assert [record.value for record in site.publisher.records] == [body for body, _ in HEALTH_CHECKS]
    other_app = sign(CALLBACK, SALES_SECRET, HEALTH_CHECKS[0][0])
    assert (await site.post(path, way, HEALTH_CHECKS[0][0], {"X-Body-Signature": other_app})).status_code == 401
