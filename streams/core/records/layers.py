"""Layers of registers put together: the names of one version, in order, and of two values at one version the greater."""

from collections.abc import Mapping

from schemas.canonical import canonical
from schemas.profiles.registers import Layers, Value
from schemas.profiles.version import Version


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
