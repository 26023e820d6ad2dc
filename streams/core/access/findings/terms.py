"""What is fixed when a finding is created, from the policy in force then, and the timers that its deadline arms."""

from typing import Final

from streams.core.access.checks.alarm_test import ALARM_TEST
from streams.core.access.checks.check import AccountCheck, CheckOutcome
from streams.core.access.checks.policy.grace import GracePeriod, grace_period
from streams.core.access.checks.policy.rules import rule_at
from streams.core.access.checks.table import CHECKS
from streams.core.access.findings.calendars import calendar_of
from streams.core.access.findings.episodes import FindingKey, Terms
from streams.core.access.findings.sla import next_step
from streams.core.access.state.directory import Directory
from streams.core.access.state.rows import PolicyRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import Episode

TIMER: Final = "sla"  # in the place of a check: of the timers whose subject is a check and its account


class TermsSource:
    """The terms of findings that are created now. To be made again once the policy, the settings or rows of staff have changed."""

    def __init__(self, state: TenantState, directory: Directory, policy: PolicyRow | None) -> None:
        self._state, self._directory, self._policy = state, directory, policy

    def of(self, key: FindingKey, outcome: CheckOutcome, now: int) -> Terms:
        """Return the terms of a finding that an outcome creates at log time `now` (ms)."""
        is_baseline = self._state.monitoring.get() is None and key.check != ALARM_TEST.id
        return Terms(lambda opened: self._grace(key, outcome, opened, now), baseline=is_baseline)

    def _grace(self, key: FindingKey, outcome: CheckOutcome, opened: int, now: int) -> GracePeriod | None:
        check, policy = CHECKS[key.check], self._policy
        rule = rule_at(policy.policy, key.app_id, now) if policy else None
        grace = rule.grace.get(key.check) if rule else None
        if policy is None or grace is None or not isinstance(check, AccountCheck) or not check.has_grace:
            return None
        period = grace_period(opened, grace, calendar_of(self._state, self._directory, outcome.owner, now))
        return period and period._replace(parameters={**period.parameters, "grace_policy": policy.source.fact})


def arm(state: TenantState, key: FindingKey, before: Episode | None, after: Episode | None, now: int) -> None:
    """Arm the timer of a finding for the next step of its deadline, or disarm it where there is none."""
    if (before is None or before.due is None) and (after is None or after.due is None):
        return
    at = next_step(after, now)
    state.timers.set(TIMER, (key.check, key.app_id, key.account), at, after.uid if after else "")
