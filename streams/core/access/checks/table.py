"""The table of checks, and the answers of all of them about an account or a workspace."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from schemas.errors import MustStop
from streams.core.access.checks.alarm_test import ALARM_TEST
from streams.core.access.checks.check import (
    FAIL,
    INFORMATIONAL,
    UNKNOWN,
    AccountCheck,
    AccountInput,
    CheckDefinition,
    CheckOutcome,
    CheckOutcomes,
    WorkspaceCheck,
    WorkspaceInput,
)
from streams.core.access.checks.configured import CONFIGURED
from streams.core.access.checks.further.added_again import ADDED_AGAIN
from streams.core.access.checks.further.credentials import CREDENTIALS_LEFT
from streams.core.access.checks.further.dormant import SEAT_USED
from streams.core.access.checks.further.impersonation import NO_IMPERSONATION
from streams.core.access.checks.further.invites import PENDING_INVITES
from streams.core.access.checks.further.login_after_end import NO_LOGIN_AFTER_END
from streams.core.access.checks.further.made_after_end import NOTHING_MADE_AFTER_END
from streams.core.access.checks.further.mass_change import MASS_CHANGE
from streams.core.access.checks.further.provisioning import BY_PROVISIONING
from streams.core.access.checks.further.sign_in_method import ALLOWED_METHOD
from streams.core.access.checks.further.switches import Switches
from streams.core.access.checks.further.two_factor import TWO_FACTOR_ON
from streams.core.access.checks.governed import GOVERNED
from streams.core.access.checks.identified import IDENTIFIED
from streams.core.access.checks.offboarded import OFFBOARDED
from streams.core.access.checks.snapshots import ACCEPTED, REPORTED
from streams.core.access.checks.staff_reports import STAFF_REPORTS
from streams.core.access.checks.staff_snapshots import STAFF_ACCEPTED
from streams.core.access.checks.valid_access import VALID_ACCESS

_FURTHER: Final = (
    NO_LOGIN_AFTER_END, ADDED_AGAIN, BY_PROVISIONING, TWO_FACTOR_ON, ALLOWED_METHOD, NOTHING_MADE_AFTER_END, CREDENTIALS_LEFT, NO_IMPERSONATION,
    SEAT_USED, PENDING_INVITES, MASS_CHANGE,
)  # fmt: skip
_ORDER: Final = (
    IDENTIFIED,
    OFFBOARDED,
    CONFIGURED,
    VALID_ACCESS,
    GOVERNED,
    *_FURTHER,
    ACCEPTED,
    REPORTED,
    STAFF_ACCEPTED,
    STAFF_REPORTS,
    ALARM_TEST,
)
"""A check stands behind those that dominate it: their findings are then known when its own is superseded."""


class _Checks(dict[str, CheckDefinition]):
    def __missing__(self, check: str) -> CheckDefinition:
        raise MustStop(
            f"the access table has results of the check {check}, which this release does not know: a newer release wrote it"
        )


CHECKS: Final[Mapping[str, CheckDefinition]] = _Checks({check.id: check for check in _ORDER})
"""By id. A check that is not there stops the process: a newer release has evaluated it, and its findings must not be lost."""
ACCOUNT_CHECKS: Final = tuple(check for check in _ORDER if isinstance(check, AccountCheck))
WITHOUT_PRESENCE: Final = frozenset(check.id for check in ACCOUNT_CHECKS if check.without_presence)
WITH_GRACE: Final = tuple(check.id for check in ACCOUNT_CHECKS if check.has_grace)
_WORKSPACE_CHECKS: Final = tuple(check for check in _ORDER if isinstance(check, WorkspaceCheck))


def of_workspace(view: WorkspaceInput) -> CheckOutcomes:
    """Answer the checks about a workspace; one that does not apply has no answer."""
    outcomes = {check.id: check.answer(check, view) for check in _WORKSPACE_CHECKS if not _is_off(check, view.switches)}
    return {check: _graded(outcome, view.switches) for check, outcome in outcomes.items() if outcome is not None}


def of_account(view: AccountInput) -> CheckOutcomes:
    """Answer the checks about an account; one that does not apply, or is dominated, has no answer."""
    outcomes: CheckOutcomes = {}
    for check in ACCOUNT_CHECKS:
        skipped = _is_off(check, view.switches) or dominating(check.id, outcomes) is not None
        outcome = None if skipped else check.answer(check, view, outcomes)
        if outcome is not None:
            outcomes[check.id] = _graded(outcome, view.switches)
    return outcomes


def of_removed_account(view: AccountInput) -> CheckOutcomes:
    """Answer the checks about an account that is no teammate's any more: those about what it leaves behind."""
    checks = [check for check in ACCOUNT_CHECKS if check.without_presence and not _is_off(check, view.switches)]
    outcomes = {check.id: check.answer(check, view, {}) for check in checks}
    return {check: _graded(outcome, view.switches) for check, outcome in outcomes.items() if outcome is not None}


def _is_off(check: CheckDefinition, switches: Switches) -> bool:
    return check.further and check.id not in switches


def _graded(outcome: CheckOutcome, switches: Switches) -> CheckOutcome:
    """Return an outcome whose failure has the severity that the tenant wants."""
    switch = switches.get(outcome.result.check)
    if switch is None or switch.severity is None or outcome.result.result != FAIL:
        return outcome
    return outcome._replace(result=msgspec.structs.replace(outcome.result, severity=switch.severity))


def all_unknown(outcomes: CheckOutcomes, reason: str, since: int, *, held: bool) -> CheckOutcomes:
    """Return these outcomes as UNKNOWN for one reason, with the findings that are held open, or without."""
    return {check: _unknown(outcome, reason, since, held=held) for check, outcome in outcomes.items()}


def _unknown(outcome: CheckOutcome, reason: str, since: int, *, held: bool) -> CheckOutcome:
    result = msgspec.structs.replace(
        outcome.result, result=UNKNOWN, reason=reason, since=since, severity=INFORMATIONAL, due=None,
        held=outcome.result.held if held else None,
    )  # fmt: skip
    return outcome._replace(result=result)


def dominating(check: str, outcomes: CheckOutcomes) -> str | None:
    """Return the check with an open finding that dominates this one, or None."""
    for other in CHECKS[check].dominated_by:
        if (outcome := outcomes.get(other)) is not None and outcome.result.held is not None:
            return other
    return None


def in_order(checks: Iterable[str]) -> list[str]:
    """Return checks in the order of evaluation: dominating checks first."""
    return sorted(checks, key=lambda check: _ORDER.index(CHECKS[check]))
