"""Local dates of a staff file as instants. A date without a time includes the whole day: employment ends when the day does."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from schemas.access.facts import LocalTime

_FIRST, _LAST = 1900, 2200  # plausible years of employment; any other is a typing error
_DATE: Final = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})(?!\d)", re.ASCII)
_COMPACT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_CLOCK: Final = re.compile(
    r"(\d{1,2})(:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(?: ?([ap])\.?m\.?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII | re.IGNORECASE
)
_YEAR_LENGTH: Final = 4
_NOON: Final = 12

NO_DATE: Final = "is no date like 2026-03-31 or 2026-03-31T17:00:00+01:00"


class DateForm(StrEnum):
    """The order of day, month and year. A date that begins with a year of four digits is always year, month, day."""

    YMD = "ymd"
    DMY = "dmy"
    MDY = "mdy"


_ORDERS: Final = (DateForm.DMY, DateForm.MDY)


class DateRules(NamedTuple):
    """The zone of times without one, the form of dates (None: only year, month, day is understood), and what an end date means.

    With `first_day_gone` the end is the first day on which the person is no longer employed, else the last day of employment.
    """

    zone: ZoneInfo
    form: DateForm | None = None
    first_day_gone: bool = False


class _Parts(NamedTuple):
    first: int
    second: int
    third: int
    year_first: bool
    rest: str


def parse_end(text: str, rules: DateRules) -> LocalTime:
    """Parse an end of employment, a day or an instant. Raises ValueError with the reason for any other text."""
    return _parse(text, rules, "first_day_gone", days=0) if rules.first_day_gone else _parse(text, rules, "end_of_day", days=1)


def parse_start(text: str, rules: DateRules) -> LocalTime:
    """Parse the first day of employment, or the instant at which it starts. Raises ValueError with the reason for any other text."""
    return _parse(text, rules, "start_of_day", days=0)


def form_of(texts: Iterable[str]) -> DateForm | None:
    """Return the only form that all dates of a file have which end with the year; None where both fit, or neither.

    One that is no day in either form says nothing about the others.
    """
    written = [each for text in texts if (each := _split(text, compact=False)) is not None and not each.year_first]
    parts = [each for each in written if any(_fits(each, form) for form in _ORDERS)]
    fitting = [form for form in _ORDERS if parts and all(_fits(each, form) for each in parts)]
    return fitting[0] if len(fitting) == 1 else None


def _parse(text: str, rules: DateRules, rule: str, *, days: int) -> LocalTime:
    given = text.strip()
    parts = _split(given, compact=rules.form is DateForm.YMD)
    if parts is None:
        raise ValueError(NO_DATE)
    day = _day(parts, rules.form)
    clock = _clock(parts.rest)
    if clock is None:
        moment = datetime.combine(day + timedelta(days=days), time(), rules.zone)
    else:
        moment, rule = datetime.combine(day, clock, clock.tzinfo or rules.zone), "instant"
    return LocalTime(given=given, zone=rules.zone.key, rule=rule, instant=int(moment.timestamp() * 1000))


def _split(text: str, *, compact: bool) -> _Parts | None:
    if compact and (found := _COMPACT.fullmatch(text)):
        return _Parts(int(found[1]), int(found[2]), int(found[3]), year_first=True, rest="")
    found = _DATE.match(text)
    if found is None:
        return None
    first, last = len(found[1]), len(found[4])
    year_first = first == _YEAR_LENGTH and last < _YEAR_LENGTH - 1
    if not year_first and not (last == _YEAR_LENGTH and first < _YEAR_LENGTH - 1):
        return None
    return _Parts(int(found[1]), int(found[3]), int(found[4]), year_first, text[found.end() :])


def _day(parts: _Parts, form: DateForm | None) -> date:
    if parts.year_first:
        day = _date(parts.first, parts.second, parts.third)
    elif form is DateForm.DMY:
        day = _date(parts.third, parts.second, parts.first)
    elif form is DateForm.MDY:
        day = _date(parts.third, parts.first, parts.second)
    elif form is DateForm.YMD:
        raise ValueError("does not begin with the year")
    else:
        day = _day_of_any_form(parts)
    if not _FIRST <= day.year < _LAST:
        raise ValueError(NO_DATE)
    return day


def _day_of_any_form(parts: _Parts) -> date:
    """Return the day that a date is in each form that it fits. Raises ValueError where that is not one."""
    days = [_day(parts, form) for form in _ORDERS if _fits(parts, form)]
    if not days:
        raise ValueError(NO_DATE)
    if len(days) < len(_ORDERS):
        raise ValueError("is written in another order than other dates of the file; say with --dates which order is right")
    if days[0] != days[1]:
        raise ValueError(f"could be {days[0]:%d %B %Y} (--dates dmy) or {days[1]:%d %B %Y} (--dates mdy); say which")
    return days[0]


def _fits(parts: _Parts, form: DateForm) -> bool:
    try:
        _day(parts, form)
    except ValueError:
        return False
    return True


def _date(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError(NO_DATE) from None


def _clock(rest: str) -> time | None:
    """Parse what follows a date. Behind a blank, midnight without a zone is how spreadsheets write a date alone: None."""
    if not rest:
        return None
    found = _CLOCK.fullmatch(rest[1:].strip()) if rest[0] in "Tt \t" else None
    if found is None:
        raise ValueError(NO_DATE)
    hour = int(found[1])
    if found[3]:
        if not 1 <= hour <= _NOON:
            raise ValueError(NO_DATE)
        hour = hour % _NOON + (_NOON if found[3] in "pP" else 0)
    try:
        clock = time.fromisoformat(f"{hour:02d}{found[2]}{(found[4] or '').upper()}")
    except ValueError:
        raise ValueError(NO_DATE) from None
    return None if rest[0] not in "Tt" and clock == time() else clock
