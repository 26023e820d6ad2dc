"""A person is erased in a running installation: afterwards no topic, no table's file and no spool holds their name or address."""

import asyncio
import itertools
import json
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from click.testing import CliRunner

from connectors import local
from connectors.intercom.ingress import drainer as drainer_module
from connectors.intercom.ingress.breaker import Breaker
from connectors.intercom.ingress.drainer import Drainer
from connectors.intercom.ingress.kafka_publisher import KafkaPublisher
from connectors.kafka import topics
from connectors.kafka.admin import admin_client
from connectors.kafka.publisher import OutboundRecord
from connectors.kafka.ranges import partitions_of
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.transaction import TopicRecord, transactions
from connectors.spool.spool import Spool
from schemas.codec import Avro
from schemas.ids import derived
from schemas.profiles.erasure import mark_of
from schemas.tenancy import App, ErasureSettings, Secret, Tenancy, Tenant, Workspace
from schemas.topics import TOPICS
from streams.agents.topology import agents_of
from streams.cli.main import root
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.engine.tables.rocksdb import RocksStores
from tests.patience import DEADLINE_S, PATIENT_CONTROLLER
from tests.support.config import config_text, write_config
from tests.support.engines import QUICK, caught_up, latest, until
from tests.support.intercom_bodies import APP, AT, contact, listed, posted
from tests.support.oracle import routed

pytestmark = pytest.mark.asyncio

KEY = "a secret of the tenant, by which contacts are erased"
TENANCY = Tenancy.of(
    [App(name="support", client_secrets=())],
    [Tenant(id="acme", workspaces=(Workspace(app_id=APP, app="support"),), erasure=ErasureSettings(keys=(Secret(KEY),)))],
)
AVRO = Avro.local()
AGENTS = tuple(agent for agent in agents_of(TENANCY, AVRO) if agent.name not in ("access", "admins", "directory"))
NEEDLES = (b"Ada Lovelace", b"ada@lovelace.example", b"+353861234567")
NOW = int(time.time())  # of activities: the details of older ones expire
USER, LEAD = f"{APP}:user", f"{APP}:lead"
TIDY = {
    "log.cleaner.backoff.ms": "100",
    "log.retention.check.interval.ms": "200",
    "log.initial.task.delay.ms": "100",
    **PATIENT_CONTROLLER,
}
SHORT = {"segment.ms": "1000", "file.delete.delay.ms": "100"}
COMPACTED = {**SHORT, "max.compaction.lag.ms": "4000", "min.cleanable.dirty.ratio": "0.01", "delete.retention.ms": "10000"}
EXPIRING = {**SHORT, "retention.ms": "15000"}
"""What is deleted, and the tombstones above, an agent that waits for a processor has to read before."""


def saved(identifier, number, **fields):
    fields = {"created_at": AT, "role": "user", **fields}
    return posted(
        "contact.user.updated", contact(identifier, updated=(AT + number) * 1000, **fields), number=number, at=AT + number
    )


def ada() -> list[bytes]:
    """A user and a lead who are one person, in a company and in a conversation."""
    name, email = "Ada Lovelace", "ada@lovelace.example"
    return [
        saved("user", 1, name=name, email=email, created_at=AT - 9, companies=listed("c1"), custom_attributes={"plan": "pro"}),
        saved("lead", 2, role="lead", email=email.upper(), phone="+353861234567"),
        saved("user", 3, name=name, email=email, created_at=AT - 9, custom_attributes={"nick": "Ada Lovelace, countess"}),
        posted("company.contact.attached", {"contact": contact("user", name=name, updated=(AT + 4) * 1000), "company": {"id": "c1"}},
               number=4, at=AT + 4),
        posted("conversation.user.created", asked(), number=5, at=NOW),
    ]  # fmt: skip


def asked() -> dict[str, object]:
    """What the user asked, under their name, and a teammate's answer that has it too."""
    question = {
        "id": "1",
        "part_type": "comment",
        "created_at": NOW,
        "author": {"type": "user", "id": "user"},
        "body": "Ada Lovelace here",
    }
    answer = {**question, "id": "2", "author": {"type": "admin", "id": "7"}, "body": "Dear Ada Lovelace"}
    return {
        "type": "conversation", "id": "9", "user": {"type": "user", "id": "user", "name": "Ada Lovelace"}, "title": "Ada Lovelace asks",
        "created_at": NOW, "updated_at": NOW, "conversation_rating": {"rating": 5, "remark": "Ada Lovelace thanks", "created_at": NOW},
        "source": {"id": "s", "type": "email", "author": {"type": "user", "id": "user"}, "subject": "from Ada Lovelace", "body": "+353861234567"},
        "conversation_parts": {"type": "conversation_part.list", "conversation_parts": [question, answer]},
    }  # fmt: skip


