"""The registry is a real Apicurio; Confluent's own client reads values with its schema ids."""

import asyncio
import secrets
from datetime import UTC, datetime

import httpx
import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from confluent_kafka import Consumer, Message, Producer

from connectors.kafka.schema_registry import SchemaRegistry, codec
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import apply
from connectors.local.ports import free
from schemas.catalogue import shipped
from schemas.cloudevents import AVRO, EventContext, Origin
from schemas.errors import BadConfiguration, InvalidRecord, MustStop, Unavailable
from schemas.partition import partition_of
from schemas.topics import TOPICS
from tests.patience import DEADLINE_S
from tests.support.avro_schemas import PERSON, changed, schema
from tests.support.confluent import read_value

pytestmark = pytest.mark.asyncio

MEMBERSHIPS = (TOPICS["memberships"],)


@pytest.fixture
def own() -> dict:
    """A schema that no other test registers: a registry identifies schemas by their content."""
    return PERSON | {"namespace": f"example.n{secrets.token_hex(4)}"}


async def test_versions_get_ids_by_which_they_are_found_again(registry_url, prefix, own):
    older, newer = schema(changed(drop="boss") | {"namespace": own["namespace"]}), schema(own, 2)
    async with SchemaRegistry(registry_url) as registry:
        ids = await registry.register(f"{prefix}people-value", [older, newer])
        assert list(ids.values()) == [older, newer]
        assert await registry.definitions(f"{prefix}people-value") == {
            schema_id: each.definition for schema_id, each in ids.items()
        }
        assert [await registry.definition(number) for number in ids] == [older.definition, newer.definition]


async def test_registering_again_changes_nothing(registry_url, prefix, own):
    async with SchemaRegistry(registry_url) as registry:
        ids = await registry.register(f"{prefix}people-value", [schema(own)])
        assert await registry.register(f"{prefix}people-value", [schema(own)]) == ids
        assert len(await registry.definitions(f"{prefix}people-value")) == 1


async def test_a_schema_of_two_topics_has_two_subjects_and_one_id(registry_url, prefix, own):
    async with SchemaRegistry(registry_url) as registry:
        ids = [await registry.register(f"{prefix}{topic}.changes-value", [schema(own)]) for topic in ("people", "orgs")]
    assert ids[0] == ids[1]


@pytest.mark.parametrize("change", [{"drop": "id"}, {"id": "long"}, {"add": {"name": "nick", "type": "string"}}])
async def test_the_registry_refuses_what_our_own_check_refuses(registry_url, prefix, own, change):
    async with SchemaRegistry(registry_url) as registry:
        await registry.register(f"{prefix}people-value", [schema(own)])
        with pytest.raises(MustStop, match="FULL_TRANSITIVE"):
            await registry.register(f"{prefix}people-value", [schema(changed(**change) | {"namespace": own["namespace"]}, 2)])


def without_docs(schema):
    if isinstance(schema, dict):
        return {name: without_docs(value) for name, value in schema.items() if name != "doc"}
    return [without_docs(each) for each in schema] if isinstance(schema, list) else schema


async def test_all_our_schemas_are_accepted_and_their_ids_frame_our_values(registry_url, prefix):
    avro = await codec(registry_url, prefix)
    async with SchemaRegistry(registry_url) as registry:
        for topic in TOPICS.values():
            if topic.schema is not None:
                known = await registry.definitions(f"{prefix}{topic.name}-value")
                shapes = [without_docs(each.definition) for each in shipped().versions(topic.schema)]
                # this registry takes versions that differ in their docs alone for one
                assert [without_docs(each) for each in known.values()] == [
                    each for at, each in enumerate(shapes) if each not in shapes[:at]
                ]
                assert all(avro.knows(number) for number in known)


async def test_what_a_newer_release_registered_is_read_as_this_release_has_it(registry_url, prefix):
    current = shipped().current["membership"]
    newer = current.definition | {
        "fields": [*current.definition["fields"], {"name": "since_then", "type": ["null", "string"], "default": None}]
    }
    await codec(registry_url, prefix, MEMBERSHIPS)
    async with SchemaRegistry(registry_url) as registry:
        (number,) = await registry.register(f"{prefix}memberships-value", [schema(newer, 2, "membership")])
    assert (await codec(registry_url, prefix, MEMBERSHIPS)).knows(number)


async def test_without_a_registry_ids_follow_from_the_files():
    avro = await codec("")
    assert all(avro.knows(each.local_id) for each in shipped().current.values())


