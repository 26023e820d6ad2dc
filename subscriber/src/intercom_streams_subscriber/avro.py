"""Reads Avro binary by its schema: what rows of `access.state` need, without a further package.

Source: Apache Avro 1.12 specification, "Binary Encoding". Values are plain: a record is a dict, a union its branch.
"""

import struct
from collections.abc import Callable
from typing import Any

from intercom_streams_subscriber.errors import UnreadableRecord

_MORE = 0x80  # the bit of a byte that says that another byte of the number follows
_LAST_BIT = 63
_MOST_ITEMS = 1_000_000  # of one block: more is not data, but a value that was damaged


class AvroReader:
    """Reads values of one schema."""

    def __init__(self, schema: Any) -> None:
        self._named: dict[str, Any] = {}
        self._schema = schema
        self._name(schema, "")

    def read(self, data: bytes, at: int = 0) -> Any:
        """Return the value that begins at an index and fills the rest. Raises UnreadableRecord."""
        bytes_ = _Bytes(data, at)
        try:
            value = self._value(self._schema, bytes_)
        except (IndexError, ValueError, KeyError, struct.error, RecursionError) as error:
            raise UnreadableRecord("a value is cut off, or was not written with its schema") from error
        if bytes_.at != len(data):
            raise UnreadableRecord(f"{len(data) - bytes_.at} bytes follow a value")
        return value

    def _name(self, schema: Any, namespace: str) -> None:
        """Note named types under their short and full names."""
        if isinstance(schema, list):
            for branch in schema:
                self._name(branch, namespace)
        elif isinstance(schema, dict):
            space = schema.get("namespace", namespace)
            if schema["type"] in ("record", "enum", "fixed"):
                self._named[schema["name"]] = self._named[f"{space}.{schema['name']}"] = schema
            for field in schema.get("fields", ()):
                self._name(field["type"], space)
            for part in ("items", "values"):
                self._name(schema.get(part), space)
            if isinstance(schema["type"], dict | list):
                self._name(schema["type"], space)

    def _value(self, schema: Any, data: "_Bytes") -> Any:
        if isinstance(schema, list):
            return self._value(schema[_index(data.long(), schema)], data)
        if isinstance(schema, dict):
            kind = schema["type"]
            if isinstance(kind, dict | list):
                return self._value(kind, data)
            complex_ = _COMPLEX.get(kind)
            return complex_(self, schema, data) if complex_ else self._value(kind, data)
        primitive = _PRIMITIVE.get(schema)
        return primitive(data) if primitive else self._value(self._named[schema], data)

    def _record(self, schema: Any, data: "_Bytes") -> dict[str, Any]:
        return {field["name"]: self._value(field["type"], data) for field in schema["fields"]}

    def _array(self, schema: Any, data: "_Bytes") -> list[Any]:
        return [self._value(schema["items"], data) for count in data.blocks() for _ in range(count)]

    def _map(self, schema: Any, data: "_Bytes") -> dict[str, Any]:
        return {data.text(): self._value(schema["values"], data) for count in data.blocks() for _ in range(count)}


class _Bytes:
    """Bytes, and how far they are read."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def long(self) -> int:
        number = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            number |= (byte & ~_MORE) << shift
            shift += 7
            if not byte & _MORE:
                return (number >> 1) ^ -(number & 1)
            if shift > _LAST_BIT:
                raise ValueError("a number has more than 64 bits")

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise IndexError("cut off")
        self.at += count
        return self.data[self.at - count : self.at]

    def text(self) -> str:
        return self.take(self.long()).decode()

    def blocks(self) -> Any:
        while count := self.long():
            if count < 0:
                self.long()  # the block's size in bytes, for those who skip it
                count = -count
            if count > _MOST_ITEMS:
                raise ValueError("a block has too many items")
            yield count


def _index(number: int, choices: Any) -> int:
    if not 0 <= number < len(choices):
        raise IndexError("no such branch")
    return number


_PRIMITIVE: dict[str, Callable[[_Bytes], Any]] = {
    "null": lambda _: None,
    "boolean": lambda data: data.take(1) != b"\0",
    "int": _Bytes.long,
    "long": _Bytes.long,
    "float": lambda data: struct.unpack("<f", data.take(4))[0],
    "double": lambda data: struct.unpack("<d", data.take(8))[0],
    "bytes": lambda data: data.take(data.long()),
    "string": _Bytes.text,
}
_COMPLEX: dict[str, Callable[[AvroReader, Any, _Bytes], Any]] = {
    "record": AvroReader._record,  # noqa: SLF001  # its own module
    "array": AvroReader._array,  # noqa: SLF001  # its own module
    "map": AvroReader._map,  # noqa: SLF001  # its own module
    "enum": lambda _, schema, data: schema["symbols"][_index(data.long(), schema["symbols"])],
    "fixed": lambda _, schema, data: data.take(schema["size"]),
}
