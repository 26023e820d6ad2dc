"""Schema compatibility, FULL_TRANSITIVE: every version can be read as every other, so producers and readers upgrade in any order.

Avro 1.11, section "Schema Resolution", with three stricter rules: names must match in full; a logical type may not change,
because the same number would mean something else; text is not bytes.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from fastavro import parse_schema

from schemas.catalogue import Schema

_PROMOTIONS: Final = {
    "int": {"int", "long", "float", "double"},
    "long": {"long", "float", "double"},
    "float": {"float", "double"},
}  # writer's type → types it can be read as


def incompatibilities(newest: Schema, earlier: Iterable[Schema]) -> list[str]:
    """Return every incompatibility between the newest version and each earlier one; without any it may be released."""
    reasons = []
    for before in earlier:
        reasons += [f"version {newest.version} cannot read version {before.version}: {why}" for why in unreadable(before, newest)]
        reasons += [f"version {before.version} cannot read version {newest.version}: {why}" for why in unreadable(newest, before)]
    return reasons


def unreadable(writer: Schema, reader: Schema) -> list[str]:
    """Return why values of one schema cannot be read as another."""
    return list(_Resolution(writer.definition, reader.definition).reasons())


class _Resolution:
    """One walk over two schemas; a pair of named types is compared once, since types may contain themselves."""

    def __init__(self, writer: Any, reader: Any) -> None:
        self._writer_names: dict[str, Any] = {}
        self._reader_names: dict[str, Any] = {}
        self._writer = parse_schema(writer, named_schemas=self._writer_names)
        self._reader = parse_schema(reader, named_schemas=self._reader_names)
        self._seen: set[tuple[str, str]] = set()

    def reasons(self) -> Iterator[str]:
        return self._compare(self._writer, self._reader, "")

    def _compare(self, writer: Any, reader: Any, path: str) -> Iterator[str]:
        writer, reader = self._writer_names.get(_name(writer), writer), self._reader_names.get(_name(reader), reader)
        if isinstance(writer, list):
            for branch in writer:
                yield from self._compare(branch, reader, path)
            return
        if isinstance(reader, list):
            if all(any(self._attempt(writer, branch, path)) for branch in reader):
                yield f"{path or 'the root'}: {_label(writer)} is not among {', '.join(map(_label, reader))}"
            return
        yield from self._single(writer, reader, path)

    def _attempt(self, writer: Any, reader: Any, path: str) -> list[str]:
        seen = set(self._seen)
        reasons = list(self._compare(writer, reader, path))
        self._seen = seen if reasons else self._seen
        return reasons

    def _single(self, writer: Any, reader: Any, path: str) -> Iterator[str]:
        at = path or "the root"
        written, expected = _type(writer), _type(reader)
        if expected not in _PROMOTIONS.get(written, {written}):
            yield f"{at}: {written} was written, {expected} is expected"
        elif _logical(writer) != _logical(reader):
            yield f"{at}: the logical type changed from {_logical(writer)} to {_logical(reader)}"
        elif written in {"record", "enum", "fixed", "error"}:
            yield from self._named(writer, reader, path)
        elif written == "array":
            yield from self._compare(writer["items"], reader["items"], f"{path}[]")
        elif written == "map":
            yield from self._compare(writer["values"], reader["values"], f"{path}{{}}")

    def _named(self, writer: Any, reader: Any, path: str) -> Iterator[str]:
        pair = (writer["name"], reader["name"])
        if pair in self._seen:
            return
        self._seen.add(pair)
        if pair[0] != pair[1]:
            yield f"{path or 'the root'}: the type {pair[0]} became {pair[1]}"
        elif writer["type"] == "record":
            yield from self._fields(writer, reader, path)
        elif writer["type"] == "enum":
            missing = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
            if missing and "default" not in reader:
                yield f"{path or 'the root'}: the enum knows no {', '.join(missing)}"
        elif writer["size"] != reader["size"]:
            yield f"{path or 'the root'}: the size changed from {writer['size']} to {reader['size']}"

    def _fields(self, writer: Any, reader: Any, path: str) -> Iterator[str]:
        writers = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            names = (field["name"], *field.get("aliases", ()))
            source = next((writers[name] for name in names if name in writers), None)
            at = f"{path}.{field['name']}".lstrip(".")
            if source is not None:
                yield from self._compare(source["type"], field["type"], at)
            elif "default" not in field:
                yield f"{at}: the field is missing and has no default"


def _name(schema: Any) -> str:
    return schema if isinstance(schema, str) else ""


def _type(schema: Any) -> str:
    return str(schema["type"]) if isinstance(schema, dict) else str(schema)


def _label(schema: Any) -> str:
    return str(schema.get("name", schema["type"])) if isinstance(schema, dict) else str(schema)


def _logical(schema: Any) -> str | None:
    return schema.get("logicalType") if isinstance(schema, dict) else None
