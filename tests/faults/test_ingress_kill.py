"""Answered 200 means never lost: the ingress is killed in the middle of 2,000 posts, with Kafka up and with Kafka down."""

import random
from pathlib import Path

import pytest

from tests.support.ingress import NOBODY, configured, ids, landed, make_topics, post_all, running
from tests.support.posts import notification

pytestmark = pytest.mark.asyncio
POSTS = 2000
MOMENTS = 10


async def posted_until(url: str, bodies: dict[str, bytes], enough: int, kill) -> set[str]:
    """Post until `enough` are answered, kill, continue until every connection ends; return the names answered 200."""
    answered: set[str] = set()
    async for name in post_all(url, bodies):
        answered.add(name)
        if len(answered) == enough:
            kill()
    return answered


@pytest.mark.parametrize("seed", range(MOMENTS))
@pytest.mark.parametrize("there", [True, False], ids=["kafka-there", "kafka-away"])
async def test_every_post_answered_200_is_in_the_topics_after_a_kill_and_a_restart(
    kafka: str, prefix: str, tmp_path: Path, seed: int, *, there: bool
) -> None:
    moment = random.Random(seed).randrange(1, POSTS)
    bodies = {f"notif_{number}": notification(number) for number in range(POSTS)}
    await make_topics(kafka, prefix, ["intercom.contacts"])
    with running(configured(tmp_path, kafka if there else NOBODY, prefix)) as first:
        answered = await posted_until(first.url, bodies, moment, first.kill)
    assert len(answered) >= moment
    with running(configured(tmp_path, kafka, prefix)) as second:
        rest = {name: body for name, body in bodies.items() if name not in answered}
        answered |= await posted_until(second.url, rest, POSTS, lambda: None)
        second.wait_until_drained()
    assert answered == set(bodies)
    records = await landed(kafka, prefix, ["intercom.contacts"])
    assert answered <= ids(records), f"seed {seed}: {len(answered - ids(records))} posts answered 200 are lost"
    assert {record.value for record in records} == set(bodies.values())
