import contextlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import schemas
from schemas.codec import FRAME, Avro
from schemas.errors import InvalidRecord
from schemas.intercom.envelope import envelope
from schemas.intercom.routes import TOPICS as WEBHOOK_TOPICS
from schemas.intercom.routes import destinations
from schemas.topics import TOPICS, Encoding

ROOT = Path(schemas.__file__).parent / "examples"
FILES = sorted(ROOT.glob("*/*"))
AVRO = Avro.local()


def ids(paths):
    return [f"{path.parent.name}/{path.name}" for path in paths]


def examples_of(*encodings):
    return [path for path in FILES if path.parent.name in TOPICS and TOPICS[path.parent.name].encoding in encodings]


@pytest.mark.parametrize("topic", [topic.name for topic in TOPICS.values() if topic.encoding is not Encoding.INTERNAL])
def test_each_topic_that_others_see_has_an_example(topic):
    assert list((ROOT / topic).glob("*.json"))


def test_each_example_belongs_to_a_topic_that_others_see():
    seen = {path.relative_to(ROOT).parts[0] for path in ROOT.rglob("*") if path.is_file()}
    assert seen <= {topic.name for topic in TOPICS.values() if topic.encoding is not Encoding.INTERNAL}


@pytest.mark.parametrize("path", examples_of(Encoding.AVRO), ids=ids(examples_of(Encoding.AVRO)))
def test_an_avro_example_is_a_whole_value_of_its_topics_schema(path):
    value = json.loads(path.read_text())
    name = TOPICS[path.parent.name].schema
    assert AVRO.decode(AVRO.encode(name, value)) == (name, value)


@pytest.mark.parametrize("path", examples_of(Encoding.AVRO), ids=ids(examples_of(Encoding.AVRO)))
@settings(max_examples=50)
@given(data=st.data())
def test_an_avro_example_that_was_damaged_is_a_value_or_unusable(path, data):
    whole = bytearray(AVRO.encode(TOPICS[path.parent.name].schema, json.loads(path.read_text())))
    for index in data.draw(st.lists(st.integers(FRAME, len(whole) - 1), min_size=1, max_size=4)):
        whole[index] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InvalidRecord):
        AVRO.decode(bytes(whole))


INBOUND = [path for path in examples_of(Encoding.RAW) if path.parent.name in WEBHOOK_TOPICS]


@pytest.mark.parametrize("path", INBOUND, ids=ids(INBOUND))
def test_an_inbound_example_goes_to_its_topic(path):
    assert path.parent.name in [index.topic for index in destinations(envelope(path.read_bytes()))]


@pytest.mark.parametrize("path", FILES, ids=ids(FILES))
def test_no_example_holds_a_real_address(path):
    domains = re.findall(r"@([\w.-]+)", path.read_text())
    hosts = re.findall(r"https?://([\w.-]+)", path.read_text())
    assert [
        name
        for name in domains + hosts
        if not re.fullmatch(r"(.*\.)?example(\.com|\.org|\.net)?|schema\.ocsf\.io|app\.intercom\.com", name)
    ] == []
