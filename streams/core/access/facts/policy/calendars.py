"""Calendars: what `calendar.set` does. Deadlines that are fixed stay as they are."""

from schemas.access.facts import Fact
from streams.core.access.checks.policy import working_days
from streams.core.access.facts.effect import Effect
from streams.core.access.state.rows import CalendarRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference


def set_(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `calendar.set`: it takes the place of the one with the same id."""
    assert fact.calendar is not None
    before = state.calendars.get(fact.calendar.id)
    if before is not None and before.calendar == fact.calendar:
        return Effect("superseded")
    state.calendars.put(CalendarRow(fact.calendar, source), fact.calendar.id)
    return Effect("applied")


def problem_of(fact: Fact) -> str | None:
    """Return what makes the fact's calendar unusable, or None."""
    return working_days.problem_of(fact.calendar) if fact.calendar else None
