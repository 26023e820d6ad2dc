"""What the prepared writer and reader of Avro share: which part of a schema each of their functions is for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

Named = Mapping[str, Any]
"""The definitions of a schema's named types."""
Within = tuple[str, ...]
"""The names of the records around a part."""

T = TypeVar("T")


class UnusualValue(ValueError):
    """A part of a schema, a value, or bytes that neither of the two handles."""


class Encoded(bytes):
    """An array that is Avro already: the writer passes it on. What makes one has to know the array's schema."""

    __slots__ = ()


class Preparers(NamedTuple, Generic[T]):
    """What handles each type: as it is, or made for the part of the schema where it stands."""

    simple: Mapping[Any, T]
    composed: Mapping[Any, Callable[[Any, Named, Within], T]]
    union: Callable[[Sequence[Any], Named, Within], T]


def prepare(schema: Any, named: Named, within: Within, preparers: Preparers[T]) -> T:
    """Return what handles a part of a schema. Raises UnusualValue for a type that nothing is prepared for."""
    if isinstance(schema, list):
        return preparers.union(schema, named, within)
    kind = schema["type"] if isinstance(schema, dict) else schema
    if kind in named:
        schema, kind = named[kind], named[kind]["type"]
    if kind in preparers.simple:
        return preparers.simple[kind]
    composed = preparers.composed.get(kind)
    if composed is None:
        raise UnusualValue(kind)
    return composed(schema, named, within)


def record_within(schema: Any, within: Within) -> Within:
    """Return the names around the fields of a record. Raises UnusualValue for a record within itself."""
    if schema["name"] in within:
        raise UnusualValue("a record within itself")
    return (*within, schema["name"])


def named_types(schema: Any) -> dict[str, Any]:
    """Return the definitions of named types anywhere in a schema."""
    named: dict[str, Any] = {}
    if isinstance(schema, list):
        for part in schema:
            named |= named_types(part)
    elif isinstance(schema, dict):
        named |= named_types([field["type"] for field in schema.get("fields", ())])
        named |= named_types([schema[key] for key in ("items", "values") if key in schema])
        if "name" in schema:
            named[schema["name"]] = schema
    return named
