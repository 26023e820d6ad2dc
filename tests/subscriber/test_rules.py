"""The rules of the subscriber without Kafka: what is new, what repeats, what is missing, and when to trust nothing."""

import ast
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest
from hatchling.builders.wheel import WheelBuilder
from hypothesis import given
from hypothesis import strategies as st
from intercom_streams_subscriber import Coverage, Finding, SeenFindings, UnknownSchema, UnreadableRecord
from intercom_streams_subscriber.avro import AvroReader
from intercom_streams_subscriber.schemas import Schemas, local_id

import schemas as product_schemas
from schemas.catalogue import shipped
from schemas.codec import FRAME, Avro

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "subscriber/src/intercom_streams_subscriber"
EXAMPLES = Path(product_schemas.__file__).parent / "examples"
AVRO = Avro.local()
NOW = 1_768_020_300_000


def finding(uid, sequence, **more):
    value = json.loads((EXAMPLES / "access.violations.json/c1_opened.json").read_text()) | more
    value["finding_info"]["uid"], value["metadata"]["sequence"] = uid, sequence
    return msgspec.json.decode(json.dumps(value), type=Finding)


@pytest.mark.parametrize("path", sorted((EXAMPLES / "access.violations.json").glob("*.json")), ids=lambda path: path.stem)
def test_every_example_of_a_finding_is_read_and_shows_nothing_personal_in_its_repr(path):
    value = json.loads(path.read_text())
    read = msgspec.json.decode(path.read_bytes(), type=Finding)
    assert (read.uid, read.sequence, read.tenant) == (value["finding_info"]["uid"], value["metadata"]["sequence"], "acme")
    assert read.is_closed == (value["activity_name"] == "Close")
    assert read.is_failing == (value["compliance"]["status_id"] == 3 and value["activity_name"] != "Close")
    assert "@" not in repr(read)


def test_what_a_newer_release_adds_is_ignored_and_what_an_older_one_lacks_has_a_default():
    assert finding("f", 1, new_field={"x": 1}).sequence == 1
    value = json.loads((EXAMPLES / "access.violations.json/c1_opened.json").read_text())
    for name in ("activity_name", "severity", "status"):
        value.pop(name)
    assert msgspec.json.decode(json.dumps(value), type=Finding).status == ""


def test_repeats_gaps_and_a_start_in_the_middle():
    seen = SeenFindings({"known": 4})
    first = seen.take(finding("middle", 7))
    assert (first.is_first, list(first.missing), first.is_repeat) == (True, [], False)
    assert list(seen.take(finding("middle", 10)).missing) == [8, 9]
    assert seen.take(finding("middle", 10)).is_repeat
    assert seen.take(finding("middle", 8)).is_repeat
    assert seen.take(finding("known", 4)).is_repeat
    assert not seen.take(finding("known", 5)).is_first


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), max_size=60))
def test_of_each_finding_sequences_are_handed_over_in_rising_order_and_gaps_name_exactly_what_is_missing(history):
    seen, kept = SeenFindings(), {}
    for uid, sequence in history:
        delivery = seen.take(finding(uid, sequence))
        if delivery.is_repeat:
            assert sequence <= kept[uid][-1]
            continue
        before = kept.setdefault(uid, [])
        assert delivery.is_first == (not before)
        assert list(delivery.missing) == ([] if not before else list(range(before[-1] + 1, sequence)))
        before.append(sequence)
    assert all(numbers == sorted(set(numbers)) for numbers in kept.values())


def test_memory_is_bounded():
    seen = SeenFindings(remember=3)
    for number in range(10):
        seen.take(finding(f"f{number}", 1))
    assert len(seen) == 3


def row(**more):
    value = json.loads((EXAMPLES / "access.state/coverage_of_a_workspace.json").read_text()) | {"evaluated_through": NOW} | more
    source = value["source"] or ""
    return f"{value['tenant']}|coverage|{value['app_id']}||{source}".encode(), AVRO.encode("check_state", value)


def coverage(*rows, now=NOW, complete=True):
    made = Coverage(now=lambda: now)
    for key, value in rows:
        made.take(key, value)
    made.is_complete = complete
    return made


def test_answers_are_trusted_for_thirty_minutes_and_no_longer():
    assert coverage(row(), now=NOW + 30 * 60_000).trust("acme", "abc12345")
    stale = coverage(row(), now=NOW + 30 * 60_000 + 1)
    assert not stale.trust("acme", "abc12345")
    assert stale.why("acme", "abc12345") == "the answers about workspace abc12345 are older than 30 minutes"


def test_no_row_another_tenants_row_a_deleted_row_and_an_unread_topic_are_not_trusted():
    assert coverage().why("acme", "abc12345") == "nothing is known about workspace abc12345"
    assert not coverage(row()).trust("other", "abc12345")
    assert not coverage(row()).trust("acme", "other")
    assert not coverage(row(), (row()[0], None)).trust("acme", "abc12345")
    assert coverage(row(), complete=False).why("acme", "abc12345") == "the coverage is not read yet"
    assert not coverage(row(evaluated_through=None)).trust("acme", "abc12345")


