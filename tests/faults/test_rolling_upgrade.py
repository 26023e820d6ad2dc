"""Workers of two releases replace each other, by stop and by kill, upgrade and downgrade: every event counts once.

The first test has two releases with different encodings of their tables, the second one replaces the product's own workers.
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
from tests.faults.test_worker_kill import APP, PUBLIC, TENANCY, feed_events, wait_for_people, workers  # noqa: F401  # a fixture
from tests.patience import DEADLINE_S
from tests.support.counting_agent import OUT, SOURCE, create_topics, producing, read_all, write
from tests.support.histories import contact_events
from tests.support.oracle import people_of
from tests.support.releases import NEW, OLD, Tally, agents_of

pytestmark = pytest.mark.asyncio

KEYS = [f"key{number}" for number in range(24)]
RELEASE_1, RELEASE_2, RELEASE_2_UPGRADED = ("1",), ("2",), ("2", "2")


@pytest.fixture
def fleet(tmp_path: Path, kafka: str, prefix: str) -> Iterator[Fleet]:
    processes = Fleet(["-m", "tests.faults.release_worker", kafka, prefix], tmp_path)
    yield processes
    processes.close()


@contextlib.asynccontextmanager
async def written_events(settings: KafkaSettings) -> AsyncIterator[Counter[str]]:
    """Write one event after the other until the end of the block, and count them."""
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


async def counts_by_key(settings: KafkaSettings) -> dict[str, list[int]]:
    """Return the counts of each key in the outputs, in order."""
    counts = defaultdict(list)
    for record in await read_all(settings, OUT):
        counts[record.key.decode().removesuffix("'")].append(int(record.value))
    return counts


async def wait_for_counts(settings: KafkaSettings, fleet: Fleet, expected: dict[str, int]) -> dict[str, list[int]]:
    """Wait until each key has at least so many counts."""
    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while True:
        counts = await counts_by_key(settings)
        if all(len(counts[key]) >= expected[key] for key in expected):
            return counts
        if asyncio.get_running_loop().time() > deadline:
            pytest.fail(f"the workers make no progress\n{fleet.log_tails()}")
        await asyncio.sleep(0.3)


async def wait_for_progress(settings: KafkaSettings, fleet: Fleet) -> None:
    """Wait until the running workers process every partition of both agents."""
    counts = await counts_by_key(settings)
    await wait_for_counts(settings, fleet, {key: len(counts[key]) + 1 for key in KEYS})


async def changelog_values(settings: KafkaSettings) -> dict[str, list[tuple[str, bytes]]]:
    """Return the values of each changelog key, in order; the commit states are under `|positions`."""
    rows = defaultdict(list)
    for agent in agents_of(2):
        for record in await read_all(settings, Naming().changelog(agent.name)):
            rows[f"{agent.name}/{record.key.decode()}"].append(record.value)
    return rows


def encodings_of(rows: dict[str, list[bytes]]) -> list[int]:
    return [positions.decode(data).encoding for name, found in rows.items() if name.endswith("|positions") for data in found]


async def test_releases_take_over_from_each_other_until_one_is_told_that_all_can_read_the_new_form(
    kafka: str, prefix: str, fleet: Fleet
) -> None:
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    await create_topics(settings, *agents_of(2))
    for _ in range(2):
        fleet.start(*RELEASE_1)
    async with written_events(settings) as written:
        await wait_for_progress(settings, fleet)
        # upgrade: one worker is replaced, the other one killed
        fleet.stop(0)
        fleet.start(*RELEASE_2)
        await wait_for_progress(settings, fleet)
        fleet.kill(1)
        await wait_for_progress(settings, fleet)  # release 1 alone, on what release 2 wrote
        # the whole upgrade, and back again
        fleet.start(*RELEASE_2)
        fleet.stop(0)
        await wait_for_progress(settings, fleet)
        fleet.start(*RELEASE_1)
        fleet.stop(0)
        await wait_for_progress(settings, fleet)
        assert set(encodings_of(await changelog_values(settings))) == {1}
        assert fleet.exit_codes() == []
        # encoding 2 configured too early: release 1 stops by itself without a change, and release 2 continues
        fleet.start(*RELEASE_2_UPGRADED)
        assert await asyncio.to_thread(fleet.running[0].wait, 60) == NEEDS_OPERATOR, fleet.log_tails()
        assert "a newer release wrote it" in fleet.log_tails()
        fleet.running.pop(0)
        await wait_for_progress(settings, fleet)
        # rows in encoding 2 stay in it, whatever the next worker's configuration
        fleet.start(*RELEASE_2)
        fleet.kill(0)
        await wait_for_progress(settings, fleet)
    counts = await wait_for_counts(settings, fleet, written)
    assert counts == {key: list(range(1, number + 1)) for key, number in written.items()}
    assert await read_all(settings, "dead.letters") == []
    await check_tables(written, settings)


async def check_tables(written: Counter[str], settings: KafkaSettings) -> None:
    rows = await changelog_values(settings)
    for key, number in written.items():
        counted, counted_again = rows[f"count/{key}"], rows[f"say/{key}'"]
        for encodings in ([data[0] for data in counted], [data[0] for data in counted_again]):
            assert encodings == sorted(encodings), "a row is upgraded once and never downgraded"
        before = max(OLD.decode(data) for data in counted if data[0] == 1)
        assert NEW.decode(counted[-1]) == NEW.decode(counted_again[-1]) == Tally(number, number - before)


def _first_exit_code(fleet: Fleet) -> int:
    deadline = time.monotonic() + DEADLINE_S
    while not fleet.exit_codes() and time.monotonic() < deadline:
        time.sleep(0.1)
    return fleet.exit_codes()[0]


async def test_the_product_s_workers_are_replaced_one_after_the_other(kafka: str, prefix: str, workers: Fleet) -> None:  # noqa: F811
    bodies = contact_events(1_000, 150, 7, APP)
    settings = KafkaSettings(bootstrap=kafka, topic_prefix=prefix)
    await topics.apply(settings)
    for _ in range(2):
        workers.start()
    async with feed_events(settings, list(bodies)) as fed:
        for _ in range(2):
            await asyncio.sleep(1)
            workers.stop(0)
            workers.start()
        await fed
    await wait_for_people(settings, people_of(bodies, TENANCY))
    assert workers.exit_codes() == []
    async with producing(settings) as producer:  # as if a later release had been configured too early
        await write(producer, settings, "person.patches", "profile", bytes([ENCODING + 1, 0x90]))
    assert await asyncio.to_thread(_first_exit_code, workers) == NEEDS_OPERATOR
    assert "a newer release wrote it" in workers.log_tails()
    for topic in PUBLIC:
        ids = Counter(header(record.headers, "ce_id") for record in await read_all(settings, topic))
        assert [name for name, times in ids.items() if times > 1] == [], f"{topic}: an event twice"
    assert await read_all(settings, "dead.letters") == []
