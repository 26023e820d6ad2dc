"""Expand a configured calendar into dates and offsets, so that what reads the fact needs neither a list of holidays nor of time zones.

The dates are those of last year, of this one and of the two to come: a worker that starts in another year writes another fact.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from typing import Final
from zoneinfo import ZoneInfo

import holidays

from schemas.access.facts import Calendar, UtcOffset
from schemas.tenancy import WorkCalendar

_BEFORE, _AFTER = 1, 2  # years
_SECOND: Final = timedelta(seconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def expand(calendar: WorkCalendar, today: date) -> Calendar:
    """Return a calendar whose configuration has no problems, as it is known today."""
    first, last = today.year - _BEFORE, today.year + _AFTER
    public: set[str] = set()
    if calendar.country:
        dates = holidays.country_holidays(calendar.country, subdiv=calendar.subdivision or None, years=range(first, last + 1))
        public = {day.isoformat() for day in dates}
    return Calendar(
        id=calendar.id,
        zone=calendar.zone,
        weekend=tuple(sorted(set(calendar.weekend))),
        holidays=tuple(sorted({*public, *calendar.extra_days} - set(calendar.removed_days))),
        offsets=tuple(_offsets(ZoneInfo(calendar.zone), first, last)),
        made_by=f"holidays {version('holidays')}" if calendar.country else "configuration",
        valid_until=date(last, 12, 31).isoformat(),
    )


def _offsets(zone: ZoneInfo, first: int, last: int) -> Iterator[UtcOffset]:
    """Yield the offsets of a zone in these years; that of their beginning stands for all time before."""
    day, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 2, tzinfo=UTC)
    offset = _offset(zone, day)
    yield UtcOffset(starts=0, seconds=offset)
    while day < end:
        following = day + timedelta(days=1)
        if _offset(zone, following) != offset:
            changed = _change(zone, day, following)
            offset = _offset(zone, changed)
            yield UtcOffset(starts=(changed - _EPOCH) // timedelta(milliseconds=1), seconds=offset)
        day = following


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Return the first second with another offset than `before`."""
    old = _offset(zone, before)
    while after - before > _SECOND:
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after


def _offset(zone: ZoneInfo, at: datetime) -> int:
    return int((at.astimezone(zone).utcoffset() or timedelta()).total_seconds())
