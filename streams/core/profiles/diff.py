"""What changed between two public values of a profile, field by field."""

from collections.abc import Iterable, Mapping
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
    differing = _differing(old, new) if old else _new(new)
    if not differing:
        return []
    sources, place = new.get("sources", ()), new.get("provenance", _NOTHING).get
    origins: dict[int | None, ValueOrigin] = {None: cause}
    changes = []
    for name, old_json, new_json in sorted(differing) if len(differing) > 1 else differing:
        index = place(name)
        origin = origins.get(index)
        if origin is None:
            source = sources[index]
            origin = origins[index] = ValueOrigin(source["record"], source["event"], source["time"])
        changes.append(FieldChange(name, old_json, new_json, origin))
    return changes


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


def _new(new: Mapping[str, Any]) -> list[tuple[str, str | None, str | None]]:
    """Return what `_differing` does where there was nothing."""
    found: list[tuple[str, str | None, str | None]] = []
    for name, value in new.items():
        if name in _NOT_FIELDS or value is None or value == []:
            continue
        if type(value) is str:
            found.append((name, None, canonical_text(value)))
        elif name in _MAPS:
            found += [(f"{name}.{entry}", None, each) for entry, each in value.items() if each is not None]
        else:
            found.append((name, None, canonical(value).decode()))
    return found


def _unequal(old: Mapping[str, Any], new: Mapping[str, Any], but: frozenset[str] = frozenset()) -> Iterable[str]:
    """Return the names whose values differ, but for some that are not looked at."""
    known = old.get
    names = [name for name, value in new.items() if known(name) != value and name not in but]
    if len(old) > len(new) or not old.keys() <= new.keys():
        names += old.keys() - new.keys() - but
    return names


def _as_json(value: Any) -> str | None:
    if type(value) is str:
        return canonical_text(value)
    return None if value is None or value == [] else canonical(value).decode()
