"""What decides deadlines, for histories: grace of a rule, and calendars."""

from schemas.access.facts import Calendar, Fact, Grace
from schemas.ids import derived
from tests.support.company import TENANT


def grace(**by_check: str) -> dict[str, Grace]:
    """Return grace by check, as in `grace(C2="24 hours")`."""
    parts = {check: text.split() for check, text in by_check.items()}
    return {check: Grace(amount=int(amount), unit=unit) for check, (amount, unit) in parts.items()}


def calendar_set(calendar: Calendar) -> Fact:
    """Return the fact that a calendar has these working days."""
    id_ = derived("calendar", calendar.id, calendar.valid_until, *calendar.holidays)
    return Fact(id=id_, tenant=TENANT, kind="calendar.set", source="configuration", basis="decided", calendar=calendar)
