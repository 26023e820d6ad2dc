"""What changed between two public values of a profile, field by field."""

from collections.abc import Iterable, Mapping
from itertools import compress
from operator import ne
from typing import Any, Final

from schemas.canonical import canonical, canonical_text
from schemas.profiles.changes import FieldChange, ValueOrigin

_NOT_FIELDS: Final = frozenset({"id", "tenant", "records", "unsettled", "incomplete", "updated_at", "sources", "provenance"})
_MAPS: Final = ("attributes", "traits")
_NOTHING: Final[Mapping[str, Any]] = {}


def diff(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, cause: ValueOrigin) -> list[FieldChange]:
    """Return the fields that differ, in order of name, with both values as canonical JSON.

    A value present in `after` has its own origin; a value that was removed, and a list, have the cause as theirs.
    """
    old, new = before or _NOTHING, after or _NOTHING
    differing = _differing(old, new)
    if not differing:
        return []
    sources, place = new.get("sources", ()), new.get("provenance", _NOTHING).get
    origins = {
        index: cause if index is None else ValueOrigin(**sources[index]) for index in {place(name) for name, _, _ in differing}
    }
    return [FieldChange(name, old_json, new_json, origins[place(name)]) for name, old_json, new_json in sorted(differing)]


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str | None, str | None]]:
    """Return the fields that differ, entries of maps among them, with both values as canonical JSON; an empty list is no value."""
    differing = []
    for name in _unequal(old, new, but=_NOT_FIELDS):
        old_value, new_value = old.get(name), new.get(name)
        if name in _MAPS:
            old_entries, new_entries = old_value or _NOTHING, new_value or _NOTHING
            differing += [  # canonical JSON already
                (f"{name}.{entry}", old_entries.get(entry), new_entries.get(entry))
                for entry in _unequal(old_entries, new_entries)
            ]
        elif (old_json := _as_json(old_value)) != (new_json := _as_json(new_value)):
            differing.append((name, old_json, new_json))
    return differing


def _unequal(old: Mapping[str, Any], new: Mapping[str, Any], but: frozenset[str] = frozenset()) -> Iterable[str]:
    """Return the names whose values differ, but for some that are not looked at."""
    unequal = compress(new, map(ne, new.values(), map(old.get, new)))
    names = [name for name in unequal if name not in but]
    if not old.keys() <= new.keys():
        names += old.keys() - new.keys() - but
    return names


def _as_json(value: Any) -> str | None:
    if type(value) is str:
        return canonical_text(value)
    return None if value is None or value == [] else canonical(value).decode()
