"""Small schemas for tests: versions of one person schema, each with a realistic change."""

from copy import deepcopy
from typing import Any

from schemas.catalogue import Catalogue, Schema

PERSON: dict[str, Any] = {
    "type": "record",
    "name": "Person",
    "namespace": "example",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "seen", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "role", "type": {"type": "enum", "name": "Role", "symbols": ["user", "lead"]}, "default": "user"},
        {"name": "boss", "type": ["null", "Person"], "default": None},
        {"name": "emails", "type": {"type": "array", "items": "string"}, "default": []},
        {"name": "custom", "type": {"type": "map", "values": ["null", "long", "string"]}, "default": {}},
    ],
}
VALUE: dict[str, Any] = {
    "id": "p1",
    "seen": 1768018294091,
    "role": "lead",
    "boss": {"id": "p0", "seen": 0, "role": "user", "boss": None, "emails": [], "custom": {}},
    "emails": ["ada@example.com"],
    "custom": {"plan": "pro", "seats": 3, "none": None},
}


def schema(definition: dict[str, Any], version: int = 1, name: str = "person") -> Schema:
    return Schema(name, version, definition)


def changed(*, drop: str = "", add: dict[str, Any] | None = None, **types: Any) -> dict[str, Any]:
    """Return PERSON without a field, with another, or with other types."""
    definition = deepcopy(PERSON)
    fields = [
        field | {"type": types.get(field["name"], field["type"])} for field in definition["fields"] if field["name"] != drop
    ]
    return definition | {"fields": [*fields, *([add] if add else [])]}


def catalogue(*definitions: dict[str, Any]) -> Catalogue:
    """Return a catalogue of one schema, its versions oldest first."""
    *earlier, current = (schema(definition, number) for number, definition in enumerate(definitions, 1))
    return Catalogue({"person": current}, {"person": tuple(earlier)})
