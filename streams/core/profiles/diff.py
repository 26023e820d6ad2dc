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

    A value present in `after` has its own origin; a value that was removed, and a list, have the cause as theirs.
    """
    old, new = _fields(before or _NOTHING), _fields(after or _NOTHING)
    return [
        {
            "field": name,
            "before": _as_json(name, old),
            "after": _as_json(name, new),
            **_origin(name, after or _NOTHING, cause)._asdict(),
        }
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _fields(public: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a public value, entries of maps among them; an empty list is no value."""
    fields = {name: value for name, value in public.items() if name not in _NOT_FIELDS and value != []}
    for group in _MAPS:
        fields |= {f"{group}.{name}": value for name, value in public.get(group, _NOTHING).items()}
    return fields


def _as_json(name: str, fields: Mapping[str, Any]) -> str | None:
    """Return a field as canonical JSON, which the entries of maps are already."""
    if name not in fields:
        return None
    value = fields[name]
    return str(value) if "." in name else canonical(value).decode()


def _origin(name: str, after: Mapping[str, Any], cause: ValueOrigin) -> ValueOrigin:
    index = after.get("provenance", _NOTHING).get(name)
    return cause if index is None else ValueOrigin(**after["sources"][index])
