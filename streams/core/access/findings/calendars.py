"""Whose working days count: the calendar that a person's record names, that of the person's zone, or the tenant's default.

One that the configuration set and does not name any more is passed over.
"""

from collections.abc import Collection

from schemas.access.facts import Calendar
from streams.core.access.checks.policy.working_days import UTC
from streams.core.access.state.directory import Directory
from streams.core.access.state.person import Person
from streams.core.access.state.read_settings import removed_calendars_of
from streams.core.access.state.tenant import TenantState


def calendar_of(state: TenantState, directory: Directory, person: Person | None, at: int) -> Calendar:
    """Return the calendar of a person (None: of an account without owner) at an instant (ms)."""
    row = state.settings.get()
    removed = removed_calendars_of(row.settings) if row else frozenset()
    named = _asserted(directory, person, "calendar", at) if person else None
    zone = _asserted(directory, person, "zone", at) if person else None
    ids = (named, _in_zone(state, zone, removed) if zone else None, row.settings.further.get("calendar") if row else None)
    known = (state.calendars.get(id_) for id_ in ids if id_ and id_ not in removed)
    return next((row.calendar for row in known if row is not None), UTC)


def _asserted(directory: Directory, person: Person, field: str, at: int) -> str | None:
    """Return what the first source by precedence asserts of a person's place; of sources without one, what was asserted last."""
    given = [record for record in person.records if field in record.row.fields]
    having = [record for record in given if record.speaks(at)] or given
    ranked = sorted(having, key=lambda record: (_place(record.key[0], directory), -record.row.fields[field].time, record.key))
    return ranked[0].row.fields[field].value if ranked else None


def _place(source: str, directory: Directory) -> int:
    precedence = directory.precedence
    return precedence.index(source) if source in precedence else len(precedence)


def _in_zone(state: TenantState, zone: str, removed: Collection[str]) -> str | None:
    return next((id_ for id_, row in state.calendars.walk() if row.calendar.zone == zone and id_ not in removed), None)
