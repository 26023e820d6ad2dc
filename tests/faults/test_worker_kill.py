"""Workers killed at random moments: people match the events, and no public topic has an event twice.

A short run; `scripts/faults --kind kills` has a long one.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from connectors.intercom.ingress.routing import AuthenticPost, Router
from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.codec import Avro
from schemas.message import header
from schemas.partition import partition_of
from schemas.tenancy import App, Secret, Tenancy, Tenant, Workspace
from streams.supervise.self_process import argv
from tests.faults.fleet import Fleet
from tests.support.config import config_text, write_config
from tests.support.counting_agent import producing, read_all
from tests.support.histories import contact_events
from tests.support.oracle import people_of

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(600)]

SHORT, LONG = (8_000, 600, 5), (20_000, 1_500, 10)
"""Events, contacts, and kills."""
APP = "abc12345"
PUBLIC = ("people", "people.changes", "memberships")
TENANCY = Tenancy.of(
    [App(name="support", client_secrets=(Secret("s"),))],
    [Tenant(id="acme", workspaces=(Workspace(app_id=APP, app="support"),))],
)


@contextlib.contextmanager
def fleet_of(folder: Path, kafka: str, prefix: str) -> Iterator[Fleet]:
    text = config_text(
        kafka={"bootstrap": kafka, "topic_prefix": prefix},
        worker={"session_timeout_ms": 6_000, "batch_records": 100},
        tenants={"acme": {APP: "support"}},
    )
    command = argv(str(write_config(folder, text)), "worker")
    fleet = Fleet(command[1:], folder, {"KAFKA_BOOTSTRAP": kafka, "SCHEMA_REGISTRY_URL": ""})
    try:
        yield fleet
    finally:
        fleet.close()


@pytest.fixture
def workers(kafka: str, prefix: str, tmp_path: Path) -> Iterator[Fleet]:
    with fleet_of(tmp_path, kafka, prefix) as fleet:
        yield fleet


@contextlib.asynccontextmanager
async def feed_events(settings: KafkaSettings, bodies: list[bytes]) -> AsyncIterator[asyncio.Task[None]]:
    """Write the events as the ingress would, slowly enough that workers are killed meanwhile."""
    router = Router(TENANCY, settings.topic)

    async def feed() -> None:
        async with producing(settings, linger_ms=5) as producer:
            for number, body in enumerate(bodies):
                for record in router.webhook(AuthenticPost(body, frozenset({"support"})), now=0).records:
                    partition = partition_of(record.key, settings.partitions)
                    await producer.send(
                        record.topic, record.value, key=record.key, partition=partition, headers=list(record.headers)
                    )
                if number % 100 == 0:
                    await asyncio.sleep(0.1)

    task = asyncio.create_task(feed())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def latest_people(settings: KafkaSettings) -> dict[str, dict[str, object]]:
    avro = Avro.local()
    latest: dict[str, dict[str, object]] = {}
    for record in await read_all(settings, "people"):
        latest[record.key.decode()] = avro.decode(record.value)[1] if record.value else {}
    return {key: value for key, value in latest.items() if value}


async def test_kills_while_events_arrive_change_nothing(kafka: str, prefix: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"repeat with seed {seed}")  # noqa: T201  # shown by pytest when the test fails
    with fleet_of(tmp_path, kafka, prefix) as workers:
        await kills_change_nothing(KafkaSettings(bootstrap=kafka, topic_prefix=prefix), workers, SHORT, seed)


async def kills_change_nothing(settings: KafkaSettings, workers: Fleet, size: tuple[int, int, int], seed: int) -> None:
    """Feed so many events about so many contacts, kill workers meanwhile, and compare what is published."""
    events, contacts, kills = size
    chance = random.Random(seed)
    bodies = contact_events(events, contacts, seed, APP)
    expected = people_of(bodies, TENANCY)
    arriving = list(bodies) + chance.sample(bodies, events // 50)
    chance.shuffle(arriving)
    await topics.apply(settings)
    for _ in range(2):
        workers.start()
    async with feed_events(settings, arriving) as fed:
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(0.5, 5))
            assert workers.exit_codes() == [], workers.log_tails()
            workers.kill(chance.randrange(2))
            await asyncio.sleep(chance.uniform(0, 1))
            workers.start()
        await fed
    await wait_for_people(settings, expected)
    for topic in PUBLIC:
        ids = Counter(header(record.headers, "ce_id") for record in await read_all(settings, topic))
        assert [name for name, times in ids.items() if times > 1] == [], f"{topic}: an event twice"
    assert await read_all(settings, "dead.letters") == []


async def wait_for_people(settings: KafkaSettings, expected: dict[str, dict[str, object]]) -> None:
    deadline = asyncio.get_running_loop().time() + 240
    while (people := await latest_people(settings)) != expected:
        if asyncio.get_running_loop().time() > deadline:
            wrong = [key for key in expected.keys() | people.keys() if expected.get(key) != people.get(key)]
            pytest.fail(f"{len(wrong)} of {len(expected)} people differ from the oracle, for one {wrong[0]}")
        await asyncio.sleep(2)
