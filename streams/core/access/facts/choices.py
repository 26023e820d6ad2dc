"""Facts that say which of two contradicting staff sources is right about a person."""

from typing import Final

from schemas.access.facts import Fact
from streams.core.access.facts import staleness
from streams.core.access.facts.effect import Effect
from streams.core.access.state.directory import Directory
from streams.core.access.state.rows import SourceChoice
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import DatedName, FactReference

EMPLOYMENT: Final = "employment"
REMEMBERED: Final = 32  # decisions about a person: a bound


def decided(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `staff.decided`. It holds by its place in the log, also before a record of the person is known."""
    assert fact.choice is not None
    staff = fact.staff or ""
    before = state.choices.get(staff)
    after = staleness.decided(fact, before.decision if before else None, fact.choice.source, source)
    if after is None:
        return Effect("stale")
    if fact.choice.field != EMPLOYMENT:
        return Effect("void")
    made = (*(before.made if before else ()), DatedName(after.value, source.date, source.offset))[-REMEMBERED:]
    record = state.record_ids.get(staff)
    old = Directory(state).accounts_of((record.source, record.id)) if record else set()  # also of whom it may no longer have left
    state.choices.put(SourceChoice(after.value, source, after.since, made), staff)
    directory = Directory(state)
    new = directory.accounts_of((record.source, record.id)) if record else set()
    return Effect("applied", accounts=old | new, directory=directory)
