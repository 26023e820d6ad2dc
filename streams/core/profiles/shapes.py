"""Public values by their shape: what a profile has apart from its values is resolved once for all profiles of one shape.

Most profiles have one record, about which one snapshot says everything: no field was emptied, no edge ended, there is no mark, and the
edges are those of the snapshot's lists. But for these, what follows from its registers apart from the values and where they come from follows from the names of its
fields and from its consent alone. That shape is resolved by the general function, `streams.core.profiles.public_value`, from registers
of that shape; a profile of the shape then has its own values in their places. Other profiles have no shape.

A policy changes of such a profile where the values of the fields come from that its source does not overwrite: they are not in the shape.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from schemas.profiles.policies import source_of
from schemas.profiles.registers import Layers, Registers, Value
from schemas.profiles.version import Rank, Version
from streams.core.profiles.offers import Offers
from streams.core.profiles.policies import SECOND, Records, qualified_id
from streams.core.profiles.public_schema import Permissions, PublicSchema
from streams.core.profiles.rules import ProfileRules
from streams.core.profiles.storage import CONSENT_FIELDS
from streams.core.records.registers import active_edges

Resolve = Callable[[PublicSchema, Records, ProfileRules], dict[str, Any] | None]
"""Return the public value of records by rules, of whatever profile and tenant."""

MAPS: Final = ("attributes", "traits")
_CONSENT: Final = tuple(sorted(CONSENT_FIELDS))
_MOST: Final = 4096  # shapes: a workspace has some dozens
_NO_LINKS: Final[Mapping[str, list[str]]] = MappingProxyType({})
_RECORD: Final = "record"
_VERSION: Final = Version(0, 0, 0, 0, "event")

_Filled = Sequence[tuple[Version, Mapping[str, Value]]]
"""The values of fields that a source does not overwrite, by the version that they come from."""

_Key = tuple[str, Permissions, tuple[str, ...], tuple[str, ...], tuple[Value, ...]]


class Places(NamedTuple):
    """Where some fields stand in a public value: on their own, or as entries of maps; `names` are both."""

    fields: Sequence[str]
    maps: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    names: Sequence[str]


class _Shape(NamedTuple):
    """What profiles of a shape have in common, and where their values are."""

    common: Mapping[str, Any]
    places: Places


class Shapes:
    """The shapes that were met."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._known: dict[_Key, _Shape | None] = {}

    def value(
        self, schema: PublicSchema, *, profile: str, tenant: str, records: Records, rules: ProfileRules
    ) -> dict[str, Any] | None:
        """Return the public value of a profile that has a shape; None for others."""
        if len(records) != 1:
            return None
        [(record, registers)] = records.items()
        if not (_is_plain(registers) and _creates(rules, record)):
            return None
        [(version, values)] = registers.now
        names = tuple([name for name, value in values.items() if value is not None])
        names, filled = _governed(rules.offers, record, registers, names)
        lists = tuple(registers.complete[0][1]) if registers.complete else ()
        key = (schema.kind, rules.permissions, names, lists, tuple(map(values.get, _CONSENT)))
        shape = self._known.get(key)
        if shape is None and (shape := self._shape(key, schema)) is None:
            return None
        links = _links(schema, record, registers)
        if links is None or filled is None:
            return None
        value = dict(shape.common)
        time = version.second * SECOND
        value["id"], value["tenant"], value["updated_at"] = profile, tenant, time
        value["records"] = [{"key": record, "status": value["status"]}]
        value["sources"] = [{"record": record, "event": version.event, "time": time}]
        for name in shape.places.fields:
            value[name] = values[name]
        for group, entries in shape.places.maps:
            value[group] = {entry: values[name] for entry, name in entries}
        if links:
            value.update(links)
            linked = [f"{name}.{target}" for name, targets in links.items() for target in targets]
            value["provenance"] = value["provenance"] | dict.fromkeys(linked, 0)
        if filled:
            _fill(value, schema, record, version, filled)
        return value

    def _shape(self, key: _Key, schema: PublicSchema) -> _Shape | None:
        if key not in self._known:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = self._resolved(key, schema)
        return self._known[key]

    def _resolved(self, key: _Key, schema: PublicSchema) -> _Shape | None:
        """Return the shape of registers with these names; None where a list shows only a part, or nothing is known of the record."""
        _, permissions, names, lists, consent = key
        if any(name.startswith("#") for name in lists):
            return None
        values: dict[str, Value] = {name: name for name in names}
        values |= {name: value for name, value in zip(_CONSENT, consent, strict=True) if value is not None}
        complete: Layers = ((_VERSION, dict.fromkeys(lists, "")),) if lists else ()
        registers = Registers(now=((_VERSION, values),), complete=complete)
        value = self._resolve(schema, {_RECORD: registers}, ProfileRules(permissions=permissions))
        if value is None or len(value["sources"]) != 1:
            return None
        return _Shape(value, places_of(schema.fields, names))


