"""People of several records on a real broker: shuffled, repeated events and killed workers leave the bytes that follow from the set."""

import asyncio
import random
from collections import Counter

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.message import header
from tests.faults.fleet import Fleet
from tests.faults.test_worker_kill import APP, feed_events, workers  # noqa: F401  # a fixture
from tests.support.counting_agent import read_all
from tests.support.identity.histories import shared_history
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.tenancy import TENANCY

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(600)]

EVENTS, CONTACTS, KILLS = 3_000, 120, 3
LATEST = ("people", "people.aliases", "memberships")
PUBLIC = (*LATEST, "people.changes", "contact.read.requests")


def expected_values(bodies: list[bytes], seed: int) -> dict[str, dict[str, bytes]]:
    pipeline = LaggingPipeline(TENANCY, random.Random(seed))
    pipeline.post(*bodies)
    pipeline.run()
    return {topic: pipeline.latest(topic) for topic in LATEST}


async def latest_values(settings: KafkaSettings) -> dict[str, dict[str, bytes]]:
    values: dict[str, dict[str, bytes]] = {}
    for topic in LATEST:
        last = {record.key.decode(): record.value for record in await read_all(settings, topic)}
        values[topic] = {key: value for key, value in sorted(last.items()) if value is not None}
    return values


async def test_people_who_join_move_and_part_while_workers_are_killed_end_as_the_same_bytes(
    kafka: str,
    prefix: str,
    workers: Fleet,  # noqa: F811
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"repeat with seed {seed}")  # noqa: T201  # shown by pytest when the test fails
    chance = random.Random(seed)
    bodies = shared_history(seed, EVENTS, CONTACTS, (APP,))
    expected = expected_values(bodies, seed)
    assert len(expected["people.aliases"]) > CONTACTS // 10  # many are one person with others
    arriving = bodies + chance.sample(bodies, EVENTS // 5)
    chance.shuffle(arriving)
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    await topics.apply(settings)
    for _ in range(2):
        workers.start()
    async with feed_events(settings, arriving) as fed:
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.5, 3))
            assert workers.exit_codes() == [], workers.log_tails()
            workers.kill(chance.randrange(2))
            workers.start()
        await fed
    deadline = asyncio.get_running_loop().time() + 240
    while (found := await latest_values(settings)) != expected:
        if asyncio.get_running_loop().time() > deadline:
            wrong = {
                topic: [key for key in {*expected[topic], *found[topic]} if expected[topic].get(key) != found[topic].get(key)]
                for topic in LATEST
            }
            pytest.fail(f"these differ from what follows from the events: { {topic: keys[:3] for topic, keys in wrong.items()} }")
        await asyncio.sleep(2)
    for topic in PUBLIC:
        ids = Counter(header(record.headers, "ce_id") for record in await read_all(settings, topic))
        assert [name for name, times in ids.items() if times > 1] == [], f"{topic}: an event twice"
    assert await read_all(settings, "dead.letters") == []
