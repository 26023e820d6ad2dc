"""A reader of Avro for values that repeat one another, as the facts of one import do.

What differs from value to value is named beforehand: a few texts and lists of texts. All bytes between them are compared with those of the
value before. Where they are the same, only what differs is read, and put into a copy of that value, which is half of the work. Any other value
is read as a whole, and is the one that the next are compared with. `tests/schemas/prepared_avro/test_repeats.py` holds both against each other.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from schemas.prepared_avro.reader import UNUSUAL, Read, prepare_reader
from schemas.prepared_avro.types import UnusualValue, named_types

S = TypeVar("S", bound=msgspec.Struct)

_MORE: Final = 128  # the first byte of a longer text's size has another one behind it
_PRESENT: Final = 2  # the place of the other type in a union with null, as its byte
_ONE: Final = b"\x02"  # the number of the only item of a list, as its bytes
_END: Final = b"\x00"  # of a list
_MOST_PASSED: Final = 64  # values that differ in other parts too are read without a look at the next for so long

Path = tuple[str, ...]
"""A field, or a field of a record that stands in one, alone or as the only one of a list."""


class _Part(NamedTuple):
    """The bytes before a part that differs, their number, how it is read, and whether it is a text."""

    before: bytes
    size: int
    read: Read
    is_text: bool


class _Copy(NamedTuple):
    """A record in a field of the value: as it was, whether it stands in a list, and its fields that differ with their places among the parts."""

    field: str
    struct: msgspec.Struct
    is_listed: bool
    differing: tuple[tuple[str, int], ...]


class _Template(NamedTuple, Generic[S]):
    """A value, and what its next are compared with."""

    value: S
    parts: tuple[_Part, ...]
    end: bytes
    own: tuple[tuple[str, int], ...]  # fields of the value itself
    copies: tuple[_Copy, ...]

    def read(self, data: bytes) -> S | None:
        """Return the value; None where it does not repeat this one, or has a long text."""
        values: list[Any] = []
        at = 0
        for before, size, read, is_text in self.parts:
            start = at + size
            if data[at:start] != before:
                return None
            if is_text:
                length = data[start]
                if length & 1 or length >= _MORE:
                    return None
                at = start + 1 + (length >> 1)
                values.append(data[start + 1 : at].decode())
            else:
                value, at = read(data, start)
                values.append(tuple(value) if type(value) is list else value)
        if data[at:] != self.end:
            return None
        changed: dict[str, Any] = {name: values[place] for name, place in self.own}
        for field, struct, is_listed, differing in self.copies:
            made = msgspec.structs.replace(struct, **{name: values[place] for name, place in differing})
            changed[field] = (made,) if is_listed else made
        return msgspec.structs.replace(self.value, **changed)


class RepeatingReader(Generic[S]):
    """Reads structs with the fields of a schema, as fastavro parsed it. Equal parts of two values may be one object, so nobody changes any."""

    def __init__(self, schema: Any, differing: Sequence[Path]) -> None:
        self._layout = _Layout(schema, differing)
        self._template: _Template[S] | None = None
        self._was_repeated = True
        self._passed = self._left = 0  # so many values are, or are still to be, passed over

    def repeated(self, data: bytes) -> S | None:
        """Return the value of these bytes where it repeats the one that is remembered; None where it does not."""
        template = self._template
        try:
            value = None if template is None else template.read(data)
        except UNUSUAL:
            return None
        if value is not None:
            self._was_repeated = True
        return value

    def remember(self, value: S, data: bytes, start: int) -> None:
        """Compare what follows with this value, which was read from these bytes, from an offset on; with fewer of them where none is repeated."""
        if self._left:
            self._left -= 1
            return
        self._passed = 0 if self._was_repeated else min(2 * self._passed + 1, _MOST_PASSED)
        self._left, self._was_repeated = self._passed, False
        self._template = _template(self._layout, value, data, start)


class _Leaf(NamedTuple):
    """Where a part that differs begins and ends."""

    path: Path
    start: int
    end: int
    read: Read
    is_text: bool


class _Layout:
    """Finds the parts that differ in the bytes of a value."""

    def __init__(self, schema: Any, differing: Sequence[Path]) -> None:
        self._schema = schema
        self._named = named_types(schema)
        self._differing = differing

    def leaves(self, data: bytes, at: int) -> list[_Leaf] | None:
        """Return the parts in order; None where one of them is not there."""
        found: list[_Leaf] = []
        try:
            self._record(self._schema, data, at, (), found)
        except UnusualValue:
            return None
        return found

    def _record(self, schema: Any, data: bytes, at: int, within: Path, found: list[_Leaf]) -> int:
        for field in schema["fields"]:
            path = (*within, field["name"])
            kind = field["type"]
            if not any(each[: len(path)] == path for each in self._differing):
                _, at = self._reader(kind)(data, at)
                continue
            if isinstance(kind, list) and data[at] == _PRESENT:
                kind, at = kind[1], at + 1
            if path in self._differing:
                _, end = self._reader(kind)(data, at)
                found.append(_Leaf(path, at, end, self._reader(kind), kind == "string"))
                at = end
            else:
                at = self._part(kind, data, at, path, found)
        return at

    def _part(self, kind: Any, data: bytes, at: int, path: Path, found: list[_Leaf]) -> int:
        """Pass over a record with parts that differ, or the only one of a list."""
        is_list = isinstance(kind, dict) and kind["type"] == "array"
        record = kind["items"] if is_list else kind
        record = self._named.get(record, record) if isinstance(record, str) else record
        if not isinstance(record, dict) or record["type"] != "record" or (is_list and data[at : at + 1] != _ONE):
            raise UnusualValue("no record, or not one")
        at = self._record(record, data, at + is_list, path, found)
        if is_list and data[at : at + 1] != _END:
            raise UnusualValue("more than one record")
        return at + is_list

    def _reader(self, kind: Any) -> Read:
        return prepare_reader(kind, self._named)


def _template(layout: _Layout, value: S, data: bytes, start: int) -> _Template[S] | None:
    leaves = layout.leaves(data, start)
    if leaves is None:
        return None
    parts, at = [], 0
    for leaf in leaves:
        parts.append(_Part(data[at : leaf.start], leaf.start - at, leaf.read, leaf.is_text))
        at = leaf.end
    own = tuple((leaf.path[0], place) for place, leaf in enumerate(leaves) if len(leaf.path) == 1)
    return _Template(value, tuple(parts), data[at:], own, tuple(_copies(value, leaves)))


def _copies(value: msgspec.Struct, leaves: Sequence[_Leaf]) -> Iterator[_Copy]:
    for field in dict.fromkeys(leaf.path[0] for leaf in leaves if len(leaf.path) > 1):
        struct = getattr(value, field)
        is_listed = isinstance(struct, tuple)
        differing = tuple((leaf.path[1], place) for place, leaf in enumerate(leaves) if leaf.path[0] == field)
        yield _Copy(field, struct[0] if is_listed else struct, is_listed, differing)
