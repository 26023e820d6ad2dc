"""A backup of a working installation, the loss of its cluster, and a restore to another."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata

from connectors.kafka import topics
from connectors.kafka.fact_log import fact_record
from connectors.kafka.group_lag import group_lag
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord
from connectors.local import temporary_stack
from schemas.access.facts import Fact
from schemas.message import header
from schemas.topics import TOPICS
from streams.agents.topology import source_topics
from streams.engine.naming import Naming
from streams.engine.runner import Running, running
from streams.engine.tables import commit_state
from tests.patience import DEADLINE_S
from tests.streams.cli.at_work import company
from tests.streams.cli.installation import Installation, append_visibly
from tests.streams.cli.verbs.test_trace import AGENTS, records
from tests.support.company import AVRO, DAY, T0, admin
from tests.support.counting_agent import read_all
from tests.support.engines import QUICK, caught_up, latest, rows_of, until
from tests.support.intercom_bodies import AT, contact, posted

PARTITIONS = 2
CRM = "crm"
BROKEN = TopicRecord("intercom.contacts", b"abc12345:1", b"not JSON", [("ce_id", b"broken")])


def install(kafka: KafkaSettings, folder: Path) -> Installation:
    folder.mkdir()
    installation = Installation(kafka, folder, list(TOPICS))
    asyncio.run(topics.apply(kafka, Naming(prefix=kafka.topic_prefix).changelogs(AGENTS), only=[]))
    return installation


def posts(first: int, count: int) -> list[TopicRecord]:
    return [record for number in range(first, first + count) for record in records(_post(number))]


def _post(number: int) -> bytes:
    person = contact(f"c{number % 7}", updated=(AT + number) * 1000, email=f"ada{number % 5}@example.com", name=f"Ada {number}")
    return posted("contact.user.updated", person, at=AT + number, number=number)


def facts_of(*facts: Fact) -> list[TopicRecord]:
    return [TopicRecord("access.facts", *fact_record(AVRO, fact)) for fact in facts]


async def at_rest(kafka: KafkaSettings, work: Running) -> None:
    """Wait until the agents have read all that is on their topics, markers of transactions included."""
    sources = [kafka.topic(topic) for topic in source_topics()]
    async with group_lag(kafka, Naming(prefix=kafka.topic_prefix).group, *sources) as lags, asyncio.timeout(DEADLINE_S):
        while not (work.engine.ready.is_set() and caught_up(work)) or any((await lags()).values()):  # noqa: ASYNC110  # Kafka sets no event
            await asyncio.sleep(0.1)


async def worked(installation: Installation, *appended: list[TopicRecord]) -> dict[str, dict[str, bytes]]:
    """Append records one transaction after the other while the agents work; return their tables at rest, without positions."""
    async with running(AGENTS, kafka=installation.kafka, limits=QUICK) as work:
        await until(work.engine.ready.is_set, "tables are there")
        for each in appended:
            await append_visibly(installation.kafka, each)  # else the work may seem done before the records are seen
        await at_rest(installation.kafka, work)
        return {agent.name: {k: v for k, v in rows_of(work, agent.name).items() if k != commit_state.KEY} for agent in AGENTS}


async def commits(kafka: KafkaSettings, group: str, topic: str, offset: int) -> None:
    consumer = AIOKafkaConsumer(**kafka.client(), group_id=group, enable_auto_commit=False)
    async with consumer:
        place = TopicPartition(kafka.topic(topic), 0)
        consumer.assign([place])
        await consumer.commit({place: OffsetAndMetadata(offset, "")})


async def left_for(kafka: KafkaSettings, group: str, topic: str) -> list[str | None]:
    """Return the ids that a group has still to read of a topic's first partition."""
    consumer = AIOKafkaConsumer(**kafka.client(), group_id=group, enable_auto_commit=False, isolation_level="read_committed")
    async with consumer:
        place = TopicPartition(kafka.topic(topic), 0)
        consumer.assign([place])
        at = await consumer.committed(place)
    return [header(each.headers, "ce_id") for each in await read_all(kafka, topic) if each.partition == 0 and each.offset >= at]


def contents(installation: Installation, topic: str) -> list[Any]:
    """Return the records of a topic by partition, as they are, without their offsets."""
    return [
        (each.partition, each.timestamp, each.key, each.value, tuple(each.headers))
        for each in sorted(installation.read(topic), key=lambda each: (each.partition, each.offset))
    ]


Place = tuple[str, int, bytes]


async def tables(installation: Installation) -> dict[Place, bytes | None]:
    """Return the agents' rows as their changelogs have them, without positions: by agent, partition and key.

    Some rows stand once in each partition under the same key.
    """
    names, rows = Naming(prefix=installation.kafka.topic_prefix), dict[Place, bytes | None]()
    for agent in AGENTS:
        for record in await read_all(installation.kafka, names.changelog(agent.name)):
            rows[agent.name, record.partition, record.key] = record.value
    return {place: row for place, row in rows.items() if place[-1] != commit_state.KEY}