def of_bob(number: int) -> bytes:
    """Another's conversation."""
    item = {
        "type": "conversation",
        "id": f"b{number}",
        "user": {"type": "user", "id": "bob"},
        "created_at": NOW,
        "updated_at": NOW + number,
    }
    return posted(
        "conversation.user.created",
        {**item, "source": {"id": "s", "type": "email", "body": "Hello"}},
        number=number,
        at=NOW + number,
    )


def records_of(bodies: list[bytes]) -> list[TopicRecord]:
    return [
        TopicRecord(topic, record.key, record.value, [*record.headers, ("ce_type", b"x")])
        for body in bodies
        for topic, record in routed(body)
    ]


@pytest.fixture(scope="module")
def tidy() -> Iterator[str]:
    """The address of a broker that compacts and deletes at once."""
    with local.temporary_stack(settings=TIDY) as stack:
        yield stack.addresses.kafka


async def set_short(kafka: KafkaSettings) -> None:
    """Have every topic of the installation compacted, or deleted, within seconds."""
    found = await topics.broker_settings(kafka)
    resources = [
        ConfigResource(
            ConfigResourceType.TOPIC,
            kafka.topic(name),
            {"cleanup.policy": settings["cleanup.policy"]} | (COMPACTED if settings["cleanup.policy"] == "compact" else EXPIRING),
        )
        for name, settings in found.items()
        if name != "operations"
    ]
    async with admin_client(kafka) as admin:
        await admin.alter_configs(resources)


async def holding(kafka: KafkaSettings, folder: Path) -> set[str]:
    """Return where a needle is: topics whose records hold one, key and headers too, and files."""
    places = {path.name if "spool" in path.name else path.parent.parent.name for path in _files(folder) if _held(path)}
    consumer = AIOKafkaConsumer(**kafka.client(), enable_auto_commit=False, auto_offset_reset="earliest")
    async with consumer:
        partitions = await partitions_of(consumer, *map(kafka.topic, await topics.broker_settings(kafka)))
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        await consumer.seek_to_beginning(*partitions)
        while any([await consumer.position(each) < end for each, end in ends.items()]):
            for partition, fetched in (await consumer.getmany(*partitions, timeout_ms=100)).items():
                for record in fetched:
                    parts = b"\n".join([record.key or b"", record.value or b"", *(value for _, value in record.headers)])
                    if any(needle in parts for needle in NEEDLES):
                        places.add(partition.topic.removeprefix(kafka.topic_prefix))
    return places


def _files(folder: Path) -> list[Path]:
    return list(folder.rglob("*"))


def _held(path: Path) -> bool:
    try:
        data = path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:  # compaction is faster
        return False
    return any(needle in data for needle in NEEDLES)


@asynccontextmanager
async def spooled(kafka: KafkaSettings, folder: Path, posts: list[bytes]) -> AsyncIterator[Spool]:
    """An ingress's spool in which posts wait, and which is drained into Kafka."""
    spool = Spool(folder / "ingress-0.spool", max_bytes=1 << 20)
    await spool.open()
    for record in records_of(posts):
        done = asyncio.get_running_loop().create_future()
        name, now = kafka.topic(record.topic), time.time_ns() // 1_000_000  # retention counts from it
        spool.append([OutboundRecord(name, record.key or b"", record.value or b"", list(record.headers), now)], done.set_result)
        assert await done is None
    publisher = KafkaPublisher(kafka, [kafka.topic(topic) for topic in TOPICS if topic.startswith("intercom.")])
    publisher.start()
    draining = asyncio.create_task(Drainer(spool, publisher, Breaker()).run())
    try:
        yield spool
    finally:
        draining.cancel()
        await publisher.close()
        await spool.close()


def typed(config: Path, *words: str):
    result = CliRunner().invoke(root, ["profiles", *words, "--config", str(config)])
    assert result.exception is None, (result.output, result.exception)
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


