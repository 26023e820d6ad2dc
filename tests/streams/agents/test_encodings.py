"""Everything a release wrote stays readable, and no stored type changes its bytes without a new encoding number."""

import inspect
import json
from base64 import b64decode
from enum import Enum
from pathlib import Path
from typing import get_args

import msgspec
import pytest

import schemas
from schemas.activities.messages import ActivityRecord, OwnerRow, Participants, ParticipantsRecord
from schemas.activities.records import PersonActivity
from schemas.cloudevents import Origin
from schemas.directory.lists import TOPIC as LISTS
from schemas.directory.lists import ListKind, list_records
from schemas.errors import InvalidRecord, MustStop
from schemas.intercom.envelope import envelope
from schemas.intercom.routes import destinations
from schemas.message import RecordValue
from schemas.profiles.identity import Claim, ClaimMessage, Key
from schemas.profiles.registers import ERASED, PatchCause
from schemas.topics import TOPICS
from schemas.versioned import ENCODING, Versioned
from streams.agents.membership.rows import CompanyRow
from streams.core.access.state.rows import AnyRow
from streams.core.access.state.stage import Stage
from streams.engine.agent import Batch
from streams.engine.partition.step_runner import run_step
from streams.engine.tables.store import MemoryStore
from tests.support.company import AVRO
from tests.support.sample_values import nested_types
from tests.support.samples import AGENTS, SAMPLES, history, schema_hash, stored_types

EXAMPLES = Path(schemas.__file__).parent / "examples"
RECORDED = {int(file.stem): json.loads(file.read_text()) for file in (Path(__file__).parent / "encodings").glob("*.json")}
VALUES = [(encoding, name, b64decode(data)) for encoding, record in RECORDED.items() for name, data in record["values"].items()]


@pytest.mark.parametrize(("encoding", "name", "data"), VALUES, ids=[f"{name} in {encoding}" for encoding, name, _ in VALUES])
def test_bytes_that_a_release_wrote_are_read_and_written_as_then(encoding, name, data):
    codec, sample = SAMPLES[name]
    value = codec.decode(data)
    assert codec.encode(value, encoding) == data
    if codec.since == encoding:
        assert value == sample


@pytest.mark.parametrize("name", SAMPLES)
def test_a_type_that_changes_takes_a_number_of_its_own(name):
    for codec in history(SAMPLES[name][0]):
        assert schema_hash(codec.value_type) == RECORDED[codec.since]["schemas"].get(name), (
            f"{name} differs from encoding {codec.since}. If that is released, keep the old struct as the `PreviousVersion` of the new one "
            "and raise ENCODING. Then, or if it is not released yet, record the encoding: see tests/support/samples.py"
        )


@pytest.mark.parametrize("name", SAMPLES)
def test_a_newer_release_stops_the_process_and_is_named(name):
    with pytest.raises(MustStop, match="a newer release wrote it"):
        SAMPLES[name][0].decode(bytes([ENCODING + 1, 0x90]))


NAMED = [name for name in SAMPLES if not type(SAMPLES[name].value).__struct_config__.array_like]


@pytest.mark.parametrize("name", NAMED)
def test_a_row_with_a_field_that_is_not_known_is_refused_and_not_read_without_it(name):
    codec, value = SAMPLES[name]
    fields = msgspec.msgpack.decode(codec.encode(value)[1:]) | {"renamed": ["f1"]}
    with pytest.raises(InvalidRecord, match="unknown field `renamed`"):
        codec.decode(bytes([codec.since]) + msgspec.msgpack.encode(fields))


def test_every_table_and_internal_topic_has_its_samples():
    assert {type(SAMPLES[name].value) for name in SAMPLES if name.startswith("access: ")} == set(get_args(AnyRow))
    codecs = {id(agent.codec) for agent in AGENTS} | {id(topic.codec) for topic in TOPICS.values() if topic.codec}
    assert codecs == {id(codec) for codec, _ in SAMPLES.values()}


TAGGED = [kind for agent in AGENTS for kind in stored_types(agent.codec) if len(stored_types(agent.codec)) > 1]


@pytest.mark.parametrize("kind", TAGGED, ids=lambda kind: kind.__name__)
def test_a_row_has_a_tag_of_its_own_that_no_renaming_of_its_class_changes(kind):
    tag = kind.__struct_config__.tag
    assert tag != kind.__name__
    assert f'tag="{tag}"' in inspect.getsource(kind)


ENUMS = sorted(
    {kind for codec, _ in SAMPLES.values() for kind in nested_types(codec.value_type) if issubclass(kind, Enum)},
    key=lambda kind: kind.__name__,
)


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_a_stored_enum_has_explicit_values_that_no_renaming_of_its_members_changes(kind):
    source = inspect.getsource(kind)
    assert all(member.value != member.name and f"{member.name} = {json.dumps(member.value)}" in source for member in kind)


def test_stages_are_stored_enums():
    assert Stage in ENUMS


def test_the_newest_encoding_is_one_that_some_type_changed_with():
    assert {codec.since for codec, _ in SAMPLES.values()} <= RECORDED.keys() == set(range(1, ENCODING + 1))
    assert max(codec.since for codec, _ in SAMPLES.values()) == ENCODING


def of_a_newer_release(*_):
    return bytes([ENCODING + 1, 0x90])


COMPANY = "abc12345:1"
ROWS = {
    "memberships": {COMPANY: CompanyRow(1, "abc12345:9")},
    "activities": {"abc12345:9": OwnerRow(ERASED)},
}  # what agents must have seen to write to a topic because of an input


