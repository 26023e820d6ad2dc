"""Two runs over one history: whatever order events come in, how often, on how many workers and who is killed, the same bytes remain."""

import asyncio
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Sequence
from pathlib import Path

import click

from connectors.kafka import topics
from connectors.kafka.group_lag import group_lag
from connectors.kafka.settings import KafkaSettings
from connectors.local import temporary_stack
from schemas.message import header
from schemas.partition import partition_of
from streams.engine.naming import Naming
from streams.supervise.self_process import argv
from tests.faults.fleet import Fleet
from tests.support.config import config_text, write_config
from tests.support.counting_agent import producing, read_all
from tests.support.identity.histories import APPS
from tests.support.identity.mixed_history import Sent, mixed_history, shuffled

LATEST = ("people", "people.aliases", "orgs", "orgs.aliases", "memberships")
PUBLIC = (*LATEST, "people.changes", "orgs.changes", "contact.read.requests")
_READ = (
    "intercom.contacts", "intercom.companies", "person.records", "org.records", "identity.claims", "contact.assignments",
    "company.assignments", "person.assignments", "org.assignments", "membership.founders", "membership.edges", "person.patches",
    "org.patches",
)  # fmt: skip
_SOURCES = "".join(f'[[tenants.sources]]\nname = "{name}"\n' for name in ("crm", "billing"))
_EVENTS_A_CONTACT = 25
_QUIET_S = 600.0  # of a long run, without any progress
_MARKERS = 2  # offsets of transactions of a partition that a group which has read everything may seem to lag by

Latest = dict[str, dict[str, bytes]]


