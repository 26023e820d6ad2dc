"""Policies: what `policy.applied` does, and the timers of the instants at which another rule comes into force."""

from typing import Final

from schemas.access.facts import Fact
from streams.core.access.checks.policy.rules import began, bounds, in_force, situation
from streams.core.access.facts.effect import Effect
from streams.core.access.facts.staleness import takes_effect
from streams.core.access.state.rows import PolicyRow
from streams.core.access.state.stage import Stage
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference

TIMER: Final = "rule"  # in the place of a check: of the timers whose subject is a workspace


def applied(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `policy.applied`: every workspace and account is evaluated again."""
    before = state.policy.get()
    if not takes_effect(fact, before.source.fact if before else None) or fact.policy is None:
        return Effect("stale")
    app_ids = {rule.app_id for policy in (before.policy if before else None, fact.policy) if policy for rule in policy.rules}
    since: dict[str, int] = {}
    for app_id in sorted(app_ids):
        if situation(before.policy if before else None, app_id, now) != situation(fact.policy, app_id, now):
            since[app_id] = max(source.date, began(fact.policy, app_id, now) or 0)
        elif (held := in_force(before, app_id, now).since) is not None:
            since[app_id] = held
    state.policy.put(PolicyRow(fact.policy, source, {**(before.since if before else {}), **since}, now))
    for app_id in sorted(app_ids):
        arm(state, app_id, now)
    return Effect("applied", follow_up=Stage.WORKSPACES)


def arm(state: TenantState, app_id: str, now: int) -> None:
    """Arm a workspace's timer for the next bound of its rules after log time `now` (ms), or disarm it where there is none."""
    row = state.policy.get()
    at = next((bound for bound in bounds(row.policy, app_id) if bound > now), None) if row else None
    state.timers.set(TIMER, (app_id,), at, row.source.fact if row else "")
