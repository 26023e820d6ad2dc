"""Layers of registers, each the names of one version, in order; of two values at one version the greater."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from schemas.canonical import canonical
from schemas.profiles.registers import Layers, Value
from schemas.profiles.version import Version

SEPARATOR: Final = "\n"
"""Between the ids of a complete list."""
NO_COUNTS: Final[Mapping[str, int]] = MappingProxyType({})


def field_layers(version: Version, fields: Mapping[str, Value]) -> Layers:
    """Return the fields of one snapshot."""
    return ((version, in_order(fields)),) if fields else ()


def flag_layers(version: Version, names: Iterable[str]) -> Layers:
    """Return edges or marks that are asserted at one version."""
    values: dict[str, Value] = {name: True for name in sorted(names)}  # noqa: C420 - fromkeys would type the values as bool alone
    return ((version, values),) if values else ()


def list_layers(version: Version, lists: Mapping[str, Iterable[str]], counts: Mapping[str, int] = NO_COUNTS) -> Layers:
    """Return complete lists, and counts of others (`streams.core.records.registers.list_registers`)."""
    values: dict[str, Value] = {f"#{kind}": counts[kind] for kind in sorted(counts)}
    for kind in sorted(lists):
        values[kind] = SEPARATOR.join(sorted(set(ids))) if (ids := lists[kind]) else ""
    return ((version, values),) if values else ()


def by_version(layers: Layers) -> dict[Version, dict[str, Value]]:
    """Merge the layers of one version; of two values at one version the greater wins, so that order does not matter."""
    by_version: dict[Version, dict[str, Value]] = {}
    for version, values in layers:
        others = by_version.get(version)
        by_version[version] = values if others is None or _identical(others, values) else _greater(others, values)
    return by_version


def in_order(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values in order of name, as every layer has them: what only drops names keeps the order."""
    return {name: values[name] for name in sorted(values)}


def _identical(a: dict[str, Value], b: dict[str, Value]) -> bool:
    """Return whether all values are equal and of equal types: True equals 1."""
    return a == b and all(type(b[name]) is type(value) for name, value in a.items())


def _greater(a: dict[str, Value], b: dict[str, Value]) -> dict[str, Value]:
    both = {name: max(a[name], b[name], key=_order) for name in a.keys() & b.keys()}
    return in_order({**a, **b, **both})


def _order(value: Value) -> tuple[bool, bytes]:
    return value is not None, canonical(value)
