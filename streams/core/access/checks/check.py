"""What a check is: its definition as data, the input it gets, and the outcome it returns."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from streams.core.access.checks.matching import Match
from streams.core.access.state.rows import AccountRow, CheckResult, CitedFact, PolicyRow, PresenceEvent, SubjectKey, WorkspaceRow
from streams.core.access.state.staff import StaffMember

PASS: Final = "PASS"  # noqa: S105 - a result, no password
FAIL: Final = "FAIL"
UNKNOWN: Final = "UNKNOWN"

LOW, MEDIUM, HIGH = 1, 2, 3  # OCSF confidence_id
INFORMATIONAL: Final = 1  # OCSF severity_id of what is not known

UNKNOWN_REASONS: Final = MappingProxyType({
    "account_not_identified": "whose account it is, is not known",
    "presence_unsettled": "the account was added and removed within the same second, and has to be read again",
})  # fmt: skip
"""Reasons for which any check about an account can be unknown, in words."""


class CheckOutcome(NamedTuple):
    """A result with the facts it rests on."""

    result: CheckResult
    evidence: tuple[CitedFact, ...] = ()


CheckOutcomes = dict[SubjectKey, CheckOutcome]


class Wording(NamedTuple):
    """The sentences of a finding; they may use who, app_id, reason and the check's parameters. `desc` names no person."""

    message: str
    desc: str


class Due(NamedTuple):
    """The instant (ms) at which a check's answer changes by itself, and the fact that this deadline rests on."""

    at: int
    fact: str


class Deadline(NamedTuple):
    """A check's deadline that a person's records set. `event` names its passing: it is part of the ids of findings that open then."""

    event: str
    of_person: Callable[[StaffMember], Due | None]


class AccountInput(NamedTuple):
    """Everything that decides the answers about one account at an instant (ms)."""

    account: AccountRow
    presence: PresenceEvent  # the event that began its presence
    match: Match
    policy: PolicyRow | None
    staff_known: bool  # whether any staff was ever loaded
    at: int

    @property
    def classification(self) -> str | None:
        """What the account was classified as, where no link names its owner."""
        decision = self.account.classification
        return decision.value if decision and self.match.by != "link" else None


class WorkspaceInput(NamedTuple):
    """Everything that decides the answers about a workspace."""

    workspace: WorkspaceRow
    policy: PolicyRow | None


class CheckDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A check as data.

    `uid`, `title`, `control`, `standards` and `severity` (OCSF severity_id of a failure) go onto the wire. `wording` has the sentences by
    reason, `unknown_reasons` why it can be unknown, `remedy` what to do.
    """

    id: str
    uid: str
    name: str
    title: str
    control: str
    standards: tuple[str, ...]
    severity: int
    wording: Mapping[str, Wording]
    remedy: str
    unknown_reasons: Mapping[str, str] = {}
    backdated: bool = False  # a failure starts at the date in the source, even if it was reported later
    closes_as: str = "fixed"  # why a finding closes when the check passes again
    dominated_by: tuple[
        str, ...
    ] = ()  # while one of these fails for the same person, it has no answer, and its findings are superseded


class AccountCheck(CheckDefinition, frozen=True, kw_only=True):
    """A check about an account.

    One that `needs_person` asks about the account and its owner: without an owner it has no answer, or is UNKNOWN where it is
    `unknown_without_person` or has an open finding.
    """

    answer: Callable[["AccountCheck", AccountInput], CheckOutcome]
    needs_person: bool = False
    unknown_without_person: bool = False
    answers_classified: bool = False  # whether it has an answer for an account classified as no person's
    rests_on_policy: bool = False
    deadline: Deadline | None = None


class WorkspaceCheck(CheckDefinition, frozen=True, kw_only=True):
    """A check about a workspace."""

    answer: Callable[["WorkspaceCheck", WorkspaceInput], CheckOutcome]


def account_result(
    check: AccountCheck, view: AccountInput, result: str, reason: str, staff: str = "", *, since: int | None = None,
    severity: int | None = None, confidence: int = HIGH, candidates: tuple[StaffMember, ...] = (),
    parameters: Mapping[str, str] | None = None, due: int | None = None,
) -> CheckResult:  # fmt: skip
    """Return a result about an account; without `since` it dates from the beginning of the presence."""
    return CheckResult(
        check=check.id,
        staff=staff or None,
        result=result,
        reason=reason,
        since=view.presence.time if since is None else since,
        severity=INFORMATIONAL if result != FAIL else check.severity if severity is None else severity,
        confidence=confidence,
        candidates=tuple(member.id for member in candidates),
        parameters=dict(sorted((parameters or {}).items())),
        policy=view.policy.source.fact if view.policy and check.rests_on_policy else None,
        due=due,
    )


def unknown(
    check: AccountCheck, view: AccountInput, staff: str, reason: str, *, parameters: Mapping[str, str] | None = None,
) -> CheckOutcome:  # fmt: skip
    """Return the outcome of a check that cannot be answered, with the reason. It cites nothing."""
    return CheckOutcome(account_result(check, view, UNKNOWN, reason, staff, parameters=parameters))
