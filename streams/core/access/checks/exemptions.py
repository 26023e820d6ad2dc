"""Exemptions applied: the result of a check that fails is EXEMPT while a grant for it is in force. The finding stays open, suppressed."""

from collections.abc import Callable, Iterable
from math import inf
from typing import Final, NamedTuple

import msgspec

from streams.core.access.checks.check import EXEMPT, CheckOutcome, CheckOutcomes
from streams.core.access.state.rows import ExemptionRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.timers import Due
from streams.core.access.state.values import CitedFact, Exemption

TIMER: Final = "exemption"  # in the place of a check: of the timers for whose account or workspace an exemption begins or ends

VoidedAt = Callable[[ExemptionRow], int | None]  # when (ms) a material change voided a grant


def never_voided(row: ExemptionRow) -> int | None:
    """Return None: a grant for a workspace holds, whatever happened since."""
    return None


def exempted(outcomes: CheckOutcomes, rows: Iterable[ExemptionRow], at: int, voided_at: VoidedAt) -> CheckOutcomes:
    """Return the outcomes as of an instant (ms), EXEMPT where a finding is held open and one of these grants is in force for it.

    A result is dated not before the exemption in force began, or before the last one ended.
    """
    periods = [period for row in rows if (period := _period(row, at, voided_at)) is not None]
    return {
        check: _exempted(outcome, [period for period in periods if period.row.check == check], at)
        for check, outcome in outcomes.items()
    }


def next_change(state: TenantState, app_id: str, account: str, now: int) -> Due | None:
    """Return the next instant after `now` (ms) at which an exemption begins or ends, and the fact that granted it."""
    return min(
        (
            Due(instant, row.source.fact)
            for _, row in state.exemptions.walk(app_id, account)
            if row.revoked is None
            for instant in (row.grant.starts, row.grant.expires)
            if instant is not None and instant > now
        ),
        default=None,
    )


def arm(state: TenantState, app_id: str, account: str, now: int) -> None:
    """Arm, move or disarm the timer of an account's exemptions, or of a workspace's."""
    state.timers.arm(TIMER, (app_id, account), next_change(state, app_id, account, now))


class _Period(NamedTuple):
    """When a grant is in force: from `starts` on, before `ends` (ms), which is dated `ended`: a fact may be dated ahead of log time."""

    starts: int
    ends: float
    ended: float
    row: ExemptionRow


def _period(row: ExemptionRow, at: int, voided_at: VoidedAt) -> _Period | None:
    """Return when a grant is in force, or None where it never was until an instant. What ends it by a fact ended it by now."""
    if row.grant.starts > at:
        return None
    facts = [date for date in (row.revoked, voided_at(row)) if date is not None]
    expires = inf if row.grant.expires is None else row.grant.expires
    ends, ended = min([expires, *(min(date, at) for date in facts)]), min([expires, *facts])
    return _Period(row.grant.starts, ends, ended, row) if row.grant.starts < ends else None


def _exempted(outcome: CheckOutcome, periods: list[_Period], at: int) -> CheckOutcome:
    if outcome.result.held is None or not periods:
        return outcome
    begun, over = 0, -inf
    for period in sorted(periods, key=lambda each: (each.starts, each.ends)):
        begun, over = begun if period.starts <= over else period.starts, max(over, period.ends)
    if over <= at:
        ended = max(period.ended for period in periods if period.ends == over)
        result = msgspec.structs.replace(outcome.result, since=max(outcome.result.since, int(ended)))
        return outcome._replace(result=result)
    row = min((period.row for period in periods if period.ends > at), key=lambda row: _rank(row.grant))
    cited = CitedFact(row.source, {"grant": row.grant.id, "check": row.check})
    since = max(outcome.result.since, begun)
    result = msgspec.structs.replace(outcome.result, result=EXEMPT, since=since, exemption=row.grant)
    return outcome._replace(result=result, evidence=(*outcome.evidence, cited))


def _rank(grant: Exemption) -> tuple[bool, int, str]:
    """Order grants: the one that ends last is shown."""
    return grant.expires is not None, -(grant.expires or 0), grant.id
