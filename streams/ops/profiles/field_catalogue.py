"""The catalogue of the fields that sources have sent: types, how often they are filled, since when, and where a type has drifted. Pure."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.profiles.registers import Layers, Registers, Value
from schemas.profiles.version import Version
from streams.core.profiles.policies import SECOND

_MAPS: Final = ("attributes.", "traits.")
_JSON: Final = {'"': "text", "t": "boolean", "f": "boolean", "[": "list", "{": "object", "n": "empty"}


class CataloguedField(msgspec.Struct, frozen=True, kw_only=True):
    """A field as records of one source have it. Times are ms, cut to the second.

    `types` counts records by the type of their present value; `earlier` has types that only replaced values had. `drift` is whether
    there is more than one type, in present and earlier values together; `changed` is when the latest value of a rarer type was sent.
    """

    source: str
    field: str
    records: int
    filled: int
    share: float
    first_seen: int
    last_seen: int
    types: dict[str, int]
    earlier: tuple[str, ...]
    drift: bool
    changed: int | None = None


class _Seen:
    """What is known of a field so far."""

    def __init__(self) -> None:
        self.types: Counter[str] = Counter()
        self.earlier: set[str] = set()
        self.latest: dict[str, int] = {}  # by type
        self.first = self.last = 0


class FieldCatalogue:
    """Collects the fields of source records, one record at a time."""

    def __init__(self) -> None:
        self._records: Counter[str] = Counter()
        self._fields: dict[tuple[str, str], _Seen] = {}

    def add(self, source: str, registers: Registers) -> None:
        """Add one record of a source, such as `contacts`."""
        self._records[source] += 1
        for name, value, version in _values(registers.now):
            self._see(source, name, version)
            if value is not None:
                seen, kind = self._fields[source, name], type_of(name, value)
                seen.types[kind] += 1
                seen.latest[kind] = max(seen.latest.get(kind, 0), version.second * SECOND)
        for name, value, version in (*_values(registers.last), *_values(registers.first)):
            if value is not None:
                self._see(source, name, version)
                self._fields[source, name].earlier.add(type_of(name, value))

    def fields(self) -> list[CataloguedField]:
        """Return the fields of all records, in order of source and name."""
        return [self._field(source, name, seen) for (source, name), seen in sorted(self._fields.items())]

    def _see(self, source: str, name: str, version: Version) -> None:
        seen, time = self._fields.setdefault((source, name), _Seen()), version.second * SECOND
        seen.first = min(seen.first, time) if seen.first else time
        seen.last = max(seen.last, time)

    def _field(self, source: str, name: str, seen: _Seen) -> CataloguedField:
        filled, kinds = seen.types.total(), {*seen.types, *seen.earlier}
        usual = seen.types.most_common(1)[0][0] if seen.types else None
        rarer = [time for kind, time in seen.latest.items() if kind != usual]
        return CataloguedField(
            source=source,
            field=name,
            records=self._records[source],
            filled=filled,
            share=round(filled / self._records[source], 4),
            first_seen=seen.first,
            last_seen=seen.last,
            types=dict(sorted(seen.types.items())),
            earlier=tuple(sorted(seen.earlier - seen.types.keys())),
            drift=len(kinds) > 1,
            changed=max(rarer, default=None),
        )


def type_of(name: str, value: Value) -> str:
    """Return a value's type: text, boolean, number, list or object. Custom attributes and traits are JSON."""
    if isinstance(value, bool):
        return "boolean"
    if not isinstance(value, str):
        return "number"
    return _JSON.get(value[:1], "number") if name.startswith(_MAPS) else "text"


def _values(layers: Layers) -> Iterator[tuple[str, Value, Version]]:
    for version, values in layers:
        for name, value in values.items():
            yield name, value, version
