"""Facts: the struct, the schema and the table of kinds agree, and every kind has an example with its parts."""

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

import schemas
from schemas.access import fact_records, facts, read_requests
from schemas.access import findings as violations
from schemas.access.fact_kinds import KINDS, Support
from schemas.access.facts import Fact
from schemas.catalogue import shipped
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.plain_values import plain
from streams.core.access.facts.apply import _APPLY

AVRO = Avro.local()
EXAMPLES = Path(schemas.__file__).parent / "examples" / "access.facts"


def example(kind: str) -> dict[str, Any]:
    return json.loads((EXAMPLES / f"{kind.replace('.', '_')}.json").read_text())


@pytest.mark.parametrize("kind", KINDS.values(), ids=str)
def test_every_kind_has_an_example_with_the_parts_it_must_carry(kind: Any):
    fact = msgspec.convert(example(kind.name), Fact)
    assert fact.kind == kind.name
    assert [part for part in kind.parts if getattr(fact, part) is None and part != "time"] == []
    assert fact_records.decode(AVRO, fact_records.encode(AVRO, fact)) == fact


def test_every_example_is_of_a_kind_in_the_table():
    assert {path.stem for path in EXAMPLES.iterdir()} == {name.replace(".", "_") for name in KINDS}


def test_every_kind_with_an_effect_now_is_applied_and_no_other():
    assert set(_APPLY) == {kind.name for kind in KINDS.values() if kind.support is Support.NOW}


def test_only_decisions_name_what_they_replace():
    assert {name for name in KINDS if example(name)["replaces"]} <= {kind.name for kind in KINDS.values() if kind.decision}


@pytest.mark.parametrize(
    ("struct", "schema"),
    [
        (facts.Fact, "fact"),
        (violations.Finding, "finding"),
        (violations.CheckState, "check_state"),
        (violations.LedgerEntry, "ledger_entry"),
        (read_requests.ReadRequest, "read_request"),
    ],
)
def test_struct_and_schema_have_the_same_fields_at_every_depth(struct: type[msgspec.Struct], schema: str):
    def of_schema(kind: Any, known: dict[str, Any]) -> Any:
        if isinstance(kind, list):
            return of_schema(next(part for part in kind if part != "null"), known)
        if isinstance(kind, str) and kind in known:
            return known[kind]
        if isinstance(kind, dict) and kind["type"] == "record":
            known[kind["name"]] = {}
            known[kind["name"]] |= {field["name"]: of_schema(field["type"], known) for field in kind["fields"]}
            return known[kind["name"]]
        return of_schema(kind.get("items", kind.get("values")), known) if isinstance(kind, dict) else None

    def of_struct(kind: Any) -> Any:
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return {field.name: of_struct(field.type) for field in msgspec.structs.fields(kind)}
        inner = [part for part in get_args(kind) if part not in (type(None), Ellipsis, str)]
        return of_struct(inner[0]) if inner else None

    assert of_schema(shipped().current[schema].definition, {}) == of_struct(struct)


@pytest.mark.parametrize("schema", ["fact", "finding", "check_state", "ledger_entry", "read_request"])
def test_every_part_of_a_public_record_is_explained(schema: str):
    def unexplained(kind: Any) -> list[str]:
        if isinstance(kind, list):
            return [name for part in kind for name in unexplained(part)]
        if not isinstance(kind, dict):
            return []
        undocumented = [kind["name"]] if kind["type"] == "record" and not kind.get("doc") else []
        inner = [field["type"] for field in kind.get("fields", ())] + [kind.get("items"), kind.get("values")]
        return undocumented + [name for part in inner for name in unexplained(part)]

    assert unexplained(shipped().current[schema].definition) == []


def test_everything_personal_of_a_fact_is_in_its_personal_part():
    for kind in KINDS:
        value = example(kind)
        value.pop("person")
        value.pop("settings")  # domains, not addresses
        assert "example.com" not in json.dumps(value)
        assert "Jo " not in json.dumps(value)


def test_a_value_of_another_schema_is_no_fact():
    row = violations.CheckState(tenant="t", check="C1", app_id="a", result="PASS", reason="r", since=0, rule_version="1")
    with pytest.raises(InvalidRecord, match="is no fact"):
        fact_records.decode(AVRO, AVRO.encode("check_state", plain(row)))
