import contextlib
import json
from io import BytesIO

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import operations, workspaces
from schemas.catalogue import Catalogue, Schema, read
from schemas.codec import FRAME, Avro, framing_id, payload
from schemas.errors import InvalidRecord
from schemas.plain_values import plain
from schemas.workspaces import WorkspaceState, WorkspaceStatus
from tests.support.avro_schemas import PERSON, VALUE, catalogue, changed, schema

AVRO = Avro.local(catalogue(PERSON))
BYTES = AVRO.encode("person", VALUE)


def test_a_value_comes_back_as_it_went():
    assert AVRO.decode(BYTES) == ("person", VALUE)


def test_the_frame_is_a_zero_byte_and_the_schema_id_and_the_rest_is_plain_avro():
    assert BYTES[0] == 0
    assert framing_id(BYTES) == schema(PERSON).local_id
    assert fastavro.schemaless_reader(BytesIO(payload(BYTES)), fastavro.parse_schema(PERSON))["id"] == "p1"


def test_a_local_id_follows_from_the_whole_schema_and_fits_a_signed_integer():
    documented = PERSON | {"doc": "Somebody."}
    assert schema(PERSON).local_id == schema(json.loads(json.dumps(PERSON, indent=3))).local_id
    assert schema(PERSON).local_id != schema(documented).local_id
    assert 0 <= schema(PERSON).local_id < 2**31


def test_fields_with_a_default_may_be_left_out():
    data = AVRO.encode("person", {"id": "p2", "seen": 5})
    assert AVRO.decode(data)[1] == {"id": "p2", "seen": 5, "role": "user", "boss": None, "emails": [], "custom": {}}


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ({"id": "p1"}, "seen"),
        ({**VALUE, "surname": "secret@example.com"}, "surname"),
        ({**VALUE, "emails": ["x", 5]}, "emails"),
        ({**VALUE, "seen": "secret@example.com"}, "seen"),
        ({**VALUE, "seen": 1 << 64}, "seen"),
        ({**VALUE, "role": "secret@example.com"}, "role"),
        ({**VALUE, "boss": {"id": 7, "seen": 1}}, "boss"),
        ({**VALUE, "id": "\ud800"}, "surrogate"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_place_and_without_its_text(value, field):
    with pytest.raises(InvalidRecord, match=field) as refused:
        AVRO.encode("person", value)
    assert "secret" not in str(refused.value)


def test_an_unknown_schema_id_is_named():
    with pytest.raises(InvalidRecord, match="schema id 77 "):
        AVRO.decode(b"\x00\x00\x00\x00\x4d\x02")


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x00\x00\x01", b"\x01" + BYTES[1:], b'{"id": 1}'])
def test_bytes_without_a_frame_are_refused(data):
    with pytest.raises(InvalidRecord, match="framing"):
        AVRO.decode(data)


def test_every_cut_is_noticed():
    for length in range(FRAME, len(BYTES)):
        with pytest.raises(InvalidRecord):
            AVRO.decode(BYTES[:length])


def test_trailing_bytes_are_noticed():
    with pytest.raises(InvalidRecord, match="2 bytes follow"):
        AVRO.decode(BYTES + b"\x00\x00")


@given(st.binary(max_size=60))
def test_whatever_follows_a_known_id_is_a_value_or_unusable(body):
    with contextlib.suppress(InvalidRecord):
        AVRO.decode(BYTES[:FRAME] + body)


def test_what_an_earlier_version_wrote_is_read_as_the_current_one():
    older = changed(drop="custom")
    written = Avro.local(catalogue(older)).encode(
        "person", {key: part for key, part in VALUE.items() if key not in {"custom", "boss"}}
    )
    name, value = Avro.local(catalogue(older, PERSON)).decode(written)
    assert (name, value["id"], value["custom"], value["boss"]) == ("person", "p1", {}, None)


def test_ids_of_a_registry_take_the_place_of_local_ones():
    avro = Avro({"person": 12}, catalogue=catalogue(PERSON))
    assert framing_id(avro.encode("person", VALUE)) == 12
    assert avro.decode(avro.encode("person", VALUE)) == ("person", VALUE)
    with pytest.raises(InvalidRecord, match="unknown"):
        avro.decode(BYTES)


def test_an_id_learnt_later_is_read():
    avro = Avro({"person": 12}, catalogue=catalogue(PERSON))
    assert not avro.knows(framing_id(BYTES))
    avro.add(framing_id(BYTES), schema(PERSON))
    assert avro.decode(BYTES) == ("person", VALUE)


def test_the_schema_is_named_alike_with_and_without_a_registry():
    assert AVRO.data_schema("person") == Avro({"person": 12}, catalogue=catalogue(PERSON)).data_schema("person")
    assert AVRO.data_schema("person") == f"urn:intercom-streams:schema:person:{schema(PERSON).fingerprint[:16]}"


def test_a_union_of_records_says_which_one():
    union = [{"type": "record", "name": name, "fields": [{"name": "x", "type": "long"}]} for name in ("A", "B")]
    pair = {"type": "record", "name": "Pair", "fields": [{"name": "one", "type": union}]}
    avro = Avro.local(Catalogue({"pair": Schema("pair", 1, pair)}, {}))
    assert avro.decode(avro.encode("pair", {"one": ("B", {"x": 1})})) == ("pair", {"one": ("B", {"x": 1})})


def test_a_directory_is_read_with_its_history_oldest_first(tmp_path):
    (tmp_path / "history").mkdir()
    for name, definition in (
        ("history/person.2", changed(drop="custom")),
        ("history/person.1", changed(drop="boss")),
        ("person", PERSON),
    ):
        (tmp_path / f"{name}.avsc").write_text(json.dumps(definition))
    from_files = read(tmp_path)
    assert [version.version for version in from_files.versions("person")] == [1, 2, 3]
    assert [version.definition for version in from_files.versions("person")] == [
        changed(drop="boss"),
        changed(drop="custom"),
        PERSON,
    ]


def test_what_is_no_value_of_a_topic_is_refused_with_the_reason():
    avro = Avro.local()
    state = WorkspaceState(tenant="acme", app_id="abc12345", state=WorkspaceStatus.PAUSED, since=1)
    of_a_newer_release = avro.encode(workspaces.SCHEMA, plain(state) | {"state": "frozen"})
    of_another_schema = operations.encode(avro, operations.Operation(id="1", kind="redrive", time=1))
    assert workspaces.decode(avro, workspaces.encode(avro, state)) == state
    for data, reason in [
        (None, "a record without a value is no state of a workspace"),
        (of_another_schema, "a value of schema operation is no state of a workspace"),
        (of_a_newer_release, r"is no state of a workspace that this release knows.*\$\.state.*newer"),
    ]:
        with pytest.raises(InvalidRecord, match=reason):
            workspaces.decode(avro, data)
