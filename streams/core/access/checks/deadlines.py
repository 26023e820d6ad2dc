"""Deadlines of checks: timers armed for staff records, and the events they are named after."""

from streams.core.access.checks.check import AccountCheck
from streams.core.access.checks.table import ACCOUNT_CHECKS, CHECKS
from streams.core.access.state.row_kinds.staff_rows import AnyRecord
from streams.core.access.state.staff import Employment
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import decoded_reference


def arm_record(state: TenantState, row: AnyRecord, employment: Employment, now: int) -> None:
    """Arm, move or disarm the timers of a record's deadlines: each for its next instant after log time `now` (ms)."""
    fact = decoded_reference(row.ending).fact
    for check in ACCOUNT_CHECKS:
        if check.deadline is not None:
            at = min((instant for instant in check.deadline.of_record(employment) if instant > now), default=None)
            state.timers.set(check.id, (row.source, row.id), at, fact)


def event_of(check: str) -> str:
    """Return the name of the event that a check's deadline passed."""
    definition = CHECKS[check]
    assert isinstance(definition, AccountCheck)
    assert definition.deadline is not None
    return definition.deadline.event
