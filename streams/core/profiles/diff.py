"""What changed between two public values of a profile, field by field."""

from collections.abc import Mapping
from typing import Any, Final

from schemas.canonical import canonical
from streams.core.profiles.policies import ValueOrigin

_NOT_FIELDS: Final = frozenset(
    {"id", "tenant", "records", "unsettled", "updated_at", "sources", "provenance", "attributes", "traits"}
)
_MAPS: Final = ("attributes", "traits")
_NOTHING: Final[Mapping[str, Any]] = {}


def diff(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, cause: ValueOrigin) -> list[dict[str, Any]]:
    """Return the fields that differ, in order of name, with both values as canonical JSON.

    A value that is there now names its own origin; of one that went, and of a list, the cause is all there is to name.
    """
    old, new = _flat(before or _NOTHING), _flat(after or _NOTHING)
    return [
        {
            "field": name,
            "before": _spelt(name, old),
            "after": _spelt(name, new),
            **_origin(name, after or _NOTHING, cause)._asdict(),
        }
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _flat(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return what counts as a field, entries of maps among them; an empty list is no value."""
    found = {name: held for name, held in value.items() if name not in _NOT_FIELDS and held != []}
    for group in _MAPS:
        found |= {f"{group}.{name}": held for name, held in value.get(group, _NOTHING).items()}
    return found


def _spelt(name: str, values: Mapping[str, Any]) -> str | None:
    """Spell a value as canonical JSON, which the entries of maps are already."""
    if name not in values:
        return None
    held = values[name]
    return str(held) if "." in name else canonical(held).decode()


def _origin(name: str, after: Mapping[str, Any], cause: ValueOrigin) -> ValueOrigin:
    place = after.get("provenance", _NOTHING).get(name)
    return cause if place is None else ValueOrigin(**after["sources"][place])
