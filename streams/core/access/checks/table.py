"""The table of checks, and the answers of all of them about an account or a workspace."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from schemas.errors import MustStop
from streams.core.access.checks.check import (
    FAIL,
    AccountCheck,
    AccountInput,
    CheckDefinition,
    CheckOutcomes,
    WorkspaceCheck,
    WorkspaceInput,
    unknown,
)
from streams.core.access.checks.configured import CONFIGURED
from streams.core.access.checks.identified import IDENTIFIED
from streams.core.access.checks.offboarded import OFFBOARDED
from streams.core.access.checks.valid_access import VALID_ACCESS
from streams.core.access.state.rows import SubjectKey

RULES: Final = "1"  # version of the rules of all checks

_ORDER: Final = (IDENTIFIED, OFFBOARDED, CONFIGURED, VALID_ACCESS)
"""A check stands behind those that dominate it: their findings are then known when its own is superseded."""


class _Checks(dict[str, CheckDefinition]):
    def __missing__(self, check: str) -> CheckDefinition:
        raise MustStop(
            f"the access table has results of the check {check}, which this release does not know: a newer release wrote it"
        )


CHECKS: Final[Mapping[str, CheckDefinition]] = _Checks({check.id: check for check in _ORDER})
"""By id. A check that is not there stops the process: a newer release has evaluated it, and its findings must not be lost."""
ACCOUNT_CHECKS: Final = tuple(check for check in _ORDER if isinstance(check, AccountCheck))
_WORKSPACE_CHECKS: Final = tuple(check for check in _ORDER if isinstance(check, WorkspaceCheck))


def of_workspace(view: WorkspaceInput) -> CheckOutcomes:
    """Answer the checks about a workspace."""
    return {(check.id, ""): check.answer(check, view) for check in _WORKSPACE_CHECKS}


def of_account(view: AccountInput, open_findings: Collection[SubjectKey]) -> CheckOutcomes:
    """Answer the checks about an account. A check with an open finding that cannot be answered is UNKNOWN: that closes nothing."""
    outcomes: CheckOutcomes = {}
    for check in ACCOUNT_CHECKS:
        if view.classification and not check.answers_classified:
            continue
        if not check.needs_person:
            outcomes[check.id, ""] = check.answer(check, view)
        elif view.match.member is None:
            outcomes |= _without_answer(check, view, open_findings, "account_not_identified")
        elif dominating(check.id, view.match.member.id, outcomes) is None:
            outcomes[check.id, view.match.member.id] = check.answer(check, view)
    return outcomes


def unsettled(view: AccountInput, open_findings: Collection[SubjectKey]) -> CheckOutcomes:
    """Answer for an account that was added and removed in the same second: every check is UNKNOWN until it is read again."""
    outcomes: CheckOutcomes = {}
    for check in ACCOUNT_CHECKS:
        if check.needs_person:
            outcomes |= _without_answer(check, view, open_findings, "presence_unsettled")
        else:
            outcomes[check.id, ""] = unknown(check, view, "", "presence_unsettled")
    return outcomes


def dominating(check: str, person: str, outcomes: CheckOutcomes) -> SubjectKey | None:
    """Return the failing check that dominates this one for a person, or None."""
    for other in CHECKS[check].dominated_by:
        outcome = outcomes.get((other, person))
        if outcome is not None and outcome.result.result == FAIL:
            return other, person
    return None


def in_order(subjects: Iterable[SubjectKey]) -> list[SubjectKey]:
    """Return checks and people in the order of evaluation: dominating checks first."""
    return sorted(subjects, key=lambda subject: (_ORDER.index(CHECKS[subject[0]]), subject[1]))


def _without_answer(check: AccountCheck, view: AccountInput, open_findings: Collection[SubjectKey], reason: str) -> CheckOutcomes:
    people = [person for open_check, person in open_findings if open_check == check.id]
    people += [""] if check.unknown_without_person else []
    return {(check.id, person): unknown(check, view, person, reason) for person in people}
