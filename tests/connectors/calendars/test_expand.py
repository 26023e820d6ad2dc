"""A configured calendar as dates and offsets, and what is wrong with one."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.calendars.expand import expand
from connectors.calendars.problems import problems
from schemas.tenancy import WorkCalendar
from streams.core.access.checks.policy.working_days import problem_of

TODAY = date(2026, 11, 29)
FRANCE = WorkCalendar(id="fr", country="FR", zone="Europe/Paris")


def test_the_dates_are_the_public_holidays_of_four_years_with_further_days_and_without_removed_ones():
    calendar = WorkCalendar(
        id="fr", country="FR", zone="Europe/Paris", extra_days=("2026-12-24",), removed_days=("2026-05-01",), weekend=(7, 6)
    )
    expanded = expand(calendar, TODAY)
    assert {"2025-01-01", "2026-07-14", "2028-12-25", "2026-12-24"} <= set(expanded.holidays)
    assert "2026-05-01" not in expanded.holidays
    assert {day[:4] for day in expanded.holidays} == {"2025", "2026", "2027", "2028"}
    assert (expanded.weekend, expanded.valid_until, expanded.zone) == ((6, 7), "2028-12-31", "Europe/Paris")
    assert expanded.made_by.startswith("holidays ")
    assert problem_of(expanded) is None


def test_a_part_of_a_country_has_its_own_holidays():
    bavaria, hamburg = (
        expand(WorkCalendar(id="x", country="DE", subdivision=part, zone="Europe/Berlin"), TODAY) for part in ("BY", "HH")
    )
    assert "2026-01-06" in bavaria.holidays
    assert "2026-01-06" not in hamburg.holidays


def test_a_calendar_without_country_has_its_own_days_only():
    expanded = expand(WorkCalendar(id="x", zone="UTC", extra_days=("2026-12-24",)), TODAY)
    assert (expanded.holidays, expanded.made_by, len(expanded.offsets)) == (("2026-12-24",), "configuration", 1)


@pytest.mark.parametrize("name", ["Europe/Paris", "America/New_York", "Asia/Kolkata", "Africa/Casablanca", "Australia/Lord_Howe"])
def test_the_offsets_are_those_of_the_zone_at_every_hour(name: str):
    offsets = expand(WorkCalendar(id="x", zone=name), TODAY).offsets
    zone, start = ZoneInfo(name), datetime(2025, 1, 1, tzinfo=UTC)
    for hours in range(0, 4 * 365 * 24, 7):
        at = start + timedelta(hours=hours)
        known = [offset.seconds for offset in offsets if offset.starts <= at.timestamp() * 1000]
        assert timedelta(seconds=known[-1]) == at.astimezone(zone).utcoffset(), at


def test_an_offset_begins_at_the_second_of_its_change():
    summer = expand(FRANCE, TODAY).offsets[3]
    assert datetime.fromtimestamp(summer.starts / 1000, tz=UTC) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert summer.seconds == 7200


@pytest.mark.parametrize(
    ("part", "key", "words"),
    [
        ({"id": "a|b"}, "id", "without |"),
        ({"country": "XX"}, "country", "code as in DE"),
        ({"country": "DE", "subdivision": "ZZ"}, "subdivision", "BY"),
        ({"subdivision": "BY"}, "subdivision", "a country"),
        ({"zone": "Europe/Pariss"}, "zone", "did you mean Europe/Paris?"),
        ({"zone": "../etc"}, "zone", "expected a time zone"),
        ({"zone": ""}, "zone", "expected a time zone"),
        ({"weekend": (0, 6)}, "weekend", "1 (Monday) to 7"),
        ({"weekend": (1, 2, 3, 4, 5, 6, 7)}, "weekend", "not all of them"),
        ({"extra_days": ("24.12.2026",)}, "extra_days", "2026-12-24, found 24.12.2026"),
        ({"removed_days": ("20261224",)}, "removed_days", "expected dates"),
    ],
)
def test_what_is_wrong_is_named_by_its_key(part: dict[str, object], key: str, words: str):
    sound = {"id": "x", "zone": "UTC"}
    assert list(problems(WorkCalendar(**sound))) == []  # type: ignore[arg-type]
    ((found, text),) = problems(WorkCalendar(**{**sound, **part}))  # type: ignore[arg-type]
    assert found == key
    assert words in text