def differing(found: dict[Place, bytes | None], expected: dict[Place, bytes | None]) -> dict[Place, Any]:
    """Return the rows that differ: what was found, and what was expected."""
    return {
        place: (found.get(place), expected.get(place))
        for place in found.keys() | expected.keys()
        if found.get(place) != expected.get(place)
    }


def places(installation: Installation, topic: str) -> set[tuple[int, int]]:
    return {(each.partition, each.offset) for each in installation.read(topic)}


def test_after_the_loss_of_its_cluster_an_installation_continues_elsewhere_where_it_stood(
    kafka: str, prefix: str, tmp_path: Path
):
    with temporary_stack() as lost:
        old = install(KafkaSettings(bootstrap=lost.addresses.kafka, topic_prefix="old.", partitions=PARTITIONS), tmp_path / "old")
        before = asyncio.run(worked(old, posts(0, 40), facts_of(*company()), [BROKEN], posts(40, 20), facts_of(*later())))
        assert all(before[name] for name in ("contacts", "people", "identity", "access"))
        changes = [each for each in old.read("people.changes") if each.partition == 0]
        asyncio.run(commits(old.kafka, CRM, "people.changes", changes[len(changes) // 2].offset))
        unread = asyncio.run(left_for(old.kafka, CRM, "people.changes"))
        assert unread
        named = {name: places(old, name) for name in ("dead.letters", "access.facts")}
        assert all(named.values())
        kept = {name: contents(old, name) for name in TOPICS}
        (taken,) = old.printed("backup", str(tmp_path / "backup"))
        rows = asyncio.run(tables(old))  # by now each transaction that the backup waited for can be read
        assert taken["records"] >= sum(map(len, kept.values()))
    new = install_nothing(KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=4), tmp_path / "new")
    (restored,) = new.printed("restore", str(tmp_path / "backup"))
    assert restored["ledger"]["entries"] > 0
    for name, expected in kept.items():
        found = contents(new, name)
        assert (found[:-1] if name == "operations" else found) == expected, name
    for name, expected_places in named.items():
        assert places(new, name) ^ expected_places == set(), name
    assert asyncio.run(left_for(new.kafka, CRM, "people.changes")) == unread
    assert differing(asyncio.run(tables(new)), rows) == {}
    restored_tables = asyncio.run(worked(new))
    assert {**restored_tables, "access": {}} == {**before, "access": {}}  # a quarter of an hour may have passed, which is a fact
    assert contents(new, "people.changes") == kept["people.changes"]
    after = asyncio.run(worked(new, posts(60, 5)))
    assert after["people"] != before["people"]
    ids = [header(each.headers, "ce_id") for each in new.read("people.changes")]
    assert len(ids) == len(set(ids))


def install_nothing(kafka: KafkaSettings, folder: Path) -> Installation:
    folder.mkdir()
    return Installation(kafka, folder, [])


def later() -> list[Fact]:
    return [msgspec.structs.replace(admin("admin.removed", "7", at=T0 + 2 * DAY), app_id="abc12345")]


def test_a_backup_of_a_working_installation_lacks_nothing_that_its_tables_count_as_done(kafka: str, prefix: str, tmp_path: Path):
    """It is taken between transactions. What the tables had not come to is done after the restore; posts since then are made again."""
    old = install(KafkaSettings(bootstrap=kafka, topic_prefix=f"{prefix}old.", partitions=PARTITIONS), tmp_path / "old")
    chunks = [*(posts(first, 4) for first in range(0, 200, 4)), facts_of(*company())]
    new = install_nothing(KafkaSettings(bootstrap=kafka, topic_prefix=f"{prefix}new."), tmp_path / "new")

    async def work_and_back_up() -> None:
        work = asyncio.create_task(worked(old, *chunks))
        while not await read_all(old.kafka, "people.changes"):  # noqa: ASYNC110  # Kafka sets no event
            await asyncio.sleep(0.02)
        taken = await asyncio.to_thread(old.types, "backup", str(tmp_path / "backup"))
        assert taken.exit_code == 0, taken.exception
        await work

    asyncio.run(work_and_back_up())
    new.printed("restore", str(tmp_path / "backup"))
    assert len(contents(new, "intercom.contacts")) < len(contents(old, "intercom.contacts"))
    asyncio.run(worked(new, *chunks))
    published = [asyncio.run(latest(installation.kafka, "people")) for installation in (old, new)]
    assert published[0] == published[1]
    (again,) = new.printed("backup", str(tmp_path / "again"))
    assert again["records"]
    (checked,) = new.printed("restore", str(tmp_path / "again"), "--check")
    assert checked["ledger"]["entries"] > 0
