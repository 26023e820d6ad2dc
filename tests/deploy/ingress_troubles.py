"""What is wrong with an ingress when an alert fires: done to a process of it, by posts over HTTP, without or with a real Kafka."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from connectors.intercom.ingress.app import IngressProcess
from connectors.intercom.ingress.config import IngressConfig
from connectors.intercom.ingress.endpoint import WEBHOOK_PATH
from connectors.kafka.settings import KafkaSettings
from connectors.observability.metrics import (
    INGRESS_BREAKER_OPEN,
    INGRESS_SPOOL_ASIDE,
    INGRESS_SPOOL_BYTES,
    INGRESS_TOPICS_MISSING,
)  # fmt: skip
from tests.patience import DEADLINE_S
from tests.support.posts import TENANCY, notification, signed

NOBODY = "127.0.0.1:1"  # a bootstrap server that does not answer
SMALL_SPOOL = 600_000


class Trouble(NamedTuple):
    """What to do at each look at the metrics, and before the start to the spool's folder."""

    act: Callable[["WatchedIngress"], Awaitable[None]]
    before: Callable[[Path], None] = lambda _: None
    with_kafka: bool = False


class WatchedIngress:
    """A process of an ingress."""

    def __init__(self, process: IngressProcess, client: httpx.AsyncClient) -> None:
        self.process = process
        self.client = client
        self._posted = 0

    async def posts(self, count: int = 1, *, size: int = 10, secret: str | None = None, app_id: str = "ws1") -> list[int]:
        """Post bodies of about that size; return the answers."""
        bodies = []
        for _ in range(count):
            self._posted += 1
            bodies.append(notification(self._posted, app_id=app_id, padding="x" * size))
        headers = [signed(body) if secret is None else signed(body, secret) for body in bodies]
        answers = [self.client.post(WEBHOOK_PATH, content=body, headers=each) for body, each in zip(bodies, headers, strict=True)]
        return [answer.status_code for answer in await asyncio.gather(*answers)]

    async def page(self) -> str:
        return (await self.client.get("/metrics")).text


@asynccontextmanager
async def watched(kafka: KafkaSettings, spool: Path) -> AsyncIterator[WatchedIngress]:
    config = IngressConfig(host="127.0.0.1", port=0, tenancy=TENANCY, kafka=kafka, spool=spool, spool_max_bytes=SMALL_SPOOL)
    process = IngressProcess(config, 0)
    async with (
        process.running() as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://ingress", timeout=DEADLINE_S) as client,
    ):
        yield WatchedIngress(process, client)
    for gauge in (INGRESS_BREAKER_OPEN, INGRESS_SPOOL_ASIDE, INGRESS_SPOOL_BYTES, INGRESS_TOPICS_MISSING):
        gauge.set_function(lambda: 0.0)  # the registry is that of all tests


async def fills_its_spool(ingress: WatchedIngress) -> None:
    while 503 not in await ingress.posts(5, size=100_000):
        pass


async def nearly_fills_its_spool(ingress: WatchedIngress) -> None:
    await ingress.posts(1, size=SMALL_SPOOL * 9 // 10)


async def has_no_kafka(ingress: WatchedIngress) -> None:
    await ingress.posts()


async def looks_for_topics(ingress: WatchedIngress) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not ingress.process.publisher.missing_topics:  # noqa: ASYNC110  # it sets no event
            await asyncio.sleep(0.05)


async def gets_wrong_signatures(ingress: WatchedIngress) -> None:
    assert set(await ingress.posts(6, secret="another")) == {401}


async def is_slow(ingress: WatchedIngress) -> None:
    ingress.process._counters.answered(200, 2.0)


async def gets_strangers(ingress: WatchedIngress) -> None:
    await ingress.posts(app_id="nobody")


async def nothing(_: WatchedIngress) -> None:
    """It happened before the start."""


def damage(spool: Path) -> None:
    spool.mkdir()
    (spool / "ingress-0.spool").write_bytes(b"SQLite format 3\0" + b"damaged" * 200)


TROUBLES = {
    "IngressRefusesPosts": Trouble(fills_its_spool),
    "IngressSpoolNearlyFull": Trouble(nearly_fills_its_spool),
    "IngressSpoolDamaged": Trouble(nothing, damage),
    "IngressWithoutKafka": Trouble(has_no_kafka),
    "IngressTopicsMissing": Trouble(looks_for_topics, with_kafka=True),
    "IngressRefusesSignatures": Trouble(gets_wrong_signatures),
    "IngressSlow": Trouble(is_slow),
    "PostsInQuarantine": Trouble(gets_strangers),
}
