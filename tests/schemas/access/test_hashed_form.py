"""Hashes of findings, answers, entries and requests are never made again, so what they are of never changes: fields are only added, and named."""

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec
import pytest
from msgspec import inspect

from schemas.access.findings import CheckState, Finding, LedgerEntry
from schemas.access.hashed_form import added, hash_of
from schemas.access.read_requests import ReadRequest
from schemas.canonical import canonical_exact, digest
from schemas.catalogue import shipped

HASHED = {"finding": Finding, "check_state": CheckState, "ledger_entry": LedgerEntry, "read_request": ReadRequest}
Definition = dict[str, Any]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    one: int


class LaterPart(msgspec.Struct, frozen=True, kw_only=True):
    ADDED: ClassVar[tuple[str, ...]] = ("two", "three")
    one: int
    two: tuple[int, ...] = ()
    three: dict[str, int] = {}


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    part: Part | None = None
    parts: tuple[Part, ...] = ()
    named: dict[str, Part] = {}
    seal: str = ""


class LaterWhole(msgspec.Struct, frozen=True, kw_only=True):
    ADDED: ClassVar[tuple[str, ...]] = ("more",)
    part: LaterPart | None = None
    parts: tuple[LaterPart, ...] = ()
    named: dict[str, LaterPart] = {}
    seal: str = ""
    more: str | None = None


def whole(one: int) -> Whole:
    part = Part(one=one)
    return Whole(part=part, parts=(part, part), named={"a": part}, seal="x")


def test_a_value_from_before_a_field_has_the_hash_that_it_had():
    before = whole(1)
    later = msgspec.convert(msgspec.to_builtins(before), LaterWhole)
    assert hash_of(before) == digest(canonical_exact(before)) == hash_of(later) != digest(canonical_exact(later))
    assert hash_of(before, without="seal") == hash_of(later, without="seal") != hash_of(before)


@pytest.mark.parametrize("path", [("more",), ("part", "two"), ("parts", 1, "two"), ("named", "a", "three")])
def test_a_field_that_is_set_is_hashed_wherever_it_stands(path):
    value: Any = msgspec.to_builtins(whole(1))
    part: Any = value
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = {"more": "text", "two": [1], "three": {"k": 1}}[path[-1]]
    assert hash_of(msgspec.convert(value, LaterWhole)) != hash_of(whole(1))


def test_nothing_has_a_hash_of_its_own():
    assert hash_of(None) == digest(b"null")


@pytest.mark.parametrize("name", HASHED)
def test_fields_since_the_first_schema_are_named_as_added_and_none_is_removed(name):
    *_, current = versions = [version.definition for version in shipped().versions(name)]
    first = {}
    for version in versions:
        for struct, record in pairs(HASHED[name], version, current):
            first.setdefault(struct, {field["name"]: field for field in record["fields"]})
    for struct, record in pairs(HASHED[name], current, current):
        fields = {field["name"]: field for field in record["fields"]}
        assert list(first[struct].keys() - fields.keys()) == [], f"{struct.__name__}: a removed field is in hashes of before"
        assert set(added(struct)) == fields.keys() - first[struct].keys(), f"{struct.__name__}.ADDED"


@pytest.mark.parametrize("name", HASHED)
def test_the_default_of_an_added_field_is_the_one_that_values_of_before_are_read_with(name):
    for version in shipped().versions(name):
        for struct, record in pairs(HASHED[name], version.definition, version.definition):
            defaults = {field.name: field.default for field in msgspec.structs.fields(struct)}
            found = {field["name"]: field["default"] for field in record["fields"] if field["name"] in added(struct)}
            assert found == msgspec.to_builtins({each: defaults[each] for each in found}), struct.__name__


def pairs(
    struct: type[msgspec.Struct], version: Definition, current: Definition
) -> Iterator[tuple[type[msgspec.Struct], Definition]]:
    """Yield each struct with its record in a version of the schema, as far as that version has it."""
    named = {record["name"]: record for record in records(version)}
    for each, name in names(struct, current):
        if name in named:
            yield each, named[name]


def names(struct: type[msgspec.Struct], record: Definition) -> Iterator[tuple[type[msgspec.Struct], str]]:
    """Yield each struct with the name of its record."""
    yield struct, record["name"]
    types = {field["name"]: field["type"] for field in record["fields"]}
    for field in inspect.type_info(struct).fields:
        for inner, definition in zip(structs(field.type), records(types[field.name], deep=False), strict=True):
            yield from names(inner, definition)


def structs(type_: Any) -> list[type[msgspec.Struct]]:
    if isinstance(type_, inspect.StructType):
        return [type_.cls]
    inner = getattr(type_, "types", None) or [getattr(type_, "item_type", None) or getattr(type_, "value_type", None)]
    return [each for part in inner if part is not None for each in structs(part)]


def records(definition: Any, *, deep: bool = True) -> Iterator[Definition]:
    """Yield the records of a type, with `deep` also those of their fields."""
    if isinstance(definition, list):
        for each in definition:
            yield from records(each, deep=deep)
    elif isinstance(definition, dict) and definition["type"] == "record":
        yield definition
        for field in definition["fields"] if deep else ():
            yield from records(field["type"])
    elif isinstance(definition, dict):
        yield from records(definition.get("items", definition.get("values", definition["type"])), deep=deep)
