"""What a hash that outlives releases is of: canonical JSON, in which a field that a release added to a struct stands only where it is set.

A struct names such fields in `ADDED: ClassVar[tuple[str, ...]]`. So a value from before the field has the hash that it had, and a value made again has it too.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import inspect

from schemas.canonical import canonical_exact, digest

ADDED: Final = "ADDED"


def hash_of(value: msgspec.Struct | None, *, without: str | None = None) -> str:
    """Return the SHA-256 of a value's hashed form, `without` the field of the value that has the hash itself."""
    has_added = value is not None and _has_added(type(value))
    if value is None or (without is None and not has_added):
        return digest(canonical_exact(value))
    if without is not None and not has_added and getattr(value, without) == "":
        data, empty = canonical_exact(value), f'"{without}":"",'.encode()
        if data.count(empty) == 1:  # no text of JSON has these bytes, so it is the field: half of the time of the way below
            return digest(data.replace(empty, b""))
    form: dict[str, Any] = _form(value) if has_added else msgspec.structs.asdict(value)
    form.pop(without or "", None)
    return digest(canonical_exact(form))


def added(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the names of the fields that a release added to a struct."""
    return getattr(struct, ADDED, ())


def structs_of(struct: type[msgspec.Struct]) -> frozenset[type[msgspec.Struct]]:
    """Return a struct and all structs that its values can contain."""
    found: set[type[msgspec.Struct]] = set()
    _collect(inspect.type_info(struct), found)
    return frozenset(found)


@cache  # classes do not change while a release runs
def _has_added(struct: type[msgspec.Struct]) -> bool:
    return any(map(added, structs_of(struct)))


def _collect(type_: Any, found: set[type[msgspec.Struct]]) -> None:
    if isinstance(type_, inspect.StructType):
        if type_.cls not in found:
            found.add(type_.cls)
            _collect_all((field.type for field in type_.fields), found)
    elif isinstance(type_, inspect.UnionType):
        _collect_all(type_.types, found)
    elif isinstance(type_, inspect.DictType):
        _collect(type_.value_type, found)
    elif isinstance(type_, inspect.VarTupleType | inspect.ListType):
        _collect(type_.item_type, found)
    elif isinstance(type_, inspect.TupleType):
        _collect_all(type_.item_types, found)


def _collect_all(types: Iterable[Any], found: set[type[msgspec.Struct]]) -> None:
    for each in types:
        _collect(each, found)


def _form(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        later = _defaults(type(value))
        fields = ((name, getattr(value, name)) for name in value.__struct_fields__)
        return {name: _form(field) for name, field in fields if name not in later or field != later[name]}
    if isinstance(value, dict):
        return {name: _form(part) for name, part in value.items()}
    return [_form(part) for part in value] if isinstance(value, list | tuple) else value


@cache
def _defaults(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the defaults of the added fields."""
    later = added(struct)
    return {
        field.name: field.default_factory() if field.default is msgspec.NODEFAULT else field.default
        for field in msgspec.structs.fields(struct)
        if field.name in later
    }
