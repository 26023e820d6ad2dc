"""How one value of Intercom's becomes a register's value. Types flip between versions and endpoints, so each reader takes what it can.

A reader gives None for what is empty and raises WrongType for what it cannot hold; such a value is kept as JSON instead of being lost.
"""

import math
from collections.abc import Callable
from typing import Any

from schemas.canonical import canonical
from schemas.errors import InvalidRecord
from schemas.intercom.values import floor_to_second, identifier, instant
from schemas.profiles.registers import Value

Parser = Callable[[Any], Value]
_LONG = 1 << 63  # Avro's and MessagePack's integers end here


class WrongType(Exception):
    """Say that a value is of another type than its field."""


def text(value: Any) -> Value:
    """Read a text; whole numbers are taken as their digits."""
    if isinstance(value, str):
        return value or None
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise WrongType


def flag(value: Any) -> Value:
    """Read a yes or no; False is not empty."""
    if value is None or isinstance(value, bool):
        return value
    raise WrongType


def count(value: Any) -> Value:
    """Read a whole number."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and -_LONG <= value < _LONG):
        return value
    raise WrongType


def number(value: Any) -> Value:
    """Read a number as the nearest double, which is what JSON's readers make of it."""
    if value is None:
        return None
    if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and abs(value) < _LONG:
        return float(value)
    raise WrongType


def moment(value: Any) -> Value:
    """Read a time, cut to the second: REST has no milliseconds and webhooks do."""
    try:
        found = instant(value)
    except InvalidRecord:
        raise WrongType from None
    return None if found is None else floor_to_second(found)


def reference(value: Any) -> Value:
    """Read the id of something else; 0 is nobody."""
    try:
        return identifier(value)
    except InvalidRecord:
        raise WrongType from None


def anything(value: Any) -> Value:
    """Keep a value as canonical JSON; null, empty text, lists and objects are empty."""
    if value is None or value in ("", [], {}):
        return None
    return canonical(value).decode()


def entries(value: Any) -> Value:
    """Keep the entries of a list, or of the object around one, as canonical JSON."""
    around = value.values() if isinstance(value, dict) else ()
    return anything(next((part for part in around if isinstance(part, list)), value))
