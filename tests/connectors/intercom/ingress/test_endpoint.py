"""The response to each kind of request, and the records it becomes: the real app with a real spool, Kafka in memory."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from connectors.intercom.ingress.body import BODY_LIMIT
from connectors.intercom.ingress.breaker import Breaker
from connectors.intercom.ingress.counters import IngressCounters
from connectors.intercom.ingress.durable_writer import DurableWriter
from connectors.intercom.ingress.endpoint import CALLBACK_PATH, RESPONSES, Endpoint
from connectors.intercom.ingress.routing import Router
from connectors.intercom.ingress.signature import CALLBACK, Keyring
from connectors.kafka.publisher import MemoryPublisher
from connectors.spool.spool import Spool
from schemas.message import header
from tests.support.posts import NEXT_SECRET, SALES_SECRET, SECRET, TENANCY, notification, signed

pytestmark = pytest.mark.asyncio


class Site:
    """An endpoint to post to."""

    def __init__(self, publisher: MemoryPublisher, spool: Spool, ceiling: int = 0) -> None:
        breaker = Breaker()
        breaker.record_success(0)
        self.publisher = publisher
        self.spool = spool
        self.endpoint = Endpoint(
            keyring=Keyring(TENANCY.apps.values()),
            router=Router(TENANCY, str),
            writer=DurableWriter(publisher, spool, breaker),
            counters=IngressCounters(),
            ceiling=ceiling,
        )
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.endpoint), base_url="http://ingress.example")

    async def post(
        self, body: bytes, headers: dict[str, str] | None = None, path: str = "/webhooks/intercom", **options: Any
    ) -> int:
        sent = signed(body) if headers is None else headers
        return (await self.client.post(path, content=body, headers=sent, **options)).status_code

    def published(self) -> list[tuple[str, bytes]]:
        return [(record.topic, record.value) for record in self.publisher.records]


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    spool = Spool(tmp_path / "a.spool", max_bytes=1 << 24)
    await spool.open()
    site = Site(MemoryPublisher(), spool)
    yield site
    await site.client.aclose()
    await spool.close()


@pytest.mark.parametrize("secret", [SECRET, NEXT_SECRET])
async def test_a_post_signed_with_either_live_secret_is_kept_byte_for_byte(site: Site, secret: str) -> None:
    body = notification()
    assert await site.post(body, signed(body, secret)) == 200
    assert site.published() == [("intercom.contacts", body)]


async def test_a_post_twice_is_accepted_twice(site: Site) -> None:
    assert [await site.post(notification()), await site.post(notification())] == [200, 200]


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-hub-signature": "sha1=" + "0" * 40}, {"x-hub-signature": "garbage"}, signed(notification(), "wrong secret"),
     signed(notification() + b" "), signed(notification(), "wrong secret", CALLBACK), signed(notification(), SALES_SECRET)],
)  # fmt: skip
async def test_a_post_without_the_right_signature_is_refused_and_nothing_of_it_is_kept(
    site: Site, headers: dict[str, str]
) -> None:
    assert await site.post(notification(), headers) == 401
    assert site.published() == []


@pytest.mark.parametrize(
    "body", [b"", b"\xff\x00", b"[]", b"not json", b"[" * 100_000, notification(app_id="nobody"), b"\x1f\x8b"]
)
async def test_an_authentic_post_that_is_not_understood_is_accepted_and_kept_apart(site: Site, body: bytes) -> None:
    assert await site.post(body) == 200
    assert site.published() == [("intercom.other", body)]


async def test_a_ping_is_answered_and_kept_apart(site: Site) -> None:
    assert await site.post(notification(topic="ping", id=None, item={"type": "ping"})) == 200
    assert site.published()[0][0] == "intercom.other"


@pytest.mark.parametrize("method", ["HEAD", "GET"])
async def test_intercom_may_look_whether_the_address_is_there(site: Site, method: str) -> None:
    assert (await site.client.request(method, "/webhooks/intercom")).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_told_which_ones_there_are(site: Site, method: str) -> None:
    answer = await site.client.request(method, "/webhooks/intercom")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, GET, HEAD")


async def test_no_answer_is_410_because_that_would_disable_the_subscription() -> None:
    assert {answer.status for answer in RESPONSES} == {200, 401, 405, 413, 429, 503}


async def test_a_body_up_to_the_limit_is_kept_and_one_beyond_it_is_refused(site: Site) -> None:
    fits = notification(item={"id": "c1", "pad": ""})
    fits = notification(item={"id": "c1", "pad": "x" * (BODY_LIMIT - len(fits))})
    assert len(fits) == BODY_LIMIT
    assert await site.post(fits) == 200
    assert await site.post(fits + b" ") == 413


async def test_the_limit_holds_for_bodies_of_unknown_length(site: Site) -> None:
    async def chunks(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b" " * 65_536

    headers = signed(b" " * 65_536 * 16)
    assert (await site.client.post("/webhooks/intercom", content=chunks(16), headers=headers)).status_code == 200
    assert (await site.client.post("/webhooks/intercom", content=chunks(17), headers=headers)).status_code == 413


async def test_a_compressed_post_is_kept_compressed_and_the_signature_covers_it_so(site: Site) -> None:
    packed = gzip.compress(notification(4))
    assert await site.post(packed, signed(packed, **{"content-encoding": "gzip"})) == 200
    (record,) = site.publisher.records
    assert (record.topic, record.key, record.value) == ("intercom.contacts", b"ws1:c4", packed)
    assert header(record.headers, "content-encoding") == "gzip"


async def test_a_post_that_inflates_beyond_all_measure_is_refused(site: Site) -> None:
    bomb = gzip.compress(b"0" * (8 << 20))
    assert await site.post(bomb, signed(bomb, **{"content-encoding": "gzip"})) == 413


async def test_callbacks_have_their_own_signature_on_either_path(site: Site) -> None:
    body = b'{"app_id": "ws1"}'
    assert await site.post(body, signed(body, SECRET, CALLBACK), CALLBACK_PATH) == 200
    assert await site.post(body, signed(body, SECRET, CALLBACK)) == 200
    assert site.published() == [("intercom.other", body)] * 2


async def test_a_post_goes_to_the_spool_when_kafka_is_away_and_is_answered_200(site: Site) -> None:
    site.publisher.outage = "away"
    assert await site.post(notification()) == 200
    assert [record.value for group in await site.spool.read(0, 1) for record in group.records] == [notification()]


async def test_a_post_that_cannot_be_kept_is_answered_503_and_the_next_one_200(site: Site) -> None:
    site.publisher.outage, site.spool._max_bytes = "away", 0
    assert await site.post(notification()) == 503
    site.publisher.outage = ""
    assert await site.post(notification()) == 200


async def test_only_above_the_configured_ceiling_there_is_a_429(site: Site) -> None:
    site.publisher.gate = asyncio.Event()
    limited = Site(site.publisher, site.spool, ceiling=2)
    posts = [asyncio.create_task(limited.post(notification(number))) for number in range(5)]
    while sum(post.done() for post in posts) < 3:  # noqa: ASYNC110  # nothing sets an event
        await asyncio.sleep(0.001)
    site.publisher.gate.set()
    assert sorted([await post for post in posts]) == [200, 200, 429, 429, 429]
    assert await limited.post(notification()) == 200
    await limited.client.aclose()