async def test_after_an_erasure_no_topic_table_or_spool_holds_the_persons_name_or_address(
    tidy: str, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kafka = KafkaSettings(bootstrap=tidy, topic_prefix=prefix, partitions=1)
    text = config_text(kafka={"bootstrap": tidy, "topic_prefix": prefix})
    config = write_config(tmp_path, text.replace('id = "acme"\n', f'id = "acme"\n[tenants.erasure]\nkeys = ["{KEY}"]\n'))
    files = tmp_path / "files"
    files.mkdir()
    await topics.apply(kafka, Naming(prefix=prefix).changelogs(AGENTS))
    stores = RocksStores(files / "tables", frozenset(agent.name for agent in AGENTS))
    person = derived("acme", "person", USER)
    async with (
        spooled(kafka, files, ada()[2:]) as spool,
        running(AGENTS, kafka=kafka, limits=QUICK, store_of=stores) as work,
        transactions(kafka, "test") as producer,
    ):
        await producer.append([
            *records_of(ada()[:2]),
            TopicRecord("intercom.contacts", USER.encode(), b"Ada Lovelace is no post", [("ce_id", b"bad")]),
        ])  # fmt: skip
        await until(lambda: spool.bytes == 0 and work.engine.ready.is_set() and caught_up(work), "all posts are processed")
        async with asyncio.timeout(DEADLINE_S):
            while b"countess" not in (await latest(kafka, "people")).get(person, b""):  # noqa: ASYNC110  # Kafka sets no event
                await asyncio.sleep(0.1)
        held = {
            "intercom.contacts", "intercom.companies", "intercom.conversations", "dead.letters", "person.patches", "people", "people.changes",
            "identity.claims", "contacts", "identity", "ingress-0.spool", "conversations", "activities", "activity.records", "activity.patches",
            "timelines",
        }  # fmt: skip
        async with asyncio.timeout(DEADLINE_S):  # the last hops may be on their way
            while not held <= await holding(kafka, files):  # noqa: ASYNC110  # Kafka sets no event
                await asyncio.sleep(0.1)

        (exported,) = await asyncio.to_thread(typed, config, "export", "ada@lovelace.example", "--json")
        texts = [b64encode(b"Ada Lovelace is no post").decode(), *(needle.decode() for needle in NEEDLES)]
        found = {store["store"] for store in exported["stores"] if any(each in json.dumps(store) for each in texts)}
        assert found >= {f"topic {name}" for name in held if name in TOPICS} | {
            "table contacts",
            "table people",
            "table identity",
        }

        await set_short(kafka)
        (receipt,) = await asyncio.to_thread(typed, config, "erase", "ada@lovelace.example", "--yes", "--json", "--wait", "60")
        assert receipt["marks"] == sorted(mark_of(Secret(KEY), record) for record in (USER, LEAD))
        named = {store["store"].removeprefix("topic ") for store in receipt["stores"]}
        assert {place for place in held if place in TOPICS} <= named
        assert await latest(kafka, "people") == await latest(kafka, "memberships") == {}
        (again,) = await asyncio.to_thread(typed, config, "erasures", "--json")
        assert again == receipt

        monkeypatch.setattr(drainer_module, "_WIPE_EVERY_S", 0.0)
        await producer.append(records_of(ada()))  # a replay, or a backfill
        rewriting = asyncio.create_task(stores.keep_wiped(after_s=-60, every_s=0.5))
        async with asyncio.timeout(DEADLINE_S):
            for number in itertools.count(
                10
            ):  # others' posts come: a partition to which nothing is written keeps its last segment
                bob = saved("bob", number, name="Bob", email=f"bob{number}@example.com")
                await producer.append(records_of([bob, of_bob(number)]))
                await asyncio.sleep(0.5)
                if not (places := await holding(kafka, files)):
                    break
                print(round(time.monotonic()), places)  # noqa: T201  # shown by pytest when the test fails
        rewriting.cancel()
        people = [AVRO.decode(value)[1] for value in (await latest(kafka, "people")).values()]
        assert [value["name"] for value in people] == ["Bob"]
        conversation = AVRO.decode((await latest(kafka, "conversations"))[f"{APP}:9"])[1]
        assert (conversation["contacts"], conversation["source_author"], conversation["rating"]) == ([], "contact:~", 5)
        assert {name: tally["count"] for name, tally in conversation["tallies"].items()}.items() >= {
            "parts": 2,
            "contact_reply": 1,
        }.items()