def fleet(folder: Path, settings: KafkaSettings) -> Fleet:
    """Return workers of an installation with two workspaces and two other systems, none of which is started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    text = config_text(
        kafka={"bootstrap": settings.bootstrap, "topic_prefix": settings.topic_prefix},
        worker={"session_timeout_ms": 6_000, "batch_records": 100},
        tenants={"acme": dict.fromkeys(APPS, "support")},
    )
    command = argv(str(write_config(folder, text + _SOURCES)), "worker")
    return Fleet(command[1:], folder, {"KAFKA_BOOTSTRAP": settings.bootstrap, "SCHEMA_REGISTRY_URL": ""})


async def run(
    settings: KafkaSettings, folder: Path, history: Sequence[Sent], chance: random.Random, *, workers: int, kills: int
) -> Fleet:
    """Feed a history to some workers of which so many are killed meanwhile, and return those that still run."""
    await topics.apply(settings)
    running = fleet(folder, settings)
    for _ in range(workers):
        running.start()
    feeding = asyncio.create_task(_feed(settings, history, chance))
    try:
        for _ in range(kills):
            await asyncio.sleep(chance.uniform(2, 6))
            assert running.exit_codes() == [], running.log_tails()
            running.kill(chance.randrange(workers))
            running.start()
        await feeding
    except BaseException:
        feeding.cancel()
        running.close()
        raise
    return running


async def _feed(settings: KafkaSettings, history: Sequence[Sent], chance: random.Random) -> None:
    """Write the records, those of other systems into any partition, as producers with another partitioner do. Raises where one is not written."""
    async with producing(settings, linger_ms=5, enable_idempotence=True) as producer:
        written: list[Awaitable[object]] = []
        for number, record in enumerate(history):
            home = partition_of(record.key, settings.partitions)
            partition = chance.randrange(settings.partitions) if record.topic.endswith(".records") else home
            headers = list(record.headers)
            topic = settings.topic(record.topic)
            written.append(await producer.send(topic, record.value, key=record.key, partition=partition, headers=headers))
            if number % 500 == 0:
                await asyncio.gather(*written, asyncio.sleep(0.1))
                written.clear()
        await asyncio.gather(*written)


async def latest(settings: KafkaSettings) -> Latest:
    """Return the last value of each key of the compacted topics, tombstones left out."""
    values: Latest = {}
    for topic in LATEST:
        last = {record.key.decode(): record.value for record in await read_all(settings, topic)}
        values[topic] = {key: value for key, value in sorted(last.items()) if value is not None}
    return values


async def until_equal(settings: KafkaSettings, expected: Latest, running: Fleet, seconds: float) -> None:
    """Wait until the topics have these values. Raises AssertionError with some that differ once nothing has changed for so long."""
    loop = asyncio.get_running_loop()
    before, deadline, began = {}, 0.0, loop.time()
    while (found := await latest(settings)) != expected:
        took = loop.time() - began
        assert running.exit_codes() == [], running.log_tails()
        if found != before:
            before, deadline = found, loop.time() + seconds
        if loop.time() > deadline:
            wrong = {
                topic: [key for key in {*expected[topic], *found[topic]} if expected[topic].get(key) != found[topic].get(key)]
                for topic in LATEST
            }
            raise AssertionError(f"these differ: { {topic: (len(keys), keys[:3]) for topic, keys in wrong.items()} }")
        await asyncio.sleep(max(2, took))  # the workers need the processors more than who looks
        began = loop.time()


async def until_quiet(settings: KafkaSettings, seconds: float) -> Latest:
    """Return the values once the agents have read everything and nothing changes any more. For so long something has to change."""
    names = [settings.topic(topic) for topic in _READ]
    markers = _MARKERS * settings.partitions * len(names)
    before: tuple[int, Latest] = (-1, {})
    deadline = 0.0
    async with group_lag(settings, Naming(prefix=settings.topic_prefix).group, *names) as lag:
        while True:
            await asyncio.sleep(5)
            behind, now = sum((await lag()).values()), before[1]
            if behind < markers and (now := await latest(settings)) == before[1]:
                return now
            if (behind, now) != before:
                before, deadline = (behind, now), asyncio.get_running_loop().time() + seconds
            assert asyncio.get_running_loop().time() < deadline, f"{behind} records are not read yet"


async def no_event_twice(settings: KafkaSettings) -> None:
    """Raise AssertionError where a public topic has an id twice, or something could not be understood."""
    for topic in PUBLIC:
        ids = Counter(header(record.headers, "ce_id") for record in await read_all(settings, topic))
        assert [name for name, times in ids.items() if times > 1] == [], f"{topic}: an event twice"
    assert await read_all(settings, "dead.letters") == []


def long_run(seed: int, events: int) -> None:
    """Feed one history in order to one worker, and shuffled with a fifth of it twice to three of which two are killed."""
    click.echo(f"seed {seed}: {events} events")
    history, folder = mixed_history(seed, events, events // _EVENTS_A_CONTACT), Path(tempfile.mkdtemp(prefix="runs-"))
    with temporary_stack() as stack:
        asyncio.run(_two_runs(stack.addresses.kafka, folder, history, random.Random(seed)))
    shutil.rmtree(folder)


async def _two_runs(bootstrap: str, folder: Path, history: list[Sent], chance: random.Random) -> None:
    one, three = (KafkaSettings(bootstrap=bootstrap, topic_prefix=f"{name}.") for name in ("one", "three"))
    started = time.monotonic()
    running = await run(one, folder / "one", history, chance, workers=1, kills=0)
    try:
        expected = await until_quiet(one, _QUIET_S)
    finally:
        running.close()
    click.echo(
        f"in order on one worker: { {topic: len(values) for topic, values in expected.items()} } in {time.monotonic() - started:.0f} s"
    )
    started = time.monotonic()
    running = await run(three, folder / "three", shuffled(history, chance), chance, workers=3, kills=2)
    try:
        await until_equal(three, expected, running, _QUIET_S)
        await no_event_twice(three)
    finally:
        running.close()
    click.echo(f"shuffled on three workers, two killed: the same bytes in {time.monotonic() - started:.0f} s")
