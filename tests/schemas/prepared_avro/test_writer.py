from io import BytesIO

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.catalogue import shipped
from schemas.codec import Avro, parsed
from schemas.errors import InvalidRecord
from schemas.prepared_avro.writer import UNUSUAL, prepared_writer

LONG = st.integers(-(2**63), 2**63 - 1)
INNER = {"type": "record", "name": "Inner", "fields": [{"name": "key", "type": "string"}, {"name": "time", "type": "long"}]}
SCHEMA = fastavro.parse_schema({
    "type": "record",
    "name": "Outer",
    "fields": [
        {"name": "text", "type": "string"},
        {"name": "number", "type": "long"},
        {"name": "place", "type": "int"},
        {"name": "amount", "type": ["null", "double"], "default": None},
        {"name": "flag", "type": ["null", "boolean"], "default": None},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "required_note", "type": ["null", "string"]},
        {"name": "inner", "type": {"type": "array", "items": INNER}},
        {"name": "one", "type": ["null", "Inner"], "default": None},
        {"name": "names", "type": {"type": "map", "values": "string"}},
        {"name": "places", "type": {"type": "map", "values": "int"}},
        {"name": "listed", "type": {"type": "array", "items": "string"}, "default": []},
    ],
})  # fmt: skip
INNERS = st.fixed_dictionaries({"key": st.text(), "time": LONG})
VALUES = st.fixed_dictionaries(
    {
        "text": st.text(max_size=300),
        "number": LONG,
        "place": st.integers(0, 2047),
        "required_note": st.none() | st.text(),
        "inner": st.lists(INNERS, max_size=3),
        "names": st.dictionaries(st.text(), st.text(), max_size=3),
        "places": st.dictionaries(st.text(), st.integers(0, 2047), max_size=3),
        "listed": st.lists(st.text(), max_size=3),
    },
    optional={
        "amount": st.none() | st.floats(),
        "flag": st.none() | st.booleans(),
        "note": st.none() | st.text(),
        "one": st.none() | INNERS,
    },
)
USUAL = {"text": "t", "number": 1, "place": 2, "required_note": None, "inner": [], "names": {}, "places": {}, "listed": []}


def by_fastavro(schema, value):
    out = BytesIO()
    fastavro.schemaless_writer(out, schema, value, strict_allow_default=True)
    return out.getvalue()


@given(VALUES)
def test_the_bytes_are_those_of_fastavro(value):
    assert prepared_writer(SCHEMA)(value) == by_fastavro(SCHEMA, value)


@given(LONG)
def test_every_whole_number_is_spelled_as_fastavro_does(number):
    assert prepared_writer("long")(number) == by_fastavro("long", number)


@pytest.mark.parametrize(
    "changed",
    [
        {"text": None}, {"text": 5}, {"text": "\ud800"}, {"number": "5"}, {"number": 1 << 63}, {"number": True}, {"number": 1.0},
        {"place": -1}, {"place": 2048}, {"amount": 1}, {"amount": True}, {"flag": 1}, {"flag": 0}, {"note": 5}, {"note": "\ud800"},
        {"inner": None}, {"inner": ({"key": "k", "time": 1},)}, {"inner": [{"key": "k"}]}, {"inner": [{"key": "k", "time": 1, "x": 1}]},
        {"one": ("Inner", {"key": "k", "time": 1})}, {"names": [("a", "b")]}, {"names": {5: "b"}}, {"names": {"a": None}},
        {"unknown": 1}, {"places": {"a": 5000}},
    ],
    ids=repr,
)  # fmt: skip
def test_any_other_value_is_left_to_fastavro(changed):
    with pytest.raises(UNUSUAL):
        prepared_writer(SCHEMA)(USUAL | changed)


@pytest.mark.parametrize("left_out", ["text", "required_note", "inner", "listed"])
def test_a_field_left_out_is_written_only_where_null_is_its_default(left_out):
    with pytest.raises(UNUSUAL):
        prepared_writer(SCHEMA)({name: value for name, value in USUAL.items() if name != left_out})


@pytest.mark.parametrize(
    "unusual",
    [
        "bytes",
        "float",
        {"type": "enum", "name": "E", "symbols": ["A"]},
        ["string", "null"],
        ["null", "string", "long"],
        {"type": "record", "name": "R", "fields": [{"name": "r", "type": ["null", "R"], "default": None}]},
    ],
    ids=str,
)
def test_a_schema_with_other_types_has_no_prepared_writer(unusual):
    assert prepared_writer(fastavro.parse_schema(unusual)) is None


def test_every_public_schema_has_a_prepared_writer():
    unprepared = {name for name, schema in shipped().current.items() if prepared_writer(parsed(schema)) is None}
    assert unprepared == set()


def test_what_the_writer_leaves_the_codec_writes_all_the_same():
    avro = Avro.local()
    value = {
        "id": "o", "tenant": "t", "status": "active", "records": [], "tags": [], "segments": [], "attributes": {}, "traits": {},
        "unsettled": [], "updated_at": 1, "sources": [], "provenance": {f"attributes.{n}": 5000 for n in range(3)}, "monthly_spend": 5,
    }  # fmt: skip
    data = avro.encode("org", value)
    assert avro.decode(data)[1]["monthly_spend"] == pytest.approx(5.0)
    with pytest.raises(InvalidRecord, match="monthly_spend"):
        avro.encode("org", value | {"monthly_spend": "5"})
