"""Working days of a calendar: when the Nth of them after an instant is over, from the offsets and dates in the calendar alone."""

from datetime import date
from typing import Final, NamedTuple

from schemas.access.facts import Calendar

DAY: Final = 24 * 60 * 60 * 1000  # ms
_EPOCH: Final = date(1970, 1, 1).toordinal()  # a Thursday
_DAYS_OF_WEEK: Final = 7

UTC: Final = Calendar(id="UTC", weekend=(6, 7), made_by="default", valid_until="9999-12-31")
"""The calendar of everybody who has none: weekends of UTC, no holidays."""


class DayEnd(NamedTuple):
    """The end of a working day (ms); with `calendar_ended`, one for which the calendar's holidays are not known."""

    instant: int
    calendar_ended: bool


def end_of_working_day(calendar: Calendar, after: int, number: int) -> DayEnd:
    """Return 24:00 local of the Nth working day after the local day that contains the instant just before `after` (ms).

    So what ends at 24:00 of a day counts from that day. After `valid_until` only weekends are no working days.
    """
    known_until = _day(calendar.valid_until)
    off = {day for text in calendar.holidays if (day := _day(text)) <= known_until}
    day = (after - 1 + _offset(calendar, after - 1)) // DAY
    left = number
    while left > 0:
        day += 1
        left -= _weekday(day) not in calendar.weekend and day not in off
    return DayEnd(_instant(calendar, (day + 1) * DAY), day > known_until)


def problem_of(calendar: Calendar) -> str | None:
    """Return what makes a calendar unusable, or None."""
    try:
        for text in (*calendar.holidays, calendar.valid_until):
            _day(text)
    except ValueError:
        return "its holidays and valid_until must be dates like 2026-12-25"
    if not set(calendar.weekend) < set(range(1, _DAYS_OF_WEEK + 1)):
        return "its weekend must be weekdays from 1 (Monday) to 7, and leave one to work"
    starts = [offset.starts for offset in calendar.offsets]
    if starts != sorted(set(starts)) or any(abs(offset.seconds) * 1000 >= DAY for offset in calendar.offsets):
        return "its offsets must ascend by their starts, each of less than a day"
    return None


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - _EPOCH


def _weekday(day: int) -> int:
    """Return the ISO weekday of a day since 1970: 1 is Monday."""
    return (day + 3) % _DAYS_OF_WEEK + 1


def _offset(calendar: Calendar, at: int) -> int:
    """Return the offset of local time (ms) at an instant; before the first one, that one holds."""
    known = [offset.seconds for offset in calendar.offsets if offset.starts <= at]
    return (known[-1] if known else calendar.offsets[0].seconds if calendar.offsets else 0) * 1000


def _instant(calendar: Calendar, local: int) -> int:
    """Return the first instant whose local time is not before this one: a zone may skip midnight, or have it twice."""
    offsets = calendar.offsets
    for number, offset in enumerate(offsets):
        begins = offset.starts if number else None
        ends = offsets[number + 1].starts if number + 1 < len(offsets) else None
        at = local - offset.seconds * 1000
        at = at if begins is None else max(begins, at)
        if ends is None or at < ends:
            return at
    return local
