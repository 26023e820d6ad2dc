"""A thousand texts are purged in a running installation: afterwards they are in no topic, changelog or file, and all counts are as before."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from click.testing import CliRunner

from connectors import local
from connectors.kafka import topics
from connectors.kafka.admin import admin_client
from connectors.kafka.ranges import partitions_of
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from schemas.codec import Avro
from streams.agents.topology import agents_of
from streams.cli.main import root
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.engine.tables.rocksdb import RocksStores
from tests.patience import DEADLINE_S, PATIENT_CONTROLLER
from tests.support.config import config_text, write_config
from tests.support.engines import QUICK, caught_up, latest, until
from tests.support.intercom_bodies import posted
from tests.support.oracle import routed
from tests.support.tenancy import TENANCY

pytestmark = pytest.mark.asyncio

AVRO = Avro.local()
AGENTS = tuple(
    agent for agent in agents_of(TENANCY, AVRO) if agent.name in ("conversations", "happenings", "activities", "timelines")
)
DAY = 86_400
NOW = int(time.time())
OLD = NOW - 120 * DAY
PLANTED = re.compile(rb"planted-text-\d+")
TEXTS = 1_000
TIDY = {
    "log.cleaner.backoff.ms": "500",
    "log.retention.check.interval.ms": "1000",
    "log.initial.task.delay.ms": "100",
    **PATIENT_CONTROLLER,
}
SHORT = {"segment.ms": "4000", "file.delete.delay.ms": "100"}
COMPACTED = {**SHORT, "max.compaction.lag.ms": "4000", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "0"}
EXPIRING = {**SHORT, "retention.ms": "60000"}  # longer than an agent is away on a busy machine
PLAIN = {"compression.type": "uncompressed"}
RAW = ("intercom.conversations", "intercom.activities", "intercom.contacts", "intercom.companies")


def conversation(number, first, count, *, at, text="planted-text", contact="c"):
    """Return a post of a conversation with so many parts, each with a text of its own."""
    parts = [
        {"id": str(first + each), "part_type": "comment", "created_at": at + each, "body": f"<p>{text}-{first + each}</p>",
         "author": {"type": "user", "id": "c1"}}
        for each in range(count)
    ]  # fmt: skip
    item = {
        "type": "conversation", "id": str(number), "created_at": at, "updated_at": at + count,
        "contacts": {"contacts": [{"type": "contact", "id": f"{contact}{number % 7}"}]},
        "statistics": {"count_conversation_parts": count + 1},
        "conversation_parts": {"conversation_parts": parts},
    }  # fmt: skip
    return posted("conversation.user.replied", item, at=at + count, number=number)


def records_of(*bodies):
    return [
        TopicRecord(topic, record.key, record.value, [*record.headers, ("ce_type", b"intercom.x")])
        for body in bodies
        for topic, record in routed(body)
    ]


@pytest.fixture(scope="module")
def tidy() -> Iterator[local.LocalStack]:
    """A broker that compacts and deletes at once."""
    with local.temporary_stack(settings=TIDY) as stack:
        yield stack


async def configure(kafka: KafkaSettings, short: bool) -> None:
    """Have every topic stored as it is, so that its files can be searched; `short` also compacted, or deleted, within seconds."""
    resources = []
    for name, settings in (await topics.broker_settings(kafka)).items():
        policy = settings["cleanup.policy"]
        limits = (COMPACTED if policy == "compact" else EXPIRING) if short and name not in (*RAW, "operations") else {}
        resources.append(
            ConfigResource(ConfigResourceType.TOPIC, kafka.topic(name), {"cleanup.policy": policy, **PLAIN, **limits})
        )
    async with admin_client(kafka) as admin:
        await admin.alter_configs(resources)


def in_files(*folders: Path, prefix: str) -> dict[str, int]:
    """Return how many planted texts are in files, by the name of their folder, without the raw topics."""
    found: dict[str, set[bytes]] = {}
    for folder in folders:
        for path in folder.rglob("*"):
            place = path.parent.name
            if any(place.startswith(f"{prefix}{raw}-") for raw in RAW):
                continue
            try:
                texts = set(PLANTED.findall(path.read_bytes())) if path.is_file() else set()
            except (FileNotFoundError, PermissionError):
                continue
            if texts:
                found.setdefault(place, set()).update(texts)
    return {place: len(texts) for place, texts in found.items()}


async def in_topics(kafka: KafkaSettings) -> dict[str, int]:
    """Return how many planted texts a consumer reads, by topic, without the raw topics."""
    found: dict[str, set[bytes]] = {}
    consumer = AIOKafkaConsumer(**kafka.client(), enable_auto_commit=False, auto_offset_reset="earliest")
    async with consumer:
        names = [kafka.topic(name) for name in await topics.broker_settings(kafka) if name not in RAW]
        partitions = await partitions_of(consumer, *names)
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for partition, fetched in (await consumer.getmany(*partitions, timeout_ms=100)).items():
                for record in fetched:
                    if texts := PLANTED.findall(record.value or b""):
                        found.setdefault(partition.topic.removeprefix(kafka.topic_prefix), set()).update(texts)
    return {topic: len(texts) for topic, texts in found.items()}


@asynccontextmanager
async def reading(kafka: KafkaSettings, topic: str) -> AsyncIterator[list[str]]:
    """Yield the ids of all events that a reader of a topic sees, also of those that compaction removes later."""
    seen: list[str] = []
    consumer = AIOKafkaConsumer(
        **kafka.client(), enable_auto_commit=False, auto_offset_reset="earliest", isolation_level="read_committed"
    )
    async with consumer:
        partitions = await partitions_of(consumer, kafka.topic(topic))
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)

        async def read() -> None:
            while True:
                for fetched in (await consumer.getmany(timeout_ms=200)).values():
                    seen.extend(dict(record.headers)["ce_id"].decode() for record in fetched)

        task = asyncio.create_task(read())
        try:
            yield seen
        finally:
            task.cancel()


def typed(config: Path, *words: str):
    result = CliRunner().invoke(root, ["activities", *words, "--config", str(config)])
    assert result.exception is None or isinstance(result.exception, SystemExit), (result.output, result.exception)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


async def texts(kafka: KafkaSettings) -> set[str]:
    """Return the planted texts on `activities`."""
    values = [AVRO.decode(value)[1] for value in (await latest(kafka, "activities")).values()]
    return {value["text"] for value in values if (value["text"] or "").startswith("planted")}


async def until_texts(kafka: KafkaSettings, count: int) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while len(await texts(kafka)) != count:  # noqa: ASYNC110  # Kafka sets no event
            await asyncio.sleep(0.5)


async def test_after_a_purge_no_text_is_left_and_a_longer_policy_brings_them_back(
    tidy: local.LocalStack, prefix: str, tmp_path: Path
) -> None:
    kafka = KafkaSettings(bootstrap=tidy.addresses.kafka, topic_prefix=prefix, partitions=1)
    config = write_config(tmp_path, config_text(kafka={"bootstrap": kafka.bootstrap, "topic_prefix": prefix}))
    files = tmp_path / "files"
    files.mkdir()
    await topics.apply(kafka, Naming(prefix=prefix).changelogs(AGENTS))
    await configure(kafka, short=False)
    await asyncio.to_thread(typed, config, "policy", "set", "--days", "unlimited", "--json")
    stores = RocksStores(files / "tables", frozenset(agent.name for agent in AGENTS))
    async with (
        reading(kafka, "activities") as ids,
        running(AGENTS, kafka=kafka, limits=QUICK, store_of=stores) as work,
        transactions(kafka, "test") as producer,
    ):
        await producer.append(
            records_of(*(conversation(100 + each, 1_000 + 20 * each, 20, at=OLD) for each in range(TEXTS // 20)))
        )
        await until(lambda: work.engine.ready.is_set() and caught_up(work), "all posts are processed")
        await until_texts(kafka, TEXTS)
        before = await texts(kafka)
        engagement = await latest(kafka, "people.engagement")
        assert await in_topics(kafka), "the scan finds what is there"
        assert in_files(tidy.home, files, prefix=prefix)

        code, _ = await asyncio.to_thread(typed, config, "purge", "--verify", "--json")
        assert code == 0, "nothing has a limit"
        await asyncio.to_thread(typed, config, "policy", "set", "--days", "90", "--json")
        await until_texts(kafka, 0)
        await configure(kafka, short=True)
        rewriting = asyncio.create_task(stores.keep_wiped(after_s=-60, every_s=2))
        async with asyncio.timeout(
            3 * DEADLINE_S
        ):  # the patches between agents are there for a minute, and a scan takes some seconds
            number = 10_000
            while places := {**await in_topics(kafka), **in_files(tidy.home, files, prefix=prefix)}:
                print(round(time.monotonic()), places)  # noqa: T201  # shown by pytest when the test fails
                number += 20  # others' posts come: a partition to which nothing is written keeps its last segment
                await producer.append(
                    records_of(
                        *(
                            conversation(number + each, number * 9 + each, 1, at=NOW, text="new", contact="other")
                            for each in range(7)
                        )
                    )
                )
                await asyncio.sleep(3)
        rewriting.cancel()
        code, (found,) = await asyncio.to_thread(typed, config, "purge", "--verify", "--json")
        assert (code, found["faults"]) == (0, [])
        raw = next(store for store in found["stores"] if store["store"] == "topic intercom.conversations")
        assert raw["types"]["conversation.contact_replied"]["details"] >= TEXTS, "which the raw topic has, and says so"

        await asyncio.to_thread(typed, config, "policy", "set", "--days", "400", "--json")
        code, restored = await asyncio.to_thread(typed, config, "restore", "--json")
        assert code == 0
        assert sum(each["sent"] for each in restored) >= TEXTS // 20
        await until_texts(kafka, TEXTS)
        assert await texts(kafka) == before
        await until(lambda: caught_up(work), "everything is processed")
        after = await latest(kafka, "people.engagement")
        assert {person: after[person] for person in engagement} == engagement
        assert len(ids) == len(set(ids)) > 2 * TEXTS
