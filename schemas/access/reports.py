"""Reports for auditors about access: what was true at an instant or in a period, by what a log of facts had up to an offset.

They are results of `intercom-streams access report`, whose bytes are the same whenever it is made again. Instants are RFC 3339 in UTC,
lengths of time are seconds.
"""

from typing import Final

from schemas.access.report_lines import (
    ReportedAccess,
    ReportedCoverage,
    ReportedDecision,
    ReportedExemption,
    ReportedFinding,
    ReportedLeaver,
    ReportedWorkspace,
    ReportPart,
    TimeToFix,
    UnknownWindow,
)

FORMAT: Final = 1  # rises with every change of the form of a report


class ReportedPlace(ReportPart, frozen=True, kw_only=True):
    """The last fact that counts: where it is in the log, when the broker took it, and the SHA-256 of its bytes."""

    topic: str
    partition: int
    offset: int
    fact: str
    kind: str
    taken: str
    sha256: str


class ReportedRule(ReportPart, frozen=True, kw_only=True):
    """Who may have an account in a workspace, by the policy in force."""

    workspace: str
    validity: str
    allows: tuple[str, ...]
    starts: str | None
    until: str | None
    grace: dict[str, str]


class ReportedPolicy(ReportPart, frozen=True, kw_only=True):
    """The policy in force: the decision, the hash of its content, who made it, and why."""

    id: str
    hash: str
    decided: str
    by: str | None
    why: str | None
    rules: tuple[ReportedRule, ...]

    def __repr__(self) -> str:
        return f"ReportedPolicy({self.id!r}, ***)"


class ReportBasis(ReportPart, frozen=True, kw_only=True):
    """What a report rests on. `since` is the start of a period, null in a report about an instant.

    `ledger_entries` and `ledger_head` are the number and hash of the tenant's last ledger entry by then. `later_facts` became known after `as_of`, and are
    about it or before: they are in the report, and behind the entry. `not_understood` are records that are dead letters.
    """

    tenant: str
    as_of: str
    since: str | None
    known_at: ReportedPlace
    rules: str
    policy: ReportedPolicy | None
    settings: str | None
    ledger_entries: int
    ledger_head: str
    monitoring_since: str | None
    first_fact: str
    facts: int
    later_facts: int
    not_understood: int


class ReportedControl(ReportPart, frozen=True, kw_only=True):
    """A control of a standard, the checks that give evidence for it, and how many subjects each result had."""

    standard: str
    control: str
    about: str
    checks: tuple[str, ...]
    off: tuple[str, ...]
    results: dict[str, int]


class ReportSummary(ReportPart, frozen=True, kw_only=True):
    """Numbers of a report: accounts with access, results by check, staff and leavers by what became of their accounts."""

    accounts: int
    accounts_unknown: int
    results: dict[str, dict[str, int]]
    open_findings: int
    staff_records: int
    people: int
    leavers: int
    leavers_accounts: dict[str, int]
    late: int
    exemptions: int
    unknown_windows: int


class AccessReport(ReportPart, frozen=True, kw_only=True):
    """A report. `findings` are the open ones; of a period, all that were open at any time in it."""

    format: int = FORMAT
    basis: ReportBasis
    summary: ReportSummary
    controls: tuple[ReportedControl, ...]
    workspaces: tuple[ReportedWorkspace, ...]
    coverage: tuple[ReportedCoverage, ...]
    access: tuple[ReportedAccess, ...]
    leavers: tuple[ReportedLeaver, ...]
    findings: tuple[ReportedFinding, ...]
    time_to_fix: tuple[TimeToFix, ...] | None
    unknown: tuple[UnknownWindow, ...]
    exemptions: tuple[ReportedExemption, ...]
    decisions: tuple[ReportedDecision, ...]
