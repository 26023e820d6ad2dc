"""Calendars: what `calendar.set` does, and when it is to be written. Deadlines that are fixed stay as they are."""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.access.facts import Actor, Calendar, Fact, type_of
from schemas.canonical import canonical, digest
from schemas.ids import derived
from schemas.plain_values import plain
from streams.core.access.checks.policy import working_days
from streams.core.access.facts.effect import Effect
from streams.core.access.state.rows import CalendarRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference

KIND: Final = "calendar.set"
TYPE: Final = type_of(KIND)
SOURCE: Final = "configuration"


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


def calendar_fact(tenant: str, calendar: Calendar, before: Iterable[Fact]) -> Fact | None:
    """Return the fact to append so that the log has this calendar, or None where it has.

    `before` are the tenant's facts of this kind, in the order of the log. Another release of the list of holidays that gives the same
    dates is no change. The same change has the same id for every worker.
    """
    current = None
    for fact in before:
        if fact.calendar is not None and fact.calendar.id == calendar.id:
            current = fact
    if current is not None and _content(current.calendar) == _content(calendar):
        return None
    return Fact(
        id=derived(tenant, KIND, digest(canonical(plain(calendar))), current.id if current else None),
        tenant=tenant,
        kind=KIND,
        source=SOURCE,
        basis="decided",
        actor=Actor(kind="connector", id="worker"),
        calendar=calendar,
    )


def removed(before: Iterable[Fact], configured: Iterable[str]) -> list[str]:
    """Return the ids of the calendars that the configuration has set and does not name any more; those that others set are theirs."""
    ids = {fact.calendar.id for fact in before if fact.kind == KIND and fact.source == SOURCE and fact.calendar is not None}
    return sorted(ids - set(configured))


def _content(calendar: Calendar | None) -> Calendar | None:
    return msgspec.structs.replace(calendar, made_by="") if calendar else None