def test_a_stale_staff_source_is_not_trusted_and_one_without_a_snapshot_is_named():
    source = {"app_id": "", "source": "hr", "result": "UNKNOWN", "reason": "no_complete_snapshot"}
    fresh = coverage(row(), row(**source))
    assert fresh.trust("acme", "abc12345")
    assert fresh.lacks("acme", "abc12345") == ["staff source hr is UNKNOWN: no_complete_snapshot"]
    assert "staff source hr" in coverage(row(), row(**source, evaluated_through=NOW - 31 * 60_000)).why("acme", "abc12345")


def test_a_row_of_an_unknown_schema_or_of_damaged_bytes_makes_the_coverage_unknown_until_the_next():
    key, value = row()
    for bad in (b"\0\x7f\xff\xff\xff" + value[FRAME:], value[:-3], b"{}", value + b"x"):
        made = coverage((key, value), (key, bad))
        assert "cannot be read" in made.why("acme", "abc12345")
        made.take(key, value)
        assert made.trust("acme", "abc12345")


def test_rows_of_other_checks_are_ignored():
    made = coverage(row(), (b"acme|C1|abc12345|7|", b"anything"))
    assert made.trust("acme", "abc12345")
    assert len(made.rows()) == 1


@pytest.mark.parametrize("path", sorted((EXAMPLES / "access.state").glob("*.json")), ids=lambda path: path.stem)
def test_the_small_reader_reads_what_the_product_writes(path):
    value = json.loads(path.read_text())
    assert Schemas().read(AVRO.encode("check_state", value)) == value


@pytest.mark.parametrize("name", sorted(shipped().current))
def test_the_small_reader_reads_every_schema_of_the_product(name):
    schema = shipped().current[name]
    assert local_id(json.dumps(schema.definition)) == schema.local_id
    topics = [topic for topic in EXAMPLES.iterdir() if topic.is_dir()]
    for path in (path for topic in topics for path in topic.glob("*.json")):
        value = json.loads(path.read_text())
        try:
            encoded = AVRO.encode(name, value)
        except Exception:  # noqa: BLE001  # an example of another topic
            continue
        assert AvroReader(schema.definition).read(encoded, FRAME) == AVRO.decode(encoded)[1]


def test_a_block_with_its_size_before_it_is_read():
    """Avro's second form of a block, which other writers use: a negative count, then the bytes of the block."""
    reader = AvroReader({"type": "array", "items": "long"})
    hundred = b"\xc8\x01"
    assert reader.read(b"\x03\x08" + hundred * 2 + b"\0") == [100, 100] == reader.read(b"\x04" + hundred * 2 + b"\0")


@given(st.binary(max_size=200))
def test_damaged_bytes_are_unreadable_and_nothing_else(data):
    with pytest.raises((UnreadableRecord, UnknownSchema)):
        Schemas().read(b"\0" + shipped().current["check_state"].local_id.to_bytes(4, "big") + data + b"\x7f" * 30)


def test_the_schemas_of_the_package_are_those_of_the_product_with_every_earlier_version():
    source = ROOT / "schemas/avro"
    expected = {"check_state.avsc": (source / "check_state.avsc").read_bytes()}
    expected |= {path.name: path.read_bytes() for path in (source / "history").glob("check_state.*")}
    assert {path.name: path.read_bytes() for path in (PACKAGE / "schemas").glob("*.avsc")} == expected


def test_a_retired_schema_is_read_by_its_own_definition_and_lacks_only_what_it_did_not_have():
    """An earlier version of the rows, as one would be in `schemas/avro/history`: without the field of now, with one that is gone."""
    current = json.loads((PACKAGE / "schemas/check_state.avsc").read_text())
    kept = [field for field in current["fields"] if field["name"] != "complete_since"]
    retired = current | {"fields": [*kept, {"name": "gone", "type": "string", "default": ""}]}
    earlier = Avro({"check_state": 7}, catalogue=_catalogue(retired))
    value = json.loads((EXAMPLES / "access.state/coverage_of_a_workspace.json").read_text()) | {
        "gone": "x",
        "evaluated_through": NOW,
    }
    value.pop("complete_since")
    known = Schemas()
    known._readers[7] = AvroReader(retired)
    made = Coverage(known, now=lambda: NOW)
    made.take(row()[0], earlier.encode("check_state", value))
    made.is_complete = True
    assert made.trust("acme", "abc12345")
    assert made.rows()[0].complete_since is None


def _catalogue(definition):
    schema = msgspec.structs.replace(shipped().current["check_state"], definition=definition)
    return msgspec.structs.replace(shipped(), current={"check_state": schema}, history={})


def test_the_package_needs_a_kafka_client_and_msgspec_and_nothing_else():
    imported = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {each.name.partition(".")[0] for each in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module.partition(".")[0])
    assert imported - set(sys.stdlib_module_names) == {"confluent_kafka", "msgspec", "intercom_streams_subscriber"}


def test_the_wheel_builds_and_what_is_in_it_runs_without_the_product(tmp_path):
    (built,) = WheelBuilder(str(ROOT / "subscriber")).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(built) as wheel:
        names = set(wheel.namelist())
        wheel.extractall(tmp_path / "installed")
    listed = subprocess.run(
        ["git", "ls-files", "subscriber/src"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert {name.removeprefix("subscriber/src/") for name in listed} <= names
    code = "import intercom_streams_subscriber as s, sys; s.Coverage(); assert not {'faust', 'schemas', 'streams', 'aiokafka'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path / "installed")