def _governed(
    offers: Offers | None, record: str, registers: Registers, names: tuple[str, ...]
) -> tuple[tuple[str, ...], _Filled | None]:
    """Return the names of the fields that a record's source overwrites, and the others with their values; None for these where lists are governed too."""
    if offers is None:
        return names, ()
    restricted = offers.restricted(source_of(record), names)
    if not restricted:
        return names, None if restricted is None else ()
    return tuple([name for name in names if name not in restricted]), offers.filling(record, registers)


def _fill(value: dict[str, Any], schema: PublicSchema, record: str, version: Version, filled: _Filled) -> None:
    """Add fields of other versions to the value of a profile whose only source is a version of its record."""
    own = version.event, version.second * SECOND
    origins = dict.fromkeys(value["provenance"], own)
    for each, values in filled:
        found = places_of(schema.fields, tuple(values))
        for name in found.fields:
            value[name] = values[name]
        for group, entries in found.maps:
            value[group] = {**value[group], **{entry: values[name] for entry, name in entries}}
        origins.update(dict.fromkeys(found.names, (each.event, each.second * SECOND)))
    sources = sorted({own, *origins.values()})
    places = {source: place for place, source in enumerate(sources)}
    value["sources"] = [{"record": record, "event": event, "time": time} for event, time in sources]
    value["updated_at"] = max(time for _, time in sources)
    value["provenance"] = {name: places[origin] for name, origin in origins.items()}


def _creates(rules: ProfileRules, record: str) -> bool:
    """Return whether a record that was not merged away makes a profile exist."""
    return rules.creates is None or rules.creates(source_of(record))


def _is_plain(registers: Registers) -> bool:
    """Return whether one snapshot says all that is known now."""
    return (
        len(registers.now) == 1 and not (registers.last or registers.off or registers.contested) and len(registers.complete) <= 1
    )


def _links(schema: PublicSchema, record: str, registers: Registers) -> Mapping[str, list[str]] | None:
    """Return the lists with the entries that the snapshot has; None where edges are not all of it, or there is a mark."""
    if not registers.on:
        return _NO_LINKS
    version = registers.now[0][0]
    if (
        len(registers.on) != 1
        or version.rank != Rank.SNAPSHOT
        or any(each != version for each, _ in (*registers.on, *registers.complete))
    ):
        return None
    names = registers.on[0][1]
    if len(active_edges(registers)) != len(names):
        return None
    of_kind: dict[str, list[str]] = {kind: [] for kind in schema.lists.values()}
    for name in names:
        kind, _, entity = name.partition(":")
        if not entity or kind not in of_kind:
            return None
        of_kind[kind].append(qualified_id(record, entity))
    return {name: sorted(set(of_kind[kind])) for name, kind in schema.lists.items() if of_kind[kind]}


@lru_cache(maxsize=_MOST)
def places_of(fields: frozenset[str], names: tuple[str, ...]) -> Places:
    """Return where fields of these names stand, given the names of those that stand on their own."""
    maps: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        group, dot, entry = name.partition(".")
        if name not in fields and dot:
            maps.setdefault(group, []).append((entry, name))
    return Places(
        [name for name in names if name in fields],
        list(maps.items()),
        [name for name in names if name in fields or "." in name],
    )
