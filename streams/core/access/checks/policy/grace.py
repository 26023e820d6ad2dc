"""The time that a policy allows to fix a failure, and the deadline that follows from it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from schemas.access.facts import Calendar, Grace
from streams.core.access.checks.policy.working_days import DAY, end_of_working_day

_HOUR: Final = 60 * 60 * 1000  # ms


class GracePeriod(NamedTuple):
    """A deadline (ms), and what the finding shows of how it came about."""

    due: int
    parameters: Mapping[str, str]


def grace_period(opened: int, grace: Grace, calendar: Calendar) -> GracePeriod | None:
    """Return the deadline of a finding created at `opened` (ms); None for an amount below 1, or a unit of a later release."""
    deadline = _UNITS.get(grace.unit)
    return deadline(opened, grace.amount, calendar) if deadline and grace.amount > 0 else None


def _hours(opened: int, amount: int, calendar: Calendar) -> GracePeriod:
    return GracePeriod(opened + amount * _HOUR, {"grace": f"{amount} hours"})


def _days(opened: int, amount: int, calendar: Calendar) -> GracePeriod:
    return GracePeriod(opened + amount * DAY, {"grace": f"{amount} days"})


def _business_days(opened: int, amount: int, calendar: Calendar) -> GracePeriod:
    end = end_of_working_day(calendar, opened, amount)
    ended = {"calendar_ended": calendar.valid_until} if end.calendar_ended else {}
    return GracePeriod(end.instant, {"grace": f"{amount} business days", "calendar": calendar.id, **ended})


_UNITS: Final = MappingProxyType[str, Callable[[int, int, Calendar], GracePeriod]]({
    "hours": _hours, "days": _days, "business_days": _business_days,
})  # fmt: skip
UNITS: Final = tuple(_UNITS)
