"""What is wrong with a configured calendar, by key, in words that say what is expected."""

import difflib
from collections.abc import Iterator
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import holidays

from schemas.tenancy import WorkCalendar

_SHOWN: Final = 30  # subdivisions in a message
_WEEK: Final = frozenset(range(1, 8))


def problems(calendar: WorkCalendar) -> Iterator[tuple[str, str]]:
    """Yield the keys of a calendar with wrong values, each with what is expected."""
    if not calendar.id or "|" in calendar.id or not calendar.id.isprintable():
        yield "id", "expected a short name without | (staff records and the tenant's calendar name it)"
    yield from _place(calendar)
    if not _is_zone(calendar.zone):
        yield (
            "zone",
            f"expected a time zone as in Europe/Paris, found {calendar.zone!r}{_near(calendar.zone, available_timezones())}",
        )
    if not set(calendar.weekend) < _WEEK:
        yield "weekend", f"expected weekdays from 1 (Monday) to 7, not all of them, found {list(calendar.weekend)}"
    for key, days in (("extra_days", calendar.extra_days), ("removed_days", calendar.removed_days)):
        if wrong := [day for day in days if not _is_date(day)]:
            yield key, f"expected dates as in 2026-12-24, found {', '.join(wrong)}"


def _place(calendar: WorkCalendar) -> Iterator[tuple[str, str]]:
    supported = holidays.list_supported_countries()
    if calendar.country and calendar.country not in supported:
        known = f"expected a country's code as in DE, or nothing where only extra_days count, found {calendar.country!r}"
        yield "country", known + _near(calendar.country, supported)
    elif calendar.subdivision and calendar.subdivision not in supported.get(calendar.country, ()):
        known = ", ".join(supported.get(calendar.country, ())[:_SHOWN]) or "it has none"
        yield "subdivision", f"expected one of {calendar.country or 'a country'}: {known}; found {calendar.subdivision!r}"


def _near(text: str, known: "set[str] | dict[str, list[str]]") -> str:
    near = difflib.get_close_matches(text, known, n=1)
    return f"; did you mean {near[0]}?" if near else ""


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not found, no name of a file, or one outside of the data
        return False
    return bool(name)


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