async def test_an_id_nobody_gave_is_unusable(registry_url):
    async with SchemaRegistry(registry_url) as registry:
        with pytest.raises(InvalidRecord, match="schema id 2147483000"):
            await registry.definition(2147483000)


async def test_a_registry_that_is_away_may_come_back_and_its_password_is_not_shown():
    with pytest.raises(Unavailable, match="does not answer") as away:
        await codec(f"http://me:secret@127.0.0.1:{free(set())}/x")
    assert "secret" not in str(away.value)


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, BadConfiguration, "user:password@"),
        (403, BadConfiguration, "user:password@"),
        (404, BadConfiguration, "no schema registry"),
        (422, MustStop, "bad news"),
        (500, Unavailable, "500"),
        (503, Unavailable, "503"),
    ],
)
async def test_each_refusal_says_what_to_do(status, error, words):
    transport = httpx.MockTransport(lambda _: httpx.Response(status, json={"message": "bad news"}))
    async with SchemaRegistry("http://registry.example", transport=transport) as registry:
        with pytest.raises(error, match=words):
            await registry.register("people-value", [schema(PERSON)])


async def test_a_page_in_html_is_no_registry():
    transport = httpx.MockTransport(lambda _: httpx.Response(200, html="<h1>Welcome</h1>"))
    async with SchemaRegistry("http://registry.example", transport=transport) as registry:
        with pytest.raises(BadConfiguration, match=r"registry\.url needs its path"):
            await registry.register("people-value", [schema(PERSON)])


MEMBERSHIP = {
    "org": "o1", "record": "abc12345:1", "person": "p1", "company": "abc12345:7", "since": 1768018294000, "event": "e0",
}  # fmt: skip
EVENT = EventContext(
    id="e1", source="/intercom-streams/memberships", type="membership.changed.v1", origin=Origin.DERIVED, time=1768018294091,
    subject="o1|abc12345:1", partition_key="o1", sequence=1, content_type=AVRO,
)  # fmt: skip


async def publish(cluster: KafkaSettings, value: bytes, headers: list[tuple[str, bytes]]) -> str:
    topic, key = cluster.topic("memberships"), b"o1|abc12345:1"
    await apply(cluster, only=["memberships"])
    producer = AIOKafkaProducer(**cluster.client(), compression_type="zstd")
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, key, partition=partition_of(key, cluster.partitions), headers=headers)
    finally:
        await producer.stop()
    return topic


def read_one(bootstrap: str, topic: str) -> Message:
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": topic, "auto.offset.reset": "earliest", "isolation.level": "read_committed"}
    )
    try:
        consumer.subscribe([topic])
        message = consumer.poll(DEADLINE_S)
        assert message is not None, f"nothing came within {DEADLINE_S} s"
        assert message.error() is None
        return message
    finally:
        consumer.close()


async def test_confluents_client_reads_our_values_and_the_cloudevents_sdk_our_headers(kafka, registry_url, prefix):
    avro = await codec(registry_url, prefix, MEMBERSHIPS)
    event = msgspec.structs.replace(EVENT, data_schema=avro.data_schema("membership"))
    cluster = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=3)
    topic = await publish(cluster, avro.encode("membership", MEMBERSHIP), event.headers())
    message = await asyncio.to_thread(read_one, kafka, topic)

    value = read_value(registry_url, topic, message.value())
    assert value == MEMBERSHIP | {"since": datetime(2026, 1, 10, 4, 11, 34, tzinfo=UTC)}

    context = from_binary_event(KafkaMessage(headers=dict(message.headers()), key=message.key(), value=message.value()))
    assert (context.get_id(), context.get_type(), context.get_dataschema()) == ("e1", event.type, event.data_schema)


async def test_our_keys_lie_where_confluents_client_looks_for_them(kafka, prefix):
    cluster = KafkaSettings(bootstrap=kafka, topic_prefix=prefix, partitions=3)
    await apply(cluster, only=["people"])
    keys = [f"abc12345:{number}" for number in range(40)]
    placed = {}
    producer = Producer({"bootstrap.servers": kafka, "partitioner": "murmur2_random"})
    for key in keys:
        producer.produce(
            cluster.topic("people"), key=key, on_delivery=lambda _, sent: placed.update({sent.key(): sent.partition()})
        )
    assert await asyncio.to_thread(producer.flush, 30) == 0
    assert placed == {key.encode(): partition_of(key.encode(), 3) for key in keys}
