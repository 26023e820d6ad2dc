"""Deadlines of checks: timers armed for people, and the checks they belong to."""

from streams.core.access.checks.check import AccountCheck
from streams.core.access.checks.table import ACCOUNT_CHECKS, CHECKS
from streams.core.access.state.staff import StaffMember
from streams.core.access.state.tenant import TenantState


def arm_person(state: TenantState, person: str, member: StaffMember | None, now: int) -> None:
    """Arm, move or disarm the timers of a person's deadlines after log time `now` (ms). `member` is None once all records are withdrawn."""
    for check in ACCOUNT_CHECKS:
        if check.deadline is not None:
            due = check.deadline.of_person(member) if member else None
            ahead = due is not None and due.at > now
            state.timers.set(check.id, (person,), due.at if due and ahead else None, due.fact if due else "")


def event_of(check: str) -> str:
    """Return the name of the event that a check's deadline passed."""
    definition = CHECKS[check]
    assert isinstance(definition, AccountCheck)
    assert definition.deadline is not None
    return definition.deadline.event
