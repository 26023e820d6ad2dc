"""Workers of two releases take over from each other, by hand-over and by kill, forwards and back: every event counts once.

The first test is about two releases with tables of different forms, the second one about the product's own workers being replaced.
"""

import asyncio
import contextlib
import itertools
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from connectors.kafka import topics
from connectors.kafka.settings import KafkaSettings
from schemas.message import header
from schemas.versioned import ENCODING
from streams.engine.naming import Naming
from streams.engine.tables import commit_state as positions
from streams.supervise.self_process import NEEDS_OPERATOR
from tests.faults.fleet import Fleet
from tests.faults.test_worker_kill import APP, PUBLIC, TENANCY, feeding, settled, workers  # noqa: F401  # a fixture
from tests.support.counting_agent import OUT, SOURCE, create_topics, producing, read_all, write
from tests.support.histories import contact_events
from tests.support.oracle import people_of
from tests.support.releases import NEW, OLD, Tally, agents_of

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(300)]

KEYS = [f"key{number}" for number in range(24)]
RELEASE_1, RELEASE_2, RELEASE_2_TOLD = ("1",), ("2",), ("2", "2")


@pytest.fixture
def fleet(tmp_path: Path, kafka: str, prefix: str) -> Iterator[Fleet]:
    found = Fleet(["-m", "tests.faults.release_worker", kafka, prefix], tmp_path)
    yield found
    found.close()


@contextlib.asynccontextmanager
async def events(settings: KafkaSettings) -> AsyncIterator[Counter[str]]:
    """Write one event after the other until the block is left, and count them."""
    written: Counter[str] = Counter()
    done = asyncio.Event()

    async def feed() -> None:
        async with producing(settings, linger_ms=5) as producer:
            for key in itertools.cycle(KEYS):
                if done.is_set():
                    return
                await write(producer, settings, SOURCE, key)
                written[key] += 1
                await asyncio.sleep(0.005)

    task = asyncio.create_task(feed())
    try:
        yield written
    finally:
        done.set()
        await task


async def said(settings: KafkaSettings) -> dict[str, list[int]]:
    """Return what was said of each key, in order."""
    found = defaultdict(list)
    for record in await read_all(settings, OUT):
        found[record.key.decode().removesuffix("'")].append(int(record.value))
    return found


async def until(settings: KafkaSettings, fleet: Fleet, expected: dict[str, int]) -> dict[str, list[int]]:
    """Wait until at least so much was said of each key."""
    deadline = asyncio.get_running_loop().time() + 60
    while True:
        found = await said(settings)
        if all(len(found[key]) >= expected[key] for key in expected):
            return found
        if asyncio.get_running_loop().time() > deadline:
            pytest.fail(f"the workers stand still\n{fleet.last_words()}")
        await asyncio.sleep(0.3)


async def all_work(settings: KafkaSettings, fleet: Fleet) -> None:
    """Wait until every partition of both agents goes on with whoever runs now."""
    now = await said(settings)
    await until(settings, fleet, {key: len(now[key]) + 1 for key in KEYS})


async def written_in(settings: KafkaSettings) -> dict[str, list[tuple[str, bytes]]]:
    """Return the changelogs' rows of each key, in order, and under the positions' key where tables stood."""
    rows = defaultdict(list)
    for agent in agents_of(2):
        for record in await read_all(settings, Naming().changelog(agent.name)):
            rows[f"{agent.name}/{record.key.decode()}"].append(record.value)
    return rows


def standings(rows: dict[str, list[bytes]]) -> list[int]:
    return [positions.decode(data).encoding for name, found in rows.items() if name.endswith("|positions") for data in found]


async def test_releases_take_over_from_each_other_until_one_is_told_that_all_can_read_the_new_form(
    kafka: str, prefix: str, fleet: Fleet
) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    await create_topics(settings, *agents_of(2))
    for _ in range(2):
        fleet.start(*RELEASE_1)
    async with events(settings) as written:
        await all_work(settings, fleet)
        # forwards: the first one is replaced, and killed
        fleet.leave(0)
        fleet.start(*RELEASE_2)
        await all_work(settings, fleet)
        fleet.kill(1)
        await all_work(settings, fleet)  # release 1 alone, on what release 2 wrote
        # on to the end, and back again
        fleet.start(*RELEASE_2)
        fleet.leave(0)
        await all_work(settings, fleet)
        fleet.start(*RELEASE_1)
        fleet.leave(0)
        await all_work(settings, fleet)
        assert set(standings(await written_in(settings))) == {1}
        assert fleet.died() == []
        # told too early: release 1 stops by itself, untouched, and the one that can goes on
        fleet.start(*RELEASE_2_TOLD)
        assert await asyncio.to_thread(fleet.running[0].wait, 60) == NEEDS_OPERATOR, fleet.last_words()
        assert "a newer release wrote it" in fleet.last_words()
        fleet.running.pop(0)
        await all_work(settings, fleet)
        # what is in the new form stays in it, whoever has been told
        fleet.start(*RELEASE_2)
        fleet.kill(0)
        await all_work(settings, fleet)
    found = await until(settings, fleet, written)
    assert found == {key: list(range(1, number + 1)) for key, number in written.items()}
    assert await read_all(settings, "dead.letters") == []
    await tables_are_those_of(written, settings)


async def tables_are_those_of(written: Counter[str], settings: KafkaSettings) -> None:
    rows = await written_in(settings)
    for key, number in written.items():
        counted, told = rows[f"count/{key}"], rows[f"say/{key}'"]
        for forms in ([data[0] for data in counted], [data[0] for data in told]):
            assert forms == sorted(forms), "a row goes up once and never down"
        before = max(OLD.decode(data) for data in counted if data[0] == 1)
        assert NEW.decode(counted[-1]) == NEW.decode(told[-1]) == Tally(number, number - before)


def _first_to_die(fleet: Fleet) -> int:
    deadline = time.monotonic() + 60
    while not fleet.died() and time.monotonic() < deadline:
        time.sleep(0.1)
    return fleet.died()[0]


async def test_the_product_s_workers_are_replaced_one_after_the_other(kafka: str, prefix: str, workers: Fleet) -> None:  # noqa: F811
    bodies = contact_events(1_000, 150, 7, APP)
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    await topics.apply(settings)
    for _ in range(2):
        workers.start()
    async with feeding(settings, list(bodies)) as fed:
        for _ in range(2):
            await asyncio.sleep(1)
            workers.leave(0)
            workers.start()
        await fed
    await settled(settings, people_of(bodies, TENANCY))
    assert workers.died() == []
    async with producing(settings) as producer:  # as if a release after this one had been told too early
        await write(producer, settings, "person.patches", "profile", bytes([ENCODING + 1, 0x90]))
    assert await asyncio.to_thread(_first_to_die, workers) == NEEDS_OPERATOR
    assert "a newer release wrote it" in workers.last_words()
    for topic in PUBLIC:
        ids = Counter(header(record.headers, "ce_id") for record in await read_all(settings, topic))
        assert [name for name, times in ids.items() if times > 1] == [], f"{topic}: an event twice"
    assert await read_all(settings, "dead.letters") == []
