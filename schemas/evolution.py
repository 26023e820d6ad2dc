"""May a schema follow another? FULL_TRANSITIVE: every version can be read as every other, so producers and readers upgrade in any order.

Avro 1.11, section "Schema Resolution", with three things stricter: names must match in full; a logical type may not change, because the
same number would mean something else; text is not bytes.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from fastavro import parse_schema

from schemas.catalogue import Schema

_PROMOTIONS = {
    "int": {"int", "long", "float", "double"},
    "long": {"long", "float", "double"},
    "float": {"float", "double"},
}  # writer's type → types it can be read as


def incompatibilities(newest: Schema, earlier: Iterable[Schema]) -> list[str]:
    """Say everything that keeps the newest version from standing beside each earlier one; empty means it may be released."""
    found = []
    for before in earlier:
        found += [f"version {newest.version} cannot read version {before.version}: {why}" for why in unreadable(before, newest)]
        found += [f"version {before.version} cannot read version {newest.version}: {why}" for why in unreadable(newest, before)]
    return found


def unreadable(writer: Schema, reader: Schema) -> list[str]:
    """Say why values of one schema cannot be read as another."""
    return list(_Resolution(writer.definition, reader.definition).reasons())


class _Resolution:
    """One walk over two schemas; pairs of named types already under way are not entered again, since types may hold themselves."""

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
                yield f"{path or 'the root'}: {_called(writer)} is not among {', '.join(map(_called, reader))}"
            return
        yield from self._single(writer, reader, path)

    def _attempt(self, writer: Any, reader: Any, path: str) -> list[str]:
        seen = set(self._seen)
        found = list(self._compare(writer, reader, path))
        self._seen = seen if found else self._seen
        return found

    def _single(self, writer: Any, reader: Any, path: str) -> Iterator[str]:
        at = path or "the root"
        kind, wanted = _kind(writer), _kind(reader)
        if wanted not in _PROMOTIONS.get(kind, {kind}):
            yield f"{at}: {kind} was written, {wanted} is expected"
        elif _logical(writer) != _logical(reader):
            yield f"{at}: the logical type changed from {_logical(writer)} to {_logical(reader)}"
        elif kind in {"record", "enum", "fixed", "error"}:
            yield from self._named(writer, reader, path)
        elif kind == "array":
            yield from self._compare(writer["items"], reader["items"], f"{path}[]")
        elif kind == "map":
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
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            names = (field["name"], *field.get("aliases", ()))
            source = next((written[name] for name in names if name in written), None)
            at = f"{path}.{field['name']}".lstrip(".")
            if source is not None:
                yield from self._compare(source["type"], field["type"], at)
            elif "default" not in field:
                yield f"{at}: the field is missing and has no default"


def _name(schema: Any) -> str:
    return schema if isinstance(schema, str) else ""


def _kind(schema: Any) -> str:
    return str(schema["type"]) if isinstance(schema, dict) else str(schema)


def _called(schema: Any) -> str:
    return str(schema.get("name", schema["type"])) if isinstance(schema, dict) else str(schema)


def _logical(schema: Any) -> str | None:
    return schema.get("logicalType") if isinstance(schema, dict) else None
