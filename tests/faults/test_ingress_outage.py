"""Kafka stops answering in the middle of the traffic: posts are spooled and answered in time, and all of them arrive."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from connectors.local import LocalStack
from connectors.local import temporary_stack as running_stack
from tests.support.ingress import Ingress, configured, ids, landed, make_topics, post_all, running
from tests.support.posts import notification

pytestmark = pytest.mark.asyncio
POSTS = 1500
OUTAGE_FROM = 300
OUTAGE_TO = 1200


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalStack]:
    """A broker that only this module uses and stops."""
    with running_stack() as stack:
        yield stack


@asynccontextmanager
async def paused(stack: LocalStack) -> AsyncIterator[None]:
    """Freeze the broker: connections stay open without responses, as when a machine hangs."""
    await asyncio.to_thread(stack.pause_broker, 1)
    try:
        yield
    finally:
        await asyncio.to_thread(stack.resume_broker, 1)


@asynccontextmanager
async def down(stack: LocalStack) -> AsyncIterator[None]:
    """Kill the broker and restart it on its data."""
    await asyncio.to_thread(stack.kill_broker, 1)
    try:
        yield
    finally:
        await asyncio.to_thread(stack.start_broker, 1)


async def posted(ingress: Ingress, first: int, last: int) -> set[str]:
    bodies = {f"notif_{number}": notification(number) for number in range(first, last)}
    return {name async for name in post_all(ingress.url, bodies, connections=16)}


@pytest.mark.parametrize("outage", [paused, down])
async def test_posts_before_during_and_after_an_outage_are_all_answered_200_and_all_arrive(
    stack: LocalStack, prefix: str, tmp_path: Path, outage
) -> None:
    bootstrap = stack.addresses.kafka
    await make_topics(bootstrap, prefix, ["intercom.contacts"])
    with running(configured(tmp_path, bootstrap, prefix)) as ingress:
        answered = await posted(ingress, 0, OUTAGE_FROM)
        async with outage(stack):
            answered |= await posted(ingress, OUTAGE_FROM, OUTAGE_TO)
            assert ingress.ready()["kafka"] == "slow or away"
            assert ingress.metric("ingress_kept_total", where="spool") > 0
        answered |= await posted(ingress, OUTAGE_TO, POSTS)
        await asyncio.to_thread(ingress.wait_until_drained, 120)
        assert ingress.metric("ingress_refused_total") == 0
    assert len(answered) == POSTS
    assert answered <= ids(await landed(bootstrap, prefix, ["intercom.contacts"]))
