"""What a check is: its definition as data, the input it gets, and the outcome it returns."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from streams.core.access.checks.further.switches import Switches
from streams.core.access.checks.matching import Match
from streams.core.access.checks.presence import Period
from streams.core.access.state.directory import Directory
from streams.core.access.state.person import Person
from streams.core.access.state.row_kinds.activity_rows import ActivityRow, Change, InviteRow
from streams.core.access.state.row_kinds.grant_rows import ApprovalRow
from streams.core.access.state.row_kinds.rules_rows import FIRST_RULES, WITH_BEGINNINGS, follows
from streams.core.access.state.rows import AccountRow, AlarmTestRow, CoverageRow, PolicyRow, SourceRow, TeammatesRow, WorkspaceRow
from streams.core.access.state.staff import Employment
from streams.core.access.state.values import CheckResult, CitedFact, FactReference

PASS: Final = "PASS"  # noqa: S105 - a result, no password
FAIL: Final = "FAIL"
UNKNOWN: Final = "UNKNOWN"
DUE: Final = "DUE"  # fails, within the time that the policy allows
EXEMPT: Final = "EXEMPT"

LOW, MEDIUM, HIGH = 1, 2, 3  # OCSF confidence_id
INFORMATIONAL: Final = 1  # OCSF severity_id of what is not known
CRITICAL_SEVERITY: Final = 5  # OCSF severity_id
IN_GRACE: Final = 2  # OCSF severity_id of a failure until its deadline

UNKNOWN_REASONS: Final = MappingProxyType({
    "account_not_identified": "whose account it is, is not known",
    "ambiguous": "the account could be that of several people",
    "staff_not_known": "the account is linked to somebody of whom no staff record has arrived yet",
    "staff_stale": "a staff source that has the person has missed three of its intervals",
    "staff_withdrawn": "no staff source has the person any more",
    "presence_unsettled": "the account was added and removed within the same second, and has to be read again",
    "unmonitored": "the workspace is not monitored",
    "workspace_silent": "webhooks of the workspace have ceased, though Intercom shows changes since",
})  # fmt: skip
"""Reasons for which any check about an account can be unknown, in words."""


class CheckOutcome(NamedTuple):
    """A result with the facts it rests on, and who it is about: what a finding shows of its owner and candidates."""

    result: CheckResult
    evidence: tuple[CitedFact, ...] = ()
    owner: Person | None = None
    candidates: tuple[Person, ...] = ()
    changes: tuple[int, str] | None = None  # when it changes by itself (ms), and the fact that decides it


CheckOutcomes = dict[str, CheckOutcome]  # by check


class Wording(NamedTuple):
    """The sentences of a finding; they may use who, app_id, reason and the check's parameters. `desc` names no person."""

    message: str
    desc: str


class Deadline(NamedTuple):
    """When a check's answer changes by itself (ms), by a staff record. `event` is part of the ids of findings that open then."""

    event: str
    of_record: Callable[[Employment], Iterable[int]]


def nothing_known() -> None:
    """Return that nothing is known of what was done."""


class AccountInput(NamedTuple):
    """Everything that decides the answers about one account at an instant (ms)."""

    account: AccountRow
    period: Period
    match: Match
    linked: Person | None  # whom a link names, where their record is known
    leavers: tuple[Person, ...]  # whom an address names
    directory: Directory
    policy: PolicyRow | None
    at: int
    approvals: Callable[[Person], Sequence[ApprovalRow]] = lambda _: ()  # of the account, and of its owner
    over: bool = False  # the presence had ended before it was reported: no later silence of a source casts doubt on it
    switches: Switches = MappingProxyType({})
    activity: Callable[[], ActivityRow | None] = nothing_known  # what the account did; read where a check asks
    workspace_activity: Callable[[], ActivityRow | None] = nothing_known
    rules: str = FIRST_RULES  # the version that the tenant's answers follow

    @property
    def link(self) -> str | None:
        """The person's id that a link names."""
        return self.account.link.value if self.account.link else None

    @property
    def classification(self) -> str | None:
        return self.account.classification.value if self.account.classification else None

    @property
    def owner(self) -> Person | None:
        return self.linked if self.link else self.match.owner

    def since(self, *times: int | None) -> int:
        """Return the latest of these times, the presence and the decision about a link: no answer is dated before what it rests on."""
        decided = self.account.link.since if self.account.link else None
        return max(time for time in (self.period.start.time, decided, *times) if time is not None)

    @property
    def begins_after_others(self) -> bool:
        """Say whether an answer begins where another one before it ended, by the tenant's rules. A presence that is over has no other."""
        return follows(self.rules, WITH_BEGINNINGS) and not self.over

    def employed_since(self, *people: Person) -> int | None:
        """Return when the last of these people was employed again who had left (ms), by rules that ask for it; else None."""
        times = [self.directory.employed_since(person) for person in people] if self.begins_after_others else []
        return max((time for time in times if time is not None), default=None)

    @property
    def classified_since(self) -> int | None:
        return self.account.classification.since if self.account.classification else None

    @property
    def owner_since(self) -> int | None:
        """Since when the owner is known: of a link by its record, else by the match and the settings it rests on."""
        if self.link:
            return self.linked.first if self.linked else None
        times = [self.match.candidates[0].since] if self.match.candidates else []
        return max([*times, *([self.match.alias_date] if self.match.alias_date is not None else [])], default=None)


