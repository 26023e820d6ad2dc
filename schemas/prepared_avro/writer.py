"""A writer of Avro prepared for one schema: the bytes of fastavro's, in a third of its time.

fastavro looks up each field's type, and tries the members of a union, again for every value. Here that is done once, when the
writer is made. It writes only the usual: the types in `_PREPARERS` and unions of null with one of them, each given the one Python
type that stands for it. Anything else, a value that does not fit among it, raises one of `UNUSUAL`, and the caller leaves the value
to fastavro, which writes it or says what is wrong. `tests/schemas/prepared_avro/test_writer.py` holds both against each other.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from struct import Struct
from types import MappingProxyType
from typing import Any, Final

from schemas.prepared_avro.types import Encoded, Named, Preparers, UnusualValue, Within, named_types, prepare, record_within

Append = Callable[[bytes], None]
"""Takes the next bytes."""
_Write = Callable[[Any, Append], None]


UNUSUAL: Final = (UnusualValue, LookupError, TypeError, AttributeError, UnicodeEncodeError)
"""What a prepared writer raises for a value that it leaves to fastavro."""

NULL: Final = b"\x00"
"""The place of null in a union."""
END: Final = b"\x00"
"""The end of an array or a map."""
_PRESENT: Final = b"\x02"  # the place of the other type in a union with null
_ABSENT: Final = object()
_NULLABLE_TEXT: Final = ["null", "string"]
_DOUBLE: Final = Struct("<d")
_LONG: Final = 1 << 63


def prepared_writer(schema: Any) -> Callable[[Any], bytes] | None:
    """Return the writer of a schema as fastavro parsed it; None where a part of it is not among the usual."""
    try:
        write = _prepare(schema, named_types(schema))
    except UnusualValue:
        return None

    def write_value(value: Any) -> bytes:
        parts: list[bytes] = []
        write(value, parts.append)
        return b"".join(parts)

    return write_value


def _prepare(schema: Any, named: Named, within: Within = ()) -> _Write:
    return prepare(schema, named, within, _PREPARERS)


def _record(schema: Any, named: Named, within: Within) -> _Write:
    """Prepare a record. Its texts, which are most fields of a profile, are written in place: a call costs as much again."""
    within = record_within(schema, within)
    fields = tuple(
        (
            field["name"],
            _sizes_of_text(field["type"]),
            _prepare(field["type"], named, within),
            _default(field),
            isinstance(field["type"], list),
        )
        for field in schema["fields"]
    )
    names = frozenset(name for name, *_ in fields)

    def write(value: Any, append: Append) -> None:
        if not names.issuperset(value):
            raise UnusualValue("a field that the schema lacks")
        get = value.get
        for name, sizes, write_field, default, nullable in fields:
            field = get(name, default)
            if field is None and nullable:  # as most fields of a profile
                append(NULL)
            elif sizes is not None and type(field) is str and len(data := field.encode()) < _SMALL_END:
                append(sizes[len(data)] + data)
            else:
                write_field(field, append)

    return write


def _sizes_of_text(schema: Any) -> Sequence[bytes] | None:
    """Return what is before a text, by its size; None for a type that is no text."""
    if schema == "string":
        return _SMALL
    return _PRESENT_SIZE if schema == _NULLABLE_TEXT else None


def _default(field: Mapping[str, Any]) -> Any:
    """Return what stands for a field left out: null where that is the default; fastavro writes other defaults."""
    return None if "default" in field and field["default"] is None else _ABSENT


def _union(schema: Sequence[Any], named: Named, within: Within) -> _Write:
    if len(schema) != 2 or schema[0] != "null":  # noqa: PLR2004 - null and one other
        raise UnusualValue("a union other than of null and one type")
    write_other = _prepare(schema[1], named, within)

    def write(value: Any, append: Append) -> None:
        if value is None:
            append(NULL)
        else:
            append(_PRESENT)
            write_other(value, append)

    return write


def _array(schema: Any, named: Named, within: Within) -> _Write:
    write_item = _prepare(schema["items"], named, within)

    def write(value: Any, append: Append) -> None:
        if type(value) is Encoded:
            append(value)
            return
        if type(value) is not list:
            raise UnusualValue("no list")
        if value:
            append(array_size(len(value)))
            for item in value:
                write_item(item, append)
        append(END)

    return write


def _map(schema: Any, named: Named, within: Within) -> _Write:
    """Prepare a map. Texts and small numbers, which maps of profiles have, are written in place."""
    write_value = _prepare(schema["values"], named, within)
    sizes, small = _sizes_of_text(schema["values"]), schema["values"] == "int"

    def write(value: Any, append: Append) -> None:
        if type(value) is not dict:
            raise UnusualValue("no map")
        if value:
            append(array_size(len(value)))
            for name, each in value.items():
                if sizes is not None and type(each) is str and len(data := each.encode()) < _SMALL_END:
                    append(name_bytes(name) + sizes[len(data)] + data)
                elif small and type(each) is int and 0 <= each < _SMALL_END:
                    append(name_bytes(name) + _SMALL[each])
                else:
                    append(name_bytes(name))
                    write_value(each, append)
        append(END)

    return write


def text_bytes(value: Any) -> bytes:
    """Return a text in Avro."""
    if type(value) is not str:
        raise UnusualValue("no text")
    data = value.encode()
    return array_size(len(data)) + data


name_bytes: Final = lru_cache(maxsize=4096)(text_bytes)  # profiles have the same names of fields again and again
"""The same for names."""


def nullable_text_bytes(value: str | None) -> bytes:
    """Return a member of a union of null with text."""
    if value is None:
        return NULL
    data = value.encode()
    return (_PRESENT_SIZE[len(data)] if len(data) < _SMALL_END else _PRESENT + _variable_length(len(data))) + data


def _write_text(value: Any, append: Append) -> None:
    append(text_bytes(value))


def number_bytes(value: Any) -> bytes:
    """Return a whole number in Avro."""
    if type(value) is not int or not -_LONG <= value < _LONG:
        raise UnusualValue("no whole number of 64 bits")
    return _SMALL[value] if 0 <= value < _SMALL_END else _variable_length(value)


def _write_number(value: Any, append: Append) -> None:
    append(number_bytes(value))


def _write_int(value: Any, append: Append) -> None:
    if type(value) is not int or not 0 <= value < _SMALL_END:
        raise UnusualValue("no small number")
    append(_SMALL[value])


def _write_double(value: Any, append: Append) -> None:
    if type(value) is not float:
        raise UnusualValue("no float")
    append(_DOUBLE.pack(value))


def _write_flag(value: Any, append: Append) -> None:
    if value is True:
        append(b"\x01")
    elif value is False:
        append(b"\x00")
    else:
        raise UnusualValue("no boolean")


def array_size(number: int) -> bytes:
    """Return what is before so many entries, or bytes."""
    return _SMALL[number] if number < _SMALL_END else _variable_length(number)


def once_bytes(value: int) -> bytes:
    """Return a whole number in Avro that is written once, such as a place in a log: it would only drive others out of the cache."""
    if type(value) is not int or not -_LONG <= value < _LONG:
        raise UnusualValue("no whole number of 64 bits")
    return _zigzag(value)


@lru_cache(maxsize=4096)  # the times in a profile and in its changes are mostly those of a few events
def _variable_length(number: int) -> bytes:
    return _zigzag(number)


def _zigzag(number: int) -> bytes:
    """Return a number in zigzag order, seven bits a byte, the least first."""
    rest = number << 1 if number >= 0 else ~(number << 1)
    data = bytearray()
    while rest > 0x7F:  # noqa: PLR2004 - seven bits
        data.append(rest & 0x7F | 0x80)
        rest >>= 7
    data.append(rest)
    return bytes(data)


_SMALL: Final = tuple(map(_variable_length, range(2048)))  # sizes, and places of events in the provenance
_SMALL_END: Final = len(_SMALL)
_PRESENT_SIZE: Final = tuple(_PRESENT + size for size in _SMALL)  # of a text in a union with null

_PREPARERS: Final = Preparers[_Write](
    simple=MappingProxyType({
        "string": _write_text, "long": _write_number, "int": _write_int, "double": _write_double, "boolean": _write_flag,
    }),
    composed=MappingProxyType({"record": _record, "array": _array, "map": _map}),
    union=_union,
)  # fmt: skip
