"""Working days: which calendar is a person's, and when the Nth working day after an instant is over.

The design: "N business days end at 24:00 of the Nth working day after, in the person's zone and calendar". The core reads no time
zone database, so neither does this: a calendar has its offsets.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from tests.support.access_oracle.log import FactDict
from tests.support.access_oracle.people import Person
from tests.support.access_oracle.precedence import first_by_precedence
from tests.support.access_oracle.registers import DAY, SECOND
from tests.support.access_oracle.state import State


@dataclass(frozen=True)
class WorkingDays:
    """A calendar's weekend (ISO weekdays), its holidays, until when they are known, and its offsets from UTC by instant."""

    weekend: frozenset[int]
    holidays: frozenset[str] = frozenset()
    valid_until: str = "9999-12-31"
    offsets: tuple[tuple[int, int], ...] = ()  # (from which instant, seconds)

    def local(self, instant: int) -> int:
        """Return the instant as milliseconds of the local clock since 1970 [N48]."""
        seconds = [seconds for starts, seconds in self.offsets if starts <= instant]
        return instant + SECOND * (seconds[-1] if seconds else 0)

    def is_working(self, day: date) -> bool:
        """Whether work is done on a local day. "After `valid_until` only weekends count"."""
        known = day.isoformat() <= self.valid_until
        return day.isoweekday() not in self.weekend and not (known and day.isoformat() in self.holidays)

    def midnight_after(self, day: date) -> int:
        """Return 24:00 of a local day: the first instant at which the local clock has reached the next day's midnight [N48]."""
        wanted = _midnight(day + timedelta(days=1))
        candidates = {wanted - SECOND * seconds for seconds in {0, *(seconds for _, seconds in self.offsets)}}
        candidates |= {starts for starts, _ in self.offsets}
        return min(instant for instant in candidates if self.local(instant) >= wanted and self.local(instant - 1) < wanted)


UTC_WEEK: Final = WorkingDays(frozenset({6, 7}))


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * SECOND


def after_working_days(start: int, days: int, calendar: WorkingDays) -> tuple[int, bool]:
    """Return "24:00 local of the Nth working day after the local day that contains the instant just before" the start.

    And whether days were counted of which the calendar knows no holidays any more.
    """
    day = date(1970, 1, 1) + timedelta(days=calendar.local(start - 1) // DAY)
    while days:
        day += timedelta(days=1)
        days -= calendar.is_working(day)
    return calendar.midnight_after(day), day.isoformat() > calendar.valid_until


def calendar_of(state: State, person: Person | None) -> WorkingDays:
    """Return a person's calendar.

    "The one named by a staff record (by precedence of sources), else the one whose zone is the record's (the least id where
    several), else the tenant's default in the settings, else UTC with Saturday and Sunday. An account without owner has the
    tenant's default" [N49].
    """
    known = {fact["calendar"]["id"]: fact["calendar"] for fact in _set(state)}  # the last that was set
    named = first_by_precedence(state, person, lambda record: record.calendar) if person else None
    if named in known:
        return _working_days(known[named])
    zone = first_by_precedence(state, person, lambda record: record.zone) if person else None
    there = sorted(id_ for id_, calendar in known.items() if zone is not None and (calendar.get("zone") or "UTC") == zone)
    default = state.setting(lambda settings: (settings.get("further") or {}).get("calendar")).value
    chosen = there[0] if there else default
    return _working_days(known[chosen]) if chosen in known else UTC_WEEK


def _set(state: State) -> Sequence[FactDict]:
    return [logged.fact for logged in state.facts if logged.kind == "calendar.set"]


def _working_days(calendar: FactDict) -> WorkingDays:
    return WorkingDays(
        weekend=frozenset(calendar.get("weekend") or ()),
        holidays=frozenset(calendar.get("holidays") or ()),
        valid_until=calendar["valid_until"],
        offsets=tuple((offset["starts"], offset["seconds"]) for offset in calendar.get("offsets") or ()),
    )
