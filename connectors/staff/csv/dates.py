"""Local dates of a staff file as instants. A date without a time includes the whole day: employment ends when the day does."""

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schemas.access.facts import LocalTime

_FIRST, _LAST = 1900, 2200  # plausible years of employment; any other is a typing error
_DATE_LENGTH: Final = len("2026-01-31")


def parse_end(text: str, zone: ZoneInfo) -> LocalTime:
    """Parse the last day of employment, or the instant at which it ends. Raises ValueError for any other text."""
    return _parse(text, zone, "end_of_day", days=1)


def parse_start(text: str, zone: ZoneInfo) -> LocalTime:
    """Parse the first day of employment, or the instant at which it starts. Raises ValueError for any other text."""
    return _parse(text, zone, "start_of_day", days=0)


def _parse(text: str, zone: ZoneInfo, rule: str, *, days: int) -> LocalTime:
    given = text.strip()
    if len(given) == _DATE_LENGTH:
        day = date.fromisoformat(given.replace("/", "-"))
        moment = datetime.combine(_plausible(day) + timedelta(days=days), time(), zone)
    elif given[_DATE_LENGTH : _DATE_LENGTH + 1] not in ("T", "t", " "):
        raise ValueError  # other formats of a date would parse as the instant at which that day begins
    else:
        moment = datetime.fromisoformat(given)
        _plausible(moment.date())
        moment, rule = (moment if moment.tzinfo else moment.replace(tzinfo=zone)), "instant"
    return LocalTime(given=given, zone=zone.key, rule=rule, instant=int(moment.timestamp() * 1000))


def _plausible(day: date) -> date:
    if not _FIRST <= day.year < _LAST:
        raise ValueError
    return day