def nobody(address: str) -> Sequence[AccountRow]:
    """Return that no account has an address."""
    return ()


class WorkspaceInput(NamedTuple):
    """Everything that decides the answers about a workspace."""

    workspace: WorkspaceRow
    policy: PolicyRow | None
    teammates: TeammatesRow | None = None
    sources: Mapping[str, SourceRow] = MappingProxyType({})
    reporting: Mapping[str, CoverageRow] = MappingProxyType({})  # the coverage of staff sources that report at an interval
    settings: FactReference | None = None
    at: int = 0
    switches: Switches = MappingProxyType({})
    directory: Directory | None = None
    invites: Mapping[str, InviteRow] = MappingProxyType({})  # by normal address
    accounts_at: Callable[[str], Sequence[AccountRow]] = nobody  # the workspace's accounts that have or had an address
    changes: Sequence[Change] = ()
    test: AlarmTestRow | None = None
    rules: str = FIRST_RULES  # the version that the tenant's answers follow


class CheckDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A check as data.

    `uid`, `title`, `control`, `standards` and `severity` (OCSF severity_id of a failure) go onto the wire. `wording` has the sentences by
    reason, `unknown_reasons` why it can be unknown, `remedy` and `remedies` what to do.
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
    remedies: Mapping[str, str] = {}  # further sentences, by the parameter that calls for them
    unknown_reasons: Mapping[str, str] = {}
    further: bool = False  # only where the tenant's settings switch it on
    may_be_exempt: bool = True
    reworded: Mapping[str, Wording] = {}  # the sentences of the rules of version 4, in place of those of `wording`
    dominated_by: tuple[
        str, ...
    ] = ()  # while one of these has an open finding, it has no answer, and its findings are superseded


class AccountCheck(CheckDefinition, frozen=True, kw_only=True):
    """A check about an account. Its answer gets the outcomes of the checks before it; None where the check does not apply."""

    answer: Callable[["AccountCheck", AccountInput, CheckOutcomes], CheckOutcome | None]
    rests_on_policy: bool = False
    has_grace: bool = False  # a policy may allow time to fix a failure
    deadline: Deadline | None = None
    without_presence: bool = False  # also about an account that was removed


class WorkspaceCheck(CheckDefinition, frozen=True, kw_only=True):
    """A check about a workspace. Its answer is None where the check does not apply."""

    answer: Callable[["WorkspaceCheck", WorkspaceInput], CheckOutcome | None]


def workspace_result(
    check: WorkspaceCheck, result: str, reason: str, since: int, *, parameters: Mapping[str, str] | None = None,
    policy: str | None = None,
) -> CheckResult:  # fmt: skip
    """Return a result about a workspace. Only a failure is held, since it began."""
    return CheckResult(
        check=check.id,
        result=result,
        reason=reason,
        since=since,
        severity=check.severity if result == FAIL else INFORMATIONAL,
        parameters=dict(parameters or {}),
        policy=policy,
        held=since if result == FAIL else None,
    )


def account_result(
    check: AccountCheck, view: AccountInput, result: str, reason: str, since: int, *, person: Person | str | None = None,
    severity: int | None = None, confidence: int = HIGH, candidates: Sequence[Person] = (), held: int | None = None,
    people: Sequence[Person] = (), parameters: Mapping[str, str] | None = None, due: int | None = None,
) -> CheckResult:  # fmt: skip
    """Return a result about an account. A failure is held since it began; another result where `held` says so."""
    return CheckResult(
        check=check.id,
        staff=person.id if isinstance(person, Person) else person,
        result=result,
        reason=reason,
        since=since,
        severity=INFORMATIONAL if result != FAIL else check.severity if severity is None else severity,
        confidence=confidence,
        candidates=tuple(each.id for each in candidates),
        parameters=dict(sorted((parameters or {}).items())),
        policy=view.policy.source.fact if view.policy and check.rests_on_policy else None,
        due=due,
        held=since if result == FAIL and held is None else held,
        people=tuple(sorted({id_ for each in people for id_ in each.ids})),
    )
