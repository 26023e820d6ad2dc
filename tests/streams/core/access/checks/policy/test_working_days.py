"""Working days: when the Nth of them is over, in the local time of a calendar, checked against Python's own time zones."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.access.facts import Calendar, UtcOffset
from streams.core.access.checks.policy.working_days import DAY, DayEnd, end_of_working_day, problem_of

HOUR = DAY // 24
BERLIN = Calendar(
    id="de", zone="Europe/Berlin", weekend=(6, 7), made_by="test", valid_until="2026-12-31",
    holidays=("2026-01-01", "2026-05-01", "2026-12-25", "2027-01-01"),
    offsets=(UtcOffset(starts=0, seconds=3600), UtcOffset(starts=1_774_746_000_000, seconds=7200),
             UtcOffset(starts=1_792_890_000_000, seconds=3600)),
)  # fmt: skip


def ms(text: str, zone: str = "Europe/Berlin") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("after", "number", "end"),
    [
        ("2026-01-05T09:00", 1, "2026-01-07T00:00"),  # Monday: Tuesday is the first
        ("2026-01-05T00:00", 1, "2026-01-06T00:00"),  # an end at 24:00 of Sunday counts from Sunday
        ("2026-01-05T00:00:00.001", 1, "2026-01-07T00:00"),
        ("2026-01-09T23:59", 1, "2026-01-13T00:00"),  # Friday: Monday
        ("2025-12-31T12:00", 1, "2026-01-03T00:00"),  # the holiday on Thursday counts for none
        ("2026-04-30T12:00", 3, "2026-05-07T00:00"),  # holiday on Friday, then a weekend
        ("2026-03-27T12:00", 1, "2026-03-31T00:00"),  # over the change to summer time
        ("2026-10-23T12:00", 1, "2026-10-27T00:00"),  # and to winter time
        ("2026-01-05T09:00", 0, "2026-01-06T00:00"),
    ],
)
def test_the_day_ends_at_local_midnight(after: str, number: int, end: str):
    assert end_of_working_day(BERLIN, ms(after), number) == DayEnd(ms(end), calendar_ended=False)


def test_after_the_calendar_has_ended_only_weekends_count_and_it_says_so():
    assert end_of_working_day(BERLIN, ms("2026-12-30T12:00"), 1) == DayEnd(ms("2027-01-01T00:00"), calendar_ended=False)
    assert end_of_working_day(BERLIN, ms("2026-12-31T12:00"), 1) == DayEnd(ms("2027-01-02T00:00"), calendar_ended=True)


def test_a_calendar_without_offsets_is_in_utc():
    utc = Calendar(id="u", weekend=(5,), made_by="test", valid_until="2026-12-31")
    assert end_of_working_day(utc, ms("2026-01-08T12:00", "UTC"), 1).instant == ms("2026-01-11T00:00", "UTC")


def offsets_of(zone: ZoneInfo, year: int) -> tuple[UtcOffset, ...]:
    start = datetime(year - 1, 1, 1, tzinfo=UTC)
    found: list[UtcOffset] = []
    for hours in range(3 * 366 * 24):
        at = start + timedelta(hours=hours)
        seconds = int((at.astimezone(zone).utcoffset() or timedelta()).total_seconds())
        if not found or found[-1].seconds != seconds:
            found.append(UtcOffset(starts=int(at.timestamp() * 1000) if found else 0, seconds=seconds))
    return tuple(found)


ZONES = {name: offsets_of(ZoneInfo(name), 2026) for name in ("America/Havana", "Asia/Beirut", "Africa/Cairo", "America/Santiago")}
"""Zones that change at midnight: it is skipped, or comes twice."""


@pytest.mark.parametrize("name", ZONES)
@given(days=st.integers(0, 364), hours=st.integers(0, 23), number=st.integers(1, 4))
def test_the_end_of_a_day_is_the_first_instant_of_the_next_date(name: str, days: int, hours: int, number: int):
    zone = ZoneInfo(name)
    calendar = Calendar(id="x", zone=name, weekend=(6, 7), made_by="test", valid_until="2027-12-31", offsets=ZONES[name])
    after = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days, hours=hours)
    end = end_of_working_day(calendar, int(after.timestamp() * 1000), number).instant
    day = (after - timedelta(milliseconds=1)).astimezone(zone).date()
    for _ in range(number):
        day += timedelta(days=1)
        while day.isoweekday() >= 6:
            day += timedelta(days=1)

    def local(instant: int) -> date:
        return datetime.fromtimestamp(instant / 1000, tz=UTC).astimezone(zone).date()

    assert local(end) == day + timedelta(days=1)
    assert local(end - 1) == day


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ({"holidays": ("25.12.2026",)}, "dates like"),
        ({"valid_until": ""}, "dates like"),
        ({"weekend": (1, 2, 3, 4, 5, 6, 7)}, "leave one to work"),
        ({"weekend": (0,)}, "from 1"),
        ({"offsets": (UtcOffset(starts=5, seconds=0), UtcOffset(starts=5, seconds=60))}, "must ascend"),
        ({"offsets": (UtcOffset(starts=0, seconds=86_400),)}, "less than a day"),
    ],
)
def test_a_calendar_that_cannot_be_used_says_why(part: dict[str, object], problem: str):
    sound = {"id": "x", "made_by": "test", "valid_until": "2026-12-31"}
    assert problem_of(Calendar(**sound)) is None  # type: ignore[arg-type]
    assert problem in (problem_of(Calendar(**{**sound, **part})) or "")  # type: ignore[arg-type]
