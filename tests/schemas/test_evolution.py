import re

import pytest

from schemas.catalogue import shipped
from schemas.evolution import incompatibilities, unreadable
from tests.support.avro_schemas import PERSON, changed, schema

ADDED = {"name": "nick", "type": ["null", "string"], "default": None}


def enum(*symbols, **more):
    return {"type": "enum", "name": "Role", "symbols": list(symbols), **more}


@pytest.mark.parametrize(
    "definition",
    [
        PERSON,
        changed(add=ADDED),
        changed(drop="emails"),
        changed(drop="boss", add=ADDED),
        PERSON | {"doc": "Somebody."},
    ],
)
def test_allowed_changes(definition):
    assert incompatibilities(schema(definition, 2), [schema(PERSON)]) == []


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        (changed(drop="id"), "version 1 cannot read version 2: id: the field is missing and has no default"),
        (changed(add={"name": "nick", "type": "string"}), "version 2 cannot read version 1: nick: the field is missing"),
        (changed(emails={"type": "array", "items": "int"}), r"emails\[\]: string was written, int is expected"),
        (changed(id="bytes"), "id: string was written, bytes is expected"),
        (changed(id="long"), "id: string was written, long is expected"),
        (changed(seen="long"), "seen: the logical type changed from timestamp-millis to None"),
        (changed(seen={"type": "double"}), "version 1 cannot read version 2: seen: double was written, long is expected"),
        (changed(role=enum("user", "lead", "contact")), "version 1 cannot read version 2: role: the enum knows no contact"),
        (changed(role=enum("user")), "version 2 cannot read version 1: role: the enum knows no lead"),
        (
            changed(role={"type": "enum", "name": "Kind", "symbols": ["user", "lead"]}),
            "the type example.Role became example.Kind",
        ),
        (changed(id=["null", "string"]), "version 1 cannot read version 2: id: null was written, string is expected"),
        (changed(custom={"type": "map", "values": ["null", "long"]}), r"custom\{\}: string is not among null, long"),
        (changed(boss=["null", "Human"]) | {"name": "Human"}, "the root: the type example.Person became example.Human"),
        (PERSON | {"namespace": "other"}, "the root: the type example.Person became other.Person"),
    ],
)
def test_changes_that_break_readers_or_writers_are_named(definition, why):
    reasons = "; ".join(incompatibilities(schema(definition, 2), [schema(PERSON)]))
    assert re.search(why, reasons), reasons


def test_every_earlier_version_counts_not_only_the_last():
    first, second = changed(drop="id"), PERSON | {"fields": [{"name": "id", "type": "string", "default": ""}]}
    third = schema(PERSON | {"fields": [{"name": "id", "type": "long", "default": 0}]}, 3)
    assert incompatibilities(third, [schema(first), schema(second, 2)]) != []
    assert any("version 2" in reason for reason in incompatibilities(third, [schema(first), schema(second, 2)]))


def test_a_number_may_widen_in_one_direction_only():
    narrow, wide = schema(changed(seen="int")), schema(changed(seen="long"), 2)
    assert unreadable(narrow, wide) == []
    assert unreadable(wide, narrow) == ["seen: long was written, int is expected"]


def test_types_that_hold_themselves_are_compared_once():
    deeper = changed(drop="boss", add={"name": "boss", "type": ["null", "Person"], "default": None})
    assert incompatibilities(schema(deeper, 2), [schema(PERSON)]) == []


def test_an_enum_with_a_default_reads_symbols_it_does_not_know():
    assert (
        unreadable(
            schema(changed(role=enum("user", "lead", "contact"))), schema(changed(role=enum("user", "lead", default="user")))
        )
        == []
    )


@pytest.mark.parametrize("name", sorted(shipped().current))
def test_each_schema_stands_beside_all_its_earlier_versions(name):
    *earlier, current = shipped().versions(name)
    assert incompatibilities(current, earlier) == []


def test_history_is_numbered_without_gaps_and_never_repeats_the_current_version():
    for name, versions in shipped().history.items():
        assert [version.version for version in versions] == list(range(1, len(versions) + 1)), name
        assert len({version.fingerprint for version in shipped().versions(name)}) == len(versions) + 1, name
