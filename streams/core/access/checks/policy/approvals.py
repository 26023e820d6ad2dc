"""Approvals, which a policy by tickets asks for: for an account, or for a person in one workspace or in any."""

from collections.abc import Iterable
from typing import Final

from streams.core.access.checks.cover import GrantPeriod, grant_period
from streams.core.access.state.person import Person
from streams.core.access.state.row_kinds.grant_rows import ApprovalRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.timers import Due
from streams.core.access.state.values import Key

TIMER: Final = "approval"  # in the place of a check: of the timers for whom an approval begins or ends
ACCOUNT, STAFF = "account", "staff"


def subject_of(app_id: str | None, account: str | None, staff: str | None) -> Key | None:
    """Return whom an approval is for, None where it names neither an account of a workspace nor a person."""
    if account is not None:
        return (ACCOUNT, app_id, account) if app_id else None
    return (STAFF, staff, app_id or "") if staff else None


def approvals_for(state: TenantState, app_id: str, account: str, person: Person) -> tuple[ApprovalRow, ...]:
    """Return the approvals for a person's account, whether in force or not."""
    subjects = [(ACCOUNT, app_id, account), *((STAFF, id_, where) for id_ in person.ids for where in (app_id, ""))]
    return tuple(row for subject in subjects for _, row in state.approvals.walk(*subject))


def periods(rows: Iterable[ApprovalRow], at: int) -> list[GrantPeriod]:
    """Return when approvals are in force, of those that have begun by an instant (ms)."""
    found = (grant_period(row.starts, row.expires, [row.revoked], at) for row in rows)
    return [period for period in found if period is not None]


def arm(state: TenantState, subject: Key, now: int) -> None:
    """Arm the timer of a subject for the next instant after `now` (ms) at which an approval begins or ends, or disarm it."""
    rows = [row for _, row in state.approvals.walk(*subject) if row.revoked is None]
    bounds = [Due(at, row.source.fact) for row in rows for at in (row.starts, row.expires) if at is not None and at > now]
    state.timers.arm(TIMER, subject, min(bounds, default=None))
