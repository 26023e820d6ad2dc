"""How a value of Intercom's becomes a register's value. Types differ between versions and endpoints, so parsers are tolerant.

A parser returns None for an empty value and raises WrongType for one it cannot represent, which the caller keeps as JSON.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.canonical import canonical, canonical_text, quoted
from schemas.errors import InvalidRecord
from schemas.intercom.values import floor_to_second, identifier, instant
from schemas.profiles.registers import Value

Parser = Callable[[Any], Value]
_LONG = 1 << 63  # beyond the integers of Avro and MessagePack


class WrongType(Exception):
    """A value of another type than its field."""


def text(value: Any) -> Value:
    """Parse a text; a whole number becomes its digits."""
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise WrongType


def flag(value: Any) -> Value:
    """Parse a boolean; False is not empty."""
    if value is None or isinstance(value, bool):
        return value
    raise WrongType


def count(value: Any) -> Value:
    """Parse a whole number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and -_LONG <= value < _LONG):
        return value
    raise WrongType


def number(value: Any) -> Value:
    """Parse a number as the nearest double, as JSON readers do."""
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and -_LONG < value < _LONG:
        return float(value)
    raise WrongType


def moment(value: Any) -> Value:
    """Parse a time, truncated to the second: REST has no milliseconds and webhooks do."""
    try:
        ms = instant(value)
    except InvalidRecord:
        raise WrongType from None
    return None if ms is None else floor_to_second(ms)


def own_id(value: Any) -> Value:
    """Parse an id that the customer has chosen: "0" is one, and 0 too, which other ids have for nobody."""
    if value == "0" or (value == 0 and not isinstance(value, bool)):
        return "0"
    return reference(value)


def reference(value: Any) -> Value:
    """Parse the id of another object; 0 is no object."""
    try:
        return identifier(value)
    except InvalidRecord:
        raise WrongType from None


def anything(value: Any) -> Value:
    """Return any value as canonical JSON; null and empty texts, lists and objects are empty."""
    if type(value) is str:
        return (quoted(value) if value.isascii() else canonical_text(value)) if value else None
    if value is None or value in ([], {}):
        return None
    return canonical(value).decode()


def entries(value: Any) -> Value:
    """Return the entries of a list, or of the object that contains one, as canonical JSON."""
    parts = value.values() if isinstance(value, dict) else ()
    return anything(next((part for part in parts if isinstance(part, list)), value))


USUAL: Final[Mapping[Parser, type]] = MappingProxyType({text: str, own_id: str, reference: str, flag: bool})
"""The type whose values a parser returns as they are, but for texts that are empty or "0"."""
