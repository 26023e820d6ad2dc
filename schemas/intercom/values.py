"""Intercom's formats of times and ids, converted to one each: milliseconds since 1970, and text or None.

REST sends whole seconds, webhooks ISO 8601 with milliseconds in two formats, some API versions digits as text; an admin's id is
an int in some objects and a string in others, and "nobody" is null, 0 or "0".
"""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from schemas.errors import InvalidRecord

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = 86_400  # seconds
_FIRST: Final = -62_135_596_800  # second at which year 1 begins
_LAST: Final = 253_402_300_799  # last second of year 9999: beyond it a number can only be milliseconds
_LONGEST_NUMBER: Final = 24  # digits of a time as text; longer texts are no times, and slow to convert
_LONGEST_ID: Final = 128  # bits: a UUID's size; no id is a larger number
_EXACT: Final = 1 << 53  # larger integers are not exact once JSON made them floats


def instant(value: object) -> int | None:
    """Return a time as milliseconds since 1970; null, empty text and 0 are Intercom's "never" and give None.

    Accept whole or fractional seconds (milliseconds where seconds would lie beyond the year 9999), the same as text, and ISO
    8601; a text without a zone is UTC. Raise InvalidRecord for anything else.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_number(value)
    raise InvalidRecord(f"a time is a number of seconds or an ISO 8601 text, not a {type(value).__name__}; look at the sender")


def instant_or_none(value: object) -> int | None:
    """Return a time, or None also for a value that is no time: for fields whose errors must not reject their object."""
    try:
        return instant(value)
    except InvalidRecord:
        return None


def floor_to_second(ms: int) -> int:
    """Drop the milliseconds: webhooks have them, REST does not, and the same time must be equal from both."""
    return ms - ms % 1000


def identifier(value: object) -> str | None:
    """Return an id as text; null, empty text, 0 and "0" mean nobody and give None. Raise InvalidRecord for other values."""
    if value is None or value in ("", "0"):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= _LONGEST_ID:
        return str(value) if value else None
    raise InvalidRecord(f"an id is a text or a whole number, not a {type(value).__name__}; look at the sender")


def identifier_or_none(value: object) -> str | None:
    """Return an id, or None also for a value that is no id."""
    try:
        return identifier(value)
    except InvalidRecord:
        return None


@lru_cache(maxsize=4096)  # most times of a contact are those of its event before, and events of one are processed together
def _from_text(text: str) -> int | None:
    is_date = text[4:5] == "-"  # as in 2026-01-31; no number has its sign there
    if not is_date and text[0] in "-0123456789." and len(text) <= _LONGEST_NUMBER and text.isascii():
        number = _number(text)
        if number is not None:
            return _from_number(number)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRecord("a text where a time belongs is neither a number nor ISO 8601; look at the sender") from None
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    ms = (since.days * _DAY + since.seconds) * 1000 + since.microseconds // 1000  # cut, as a division by a millisecond does
    if not _FIRST * 1000 <= ms < (_LAST + 1) * 1000:
        raise InvalidRecord("a time lies outside the years 1 to 9999 in UTC; look at the sender")
    return ms


def _number(text: str) -> int | float | None:
    digits = text.removeprefix("-")
    if digits.isdigit():
        return int(text)
    whole, point, rest = digits.partition(".")
    return float(text) if point and (whole + rest).isdigit() else None


def _from_number(number: float) -> int | None:
    if number == 0:
        return None
    if _FIRST <= number <= _LAST:
        return int(number * 1000) if isinstance(number, int) else round(number * 1000)
    if _LAST < number <= _LAST * 1000:
        return int(number)
    raise InvalidRecord("a number where a time belongs lies outside the years 1 to 9999; look at the sender")
