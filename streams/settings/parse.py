"""Convert plain TOML tables to structs and report *every* problem, so that a user fixes the file once, not once per mistake."""

import difflib
import re
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from schemas.tenancy import Secret


class Problem(NamedTuple):
    """The path of a key in the file, and what is wrong there."""

    path: str
    text: str


_INDEX = re.compile(r"\[\d+\]")

Report = Callable[[str, str], None]
"""Take the path of a key and what is wrong there."""

_TYPE_NAMES: Mapping[Any, str] = types.MappingProxyType({
    str: "a text in quotes", Secret: "a text in quotes", int: "a whole number", float: "a number", bool: "true or false",
})  # fmt: skip


def parse(value: Any, kind: Any, path: str, report: Report) -> Any:
    """Return the value as `kind` (a struct, a tuple or a table of structs, or a plain type), or None after a report of what is wrong."""
    if isinstance(kind, types.UnionType):
        kind = _member(value, kind)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct(value, kind, path, report)
    if typing.get_origin(kind) is tuple:
        return _list(value, typing.get_args(kind)[0], path, report)
    if typing.get_origin(kind) is Mapping:
        return _table(value, typing.get_args(kind)[1], path, report)
    try:
        return msgspec.convert(value, kind, strict=not isinstance(value, str), dec_hook=_secret)
    except msgspec.ValidationError:
        report(path, f"expected {_TYPE_NAMES[kind]}, found {_describe(value, kind)}")
        return None


def _member(value: Any, kind: Any) -> Any:
    """Return the type of a union that a value seems to be meant for: a list where it is one, else the first that is not None."""
    members = [member for member in typing.get_args(kind) if member is not type(None)]
    lists = [member for member in members if typing.get_origin(member) is tuple]
    return lists[0] if lists and isinstance(value, list) else members[0]


def _struct(value: Any, kind: type[msgspec.Struct], path: str, report: Report) -> Any:
    if not isinstance(value, dict):
        report(path, f"expected a table, found {_describe(value, dict)}")
        return None
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name in value.keys() - fields.keys():
        report(_join(path, name), f"unknown key{_hint(name, list(fields))}")
    for name in (name for name, field in fields.items() if field.required and name not in value):
        report(_join(path, name), f"missing; expected {_expected(fields[name].type)}")
    values = {name: parse(value[name], fields[name].type, _join(path, name), report) for name in fields.keys() & value.keys()}
    values = {name: part for name, part in values.items() if part is not None}
    return kind(**values) if all(name in values for name, field in fields.items() if field.required) else None


def _list(value: Any, kind: Any, path: str, report: Report) -> Any:
    if not isinstance(value, list):
        tables = isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct)
        written = f": write [[{_INDEX.sub('', path)}]]" if tables else ""
        report(path, f"expected a list, found {_describe(value, list)}{written}")
        return None
    read_items = (parse(item, kind, f"{path}[{at}]", report) for at, item in enumerate(value))
    return tuple(item for item in read_items if item is not None)


def _table(value: Any, kind: Any, path: str, report: Report) -> Any:
    """Return a table whose keys the user chooses."""
    if not isinstance(value, dict):
        report(path, f"expected a table, found {_describe(value, dict)}")
        return None
    read_items = {name: parse(item, kind, _join(path, name), report) for name, item in value.items()}
    return {name: item for name, item in read_items.items() if item is not None}


def _secret(kind: type, value: Any) -> Any:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise msgspec.ValidationError("no secret")


def _expected(kind: Any) -> str:
    return _TYPE_NAMES.get(kind, "a list" if typing.get_origin(kind) is tuple else "a table")


def _describe(value: Any, kind: Any) -> str:
    """Describe a wrong value; name only the type of a value that may be a secret."""
    if kind is not Secret and isinstance(value, str | int | float | bool):
        return repr(value) if not isinstance(value, bool) else str(value).lower()
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(value), "something else")


def _hint(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; known here: {', '.join(known)}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
