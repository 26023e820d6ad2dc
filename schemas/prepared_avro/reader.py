"""A reader of Avro prepared for one schema: the values of fastavro's, in half of its time.

fastavro looks up each field's type again for every value. Here that is done once, when the reader is made. It reads only what
`writer` writes: the types in `_PREPARERS` and unions of null with one of them. Of anything else, and of bytes that do not fit, it
raises one of `UNUSUAL`, and the caller leaves the bytes to fastavro, which reads them or says what is wrong.
`tests/schemas/prepared_avro/test_reader.py` holds both against each other.
"""

from collections.abc import Callable, Mapping, Sequence
from struct import Struct, error
from types import MappingProxyType
from typing import Any, Final

from schemas.prepared_avro.types import Named, Preparers, UnusualValue, Within, named_types, prepare, record_within

Read = Callable[[bytes, int], tuple[Any, int]]
"""Returns the value that begins at an offset, and the offset behind it."""

UNUSUAL: Final = (UnusualValue, IndexError, UnicodeDecodeError, error)
"""What a prepared reader raises for bytes that it leaves to fastavro."""

_ABSENT, _PRESENT = 0, 2  # the place of null and of the other type in a union, as its byte
_MORE: Final = 128  # the bit of a number's byte that says that another follows
_BITS: Final = 64  # of the longest number; each of its bytes has seven
_DOUBLE: Final = Struct("<d")


def prepared_reader(schema: Any) -> Callable[[bytes, int], Any] | None:
    """Return the reader of a schema as fastavro parsed it: of the value from an offset to the end. None where a part is not usual."""
    try:
        read = prepare_reader(schema, named_types(schema))
    except UnusualValue:
        return None

    def read_value(data: bytes, start: int) -> Any:
        value, end = read(data, start)
        if end != len(data):
            raise UnusualValue("too few bytes, or too many")
        return value

    return read_value


def prepare_reader(schema: Any, named: Named, within: Within = ()) -> Read:
    """Return the reader of a part of a schema. Raises UnusualValue for one that is not usual."""
    return prepare(schema, named, within, _PREPARERS)


def _record(schema: Any, named: Named, within: Within) -> Read:
    """Prepare a record. Nulls and short texts, which are most fields, are read in place: a call costs as much again."""
    within = record_within(schema, within)
    fields = tuple(_field(field, named, within) for field in schema["fields"])
    nulls = dict.fromkeys((field["name"] for field in schema["fields"]), None)

    def read(data: bytes, at: int) -> tuple[Any, int]:
        value: dict[str, Any] = nulls.copy()
        for name, is_nullable, is_text, read_field in fields:
            if is_nullable:
                place = data[at]
                at += 1
                if place == _ABSENT:
                    continue
                if place != _PRESENT:
                    raise UnusualValue("no member of the union")
            if is_text and (size := data[at]) < _MORE and not size & 1:
                end = at + 1 + (size >> 1)
                value[name] = data[at + 1 : end].decode()
                at = end
            else:
                value[name], at = read_field(data, at)
        return value, at

    return read


def _field(field: Mapping[str, Any], named: Named, within: Within) -> tuple[str, bool, bool, Read]:
    """Return a field's name, whether it may be null, whether it is a text then, and the reader of a value that is not null."""
    schema = field["type"]
    other = _other_than_null(schema) if isinstance(schema, list) else schema
    return field["name"], isinstance(schema, list), other == "string", prepare_reader(other, named, within)


def _other_than_null(schema: Sequence[Any]) -> Any:
    if len(schema) != 2 or schema[0] != "null":  # noqa: PLR2004 - null and one other
        raise UnusualValue("a union other than of null and one type")
    return schema[1]


def _union(schema: Sequence[Any], named: Named, within: Within) -> Read:
    read_other = prepare_reader(_other_than_null(schema), named, within)

    def read(data: bytes, at: int) -> tuple[Any, int]:
        place = data[at]
        if place == _PRESENT:
            return read_other(data, at + 1)
        if place != _ABSENT:
            raise UnusualValue("no member of the union")
        return None, at + 1

    return read


def _array(schema: Any, named: Named, within: Within) -> Read:
    if schema["items"] == "string":
        return _texts
    read_item = prepare_reader(schema["items"], named, within)

    def read(data: bytes, at: int) -> tuple[Any, int]:
        items: list[Any] = []
        count, at = _count(data, at)
        while count:
            for _ in range(count):
                item, at = read_item(data, at)
                items.append(item)
            count, at = _count(data, at)
        return items, at

    return read


def _texts(data: bytes, at: int) -> tuple[list[str], int]:
    """Read an array of texts, short ones in place."""
    texts: list[str] = []
    count, at = _count(data, at)
    while count:
        for _ in range(count):
            if (size := data[at]) < _MORE and not size & 1:
                end = at + 1 + (size >> 1)
                texts.append(data[at + 1 : end].decode())
                at = end
            else:
                text, at = _text(data, at)
                texts.append(text)
        count, at = _count(data, at)
    return texts, at


def _map(schema: Any, named: Named, within: Within) -> Read:
    read_value = prepare_reader(schema["values"], named, within)

    def read(data: bytes, at: int) -> tuple[Any, int]:
        values: dict[str, Any] = {}
        count, at = _count(data, at)
        while count:
            for _ in range(count):
                name, at = _text(data, at)
                values[name], at = read_value(data, at)
            count, at = _count(data, at)
        return values, at

    return read


def _count(data: bytes, at: int) -> tuple[int, int]:
    """Return the number of items of a block. A negative one, with the block's size behind it, is unusual, and so is one beyond the bytes."""
    size = data[at]
    if size < _MORE and not size & 1:  # as nearly all blocks have
        return size >> 1, at + 1
    count, at = _number(data, at)
    if not 0 <= count <= len(data):
        raise UnusualValue("a block with its size, or more items than bytes")
    return count, at


def _text(data: bytes, at: int) -> tuple[str, int]:
    size = data[at]
    if size & 1 or size >= _MORE:
        length, begin = _number(data, at)
        if length < 0:
            raise UnusualValue("a negative length")
    else:
        length, begin = size >> 1, at + 1
    end = begin + length
    return data[begin:end].decode(), end


def _number(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    if byte < _MORE:
        return (byte >> 1) ^ -(byte & 1), at + 1
    number, shift = byte & 127, 7
    while byte >= _MORE:
        at += 1
        byte = data[at]
        number |= (byte & 127) << shift
        shift += 7
        if shift > _BITS + 6:
            break
    if number >> _BITS or byte >= _MORE:
        raise UnusualValue("a number of more than 64 bits")
    return (number >> 1) ^ -(number & 1), at + 1


def _double(data: bytes, at: int) -> tuple[float, int]:
    return _DOUBLE.unpack_from(data, at)[0], at + _DOUBLE.size


def _flag(data: bytes, at: int) -> tuple[bool, int]:
    byte = data[at]
    if byte > 1:
        raise UnusualValue("no flag")
    return byte == 1, at + 1


_PREPARERS: Final = Preparers[Read](
    simple=MappingProxyType({"string": _text, "long": _number, "int": _number, "double": _double, "boolean": _flag}),
    composed=MappingProxyType({"record": _record, "array": _array, "map": _map}),
    union=_union,
)
