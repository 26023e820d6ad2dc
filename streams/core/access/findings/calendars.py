"""Whose working days count: the calendar that a person's record names, that of the person's zone, or the tenant's default."""

from schemas.access.facts import Calendar
from streams.core.access.checks.policy.working_days import UTC
from streams.core.access.state.directory import Directory
from streams.core.access.state.person import Person
from streams.core.access.state.tenant import TenantState


def calendar_of(state: TenantState, directory: Directory, person: Person | None, at: int) -> Calendar:
    """Return the calendar of a person (None: of an account without owner) at an instant (ms)."""
    settings = state.settings.get()
    named = _asserted(directory, person, "calendar", at) if person else None
    zone = _asserted(directory, person, "zone", at) if person else None
    return (
        (_by_id(state, named) if named else None)
        or (_by_zone(state, zone) if zone else None)
        or (_by_id(state, settings.settings.further.get("calendar", "")) if settings else None)
        or UTC
    )


def _asserted(directory: Directory, person: Person, field: str, at: int) -> str | None:
    """Return what the first source by precedence asserts of a person's place; of sources without one, what was asserted last."""
    given = [record for record in person.records if field in record.row.fields]
    having = [record for record in given if record.speaks(at)] or given
    ranked = sorted(having, key=lambda record: (_place(record.key[0], directory), -record.row.fields[field].time, record.key))
    return ranked[0].row.fields[field].value if ranked else None


def _place(source: str, directory: Directory) -> int:
    precedence = directory.precedence
    return precedence.index(source) if source in precedence else len(precedence)


def _by_id(state: TenantState, id_: str) -> Calendar | None:
    row = state.calendars.get(id_)
    return row.calendar if row else None


def _by_zone(state: TenantState, zone: str) -> Calendar | None:
    return next((row.calendar for _, row in state.calendars.walk() if row.calendar.zone == zone), None)
