"""Exemptions applied: the result of a check that fails is EXEMPT while a grant for it is in force. The finding stays open, suppressed."""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import msgspec

from streams.core.access.checks.check import EXEMPT, CheckOutcome, CheckOutcomes
from streams.core.access.checks.cover import GrantPeriod, cover, grant_period
from streams.core.access.state.row_kinds.grant_rows import ExemptionRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.timers import Due
from streams.core.access.state.values import CitedFact, Exemption

TIMER: Final = "exemption"  # in the place of a check: of the timers for whose account or workspace an exemption begins or ends


class _Covering(NamedTuple):
    period: GrantPeriod
    row: ExemptionRow


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


def _period(row: ExemptionRow, at: int, voided_at: VoidedAt) -> _Covering | None:
    period = (
        grant_period(row.grant.starts, row.grant.expires, [row.revoked, voided_at(row)], at) if row.grant.starts <= at else None
    )
    return _Covering(period, row) if period else None


def _exempted(outcome: CheckOutcome, covering: list[_Covering], at: int) -> CheckOutcome:
    if outcome.result.held is None or not covering:
        return outcome
    found = cover([each.period for each in covering], at)
    since = max(outcome.result.since, found.begun or 0, found.ended or 0)
    if found.begun is None:
        return outcome._replace(result=msgspec.structs.replace(outcome.result, since=since))
    row = min((each.row for each in covering if each.period.holds(at)), key=lambda row: _rank(row.grant))
    cited = CitedFact(row.source, {"grant": row.grant.id, "check": row.check})
    result = msgspec.structs.replace(outcome.result, result=EXEMPT, since=since, exemption=row.grant)
    return outcome._replace(result=result, evidence=(*outcome.evidence, cited))


def _rank(grant: Exemption) -> tuple[bool, int, str]:
    """Order grants: the one that ends last is shown."""
    return grant.expires is not None, -(grant.expires or 0), grant.id