def store_of(name):
    """Return the store of an agent with these rows."""
    store, codec = MemoryStore(), next(agent.codec for agent in AGENTS if agent.name == name)
    store.apply({key: codec.encode(row) for key, row in ROWS.get(name, {}).items()})
    return store


def claims(codec):
    """Two records that claim the same are one person."""
    made = (Claim(created=at, keys=(Key("email", "ada@a.org"),)) for at in (1000, 2000))
    values = [codec.encode(ClaimMessage(claim, PatchCause("e", 0))) for claim in made]
    return [RecordValue(f"acme|w:{at}".encode(), value) for at, value in enumerate(values)]


def team_lists(_):
    parts = list_records("abc12345", ListKind.TEAMS, [b'{"id":"1"}'], requested_at=1, origin=Origin.RESYNC, now=1)
    return [RecordValue(part.key.encode(), part.value, part.headers) for part in parts]


def inputs(topic):
    """Every example of a topic's records, or the sample of an internal one."""
    special = {
        "identity.claims": claims,
        "activity.records": activity_records,
        "activity.patches": activity_patches,
        LISTS: team_lists,
    }
    if topic.name in special:
        return special[topic.name](topic.codec)
    if topic.codec is not None:
        key = f"{COMPANY}|abc12345:2" if topic.name == "membership.edges" else "key"
        return [RecordValue(key.encode(), topic.codec.encode(SAMPLES[topic.name].value))]
    texts = [path.read_bytes() for path in sorted((EXAMPLES / topic.name).glob("*.json"))]
    if topic.schema is None:
        found = [(text, each.key) for text in texts for each in destinations(envelope(text)) if each.topic == topic.name]
        return [RecordValue(key.encode(), text, [("ce_id", b"id")]) for text, key in found]
    values = [json.loads(text) for text in texts]
    if topic.schema == "record":
        sent = [(f"{value['source']}:{value['id']}".encode(), value, value["updated_at"]) for value in values]
        return [RecordValue(key, AVRO.encode("record", value), timestamp=at) for key, value, at in sent]
    return [RecordValue(value.get("tenant", "key").encode(), AVRO.encode(topic.schema, value)) for value in values]


def activity_patches(codec):
    """One of each kind."""
    return [RecordValue(b"profile", codec.encode(SAMPLES[f"activity.patches: {kind}"].value)) for kind in ("activity", "marks")]


def activity_records(codec):
    """An activity of a contact who, by then, shares its conversation with another."""
    key, activity = b"abc12345:2|e1", PersonActivity(id="e1", type="conversation.noted", time=1, conversation=COMPANY)
    cause, both = PatchCause("e", 0), ("abc12345:2", "abc12345:3")
    joined = ParticipantsRecord(COMPANY, Participants(2, both), both[:1], cause)
    messages = (joined, ActivityRecord(activity, cause, Participants(1, both[:1])))
    named = RecordValue(b"abc12345:@email:ada@a.org|e2", codec.encode(ActivityRecord(activity, cause)))
    erased = RecordValue(b"abc12345:9|e1", codec.encode(messages[1]))
    return [*(RecordValue(key, codec.encode(message)) for message in messages), named, erased]


WITH_TABLES = [agent for agent in AGENTS if agent.name != "happenings"]


@pytest.mark.parametrize("agent", WITH_TABLES, ids=[agent.name for agent in WITH_TABLES])
def test_a_record_that_meets_a_row_of_a_newer_release_is_no_dead_letter(agent, monkeypatch):
    records = [
        record
        for record in inputs(TOPICS[agent.sources[0]])
        if run_step(agent, batch_of(agent, record), MemoryStore()).dead == [False]
    ]
    assert records
    monkeypatch.setattr(MemoryStore, "get", of_a_newer_release)
    with pytest.raises(MustStop, match="a newer release wrote it"):
        run_step(agent, Batch(agent.sources[0], 0, records), MemoryStore())


def batch_of(agent, record):
    return Batch(agent.sources[0], 0, [record])


READERS = [(agent, topic) for agent in AGENTS for topic in agent.sources if TOPICS[topic].codec]


@pytest.mark.parametrize(("agent", "topic"), READERS, ids=[f"{topic} in {agent.name}" for agent, topic in READERS])
def test_a_value_of_a_newer_release_on_an_internal_topic_is_no_dead_letter(agent, topic):
    with pytest.raises(MustStop, match="a newer release wrote it"):
        run_step(agent, Batch(topic, 0, [RecordValue(b"profile", of_a_newer_release())]), MemoryStore())


WRITERS = [
    (name, topic)
    for topic in TOPICS.values()
    if topic.codec
    for name in topic.written_by
    if name in {agent.name for agent in AGENTS}
]


@pytest.mark.parametrize(("name", "topic"), WRITERS, ids=[f"{name} to {topic.name}" for name, topic in WRITERS])
def test_a_value_on_an_internal_topic_is_written_in_the_encoding_of_its_partition(name, topic, monkeypatch):
    requested = []
    encode = Versioned.encode

    def recorded(codec, value, encoding=None):
        if codec is topic.codec:
            requested.append(encoding)
        return encode(codec, value)

    monkeypatch.setattr(Versioned, "encode", recorded)
    agent = next(agent for agent in AGENTS if agent.name == name)
    store, records = store_of(name), inputs(TOPICS[agent.sources[0]])
    requested.clear()
    for batch in (records, *([record] for record in records)):  # of an edge that ends within a batch no value is sent
        run_step(agent, Batch(agent.sources[0], 0, batch), store, 7)
    assert requested
    assert set(requested) == {7}
