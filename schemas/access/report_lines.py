"""The lines of a report for auditors: accounts, answers, leavers, findings, windows, exemptions and decisions.

Instants are RFC 3339 in UTC, lengths of time are seconds.
"""

import msgspec


class ReportPart(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Base of the parts of a report."""


class ReportedPerson(ReportPart, frozen=True, kw_only=True):
    """A staff member as the staff sources describe them."""

    staff: str
    name: str | None = None
    addresses: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    department: str | None = None

    def __repr__(self) -> str:
        return f"ReportedPerson({self.staff!r}, ***)"


class ReportedAnswer(ReportPart, frozen=True, kw_only=True):
    """What a check answered: PASS, FAIL, DUE, UNKNOWN or EXEMPT, why, since when, with the open finding and its deadline."""

    check: str
    result: str
    reason: str
    since: str
    finding: str | None = None
    due: str | None = None
    sla_state: str | None = None
    exemption: str | None = None
    baseline: bool = False


class ReportedAccess(ReportPart, frozen=True, kw_only=True):
    """An account that had access, or of which that is not certain (`state` unknown), and what each check answered.

    `known_by` is event, listing, or activity alone. `not_answered` are the checks that are on and had no answer about it.
    """

    workspace: str
    account: str
    name: str | None
    address: str | None
    role: str | None
    seat: bool | None
    classification: str | None
    state: str
    since: str
    known_by: str
    owner: ReportedPerson | None
    answers: tuple[ReportedAnswer, ...]
    not_answered: tuple[str, ...]

    def __repr__(self) -> str:
        return f"ReportedAccess({self.workspace!r}, {self.account!r}, ***)"


class ReportedCoverage(ReportPart, frozen=True, kw_only=True):
    """Whether what answers rest on was complete: of a workspace's teammates, or of a staff source."""

    workspace: str | None
    source: str | None
    result: str
    reason: str
    since: str
    complete_since: str | None
    evaluated_through: str
    accounts: int | None = None
    records: int | None = None


class ReportedWorkspace(ReportPart, frozen=True, kw_only=True):
    """A workspace: whether it is monitored, how many accounts had access, and what each check answered about it."""

    workspace: str
    monitored: bool
    accounts: int
    answers: tuple[ReportedAnswer, ...]


class UnknownWindow(ReportPart, frozen=True, kw_only=True):
    """A time in which a check had the answer UNKNOWN about an account, a workspace or a staff source: nobody was tested.

    `since` is when the cause began; the answer was UNKNOWN `from_` until `until`, null where it still was.
    """

    check: str
    workspace: str | None
    account: str | None
    source: str | None
    reasons: tuple[str, ...]
    since: str
    from_: str = msgspec.field(name="from")
    until: str | None


class ReportedExemption(ReportPart, frozen=True, kw_only=True):
    """An exemption in force: of what, from when until when, who asked and who approved it, and why."""

    id: str
    check: str
    workspace: str
    account: str | None
    starts: str
    expires: str | None
    shown: bool
    by: str | None
    approver: str | None
    why: str | None
    evidence_sha256: str | None
    fact: str
    offset: int

    def __repr__(self) -> str:
        return f"ReportedExemption({self.id!r}, ***)"


class ReportedDecision(ReportPart, frozen=True, kw_only=True):
    """A decision: what was decided about what, who did it, why, and where it is in the log."""

    kind: str
    about: str
    decided: str
    at: str
    by: str | None
    why: str | None
    fact: str
    offset: int

    def __repr__(self) -> str:
        return f"ReportedDecision({self.kind!r}, {self.fact!r}, ***)"


class ReportedLeaver(ReportPart, frozen=True, kw_only=True):
    """Somebody whose employment had ended, and one account of theirs: Revoked, Active or Unknown; without any, Not found.

    `known_by` is how the removal is known: event or listing. `due` is when access had to be gone, by the grace of the finding or the end itself;
    `late_seconds` is by how much it was, or is, later.
    """

    person: ReportedPerson
    last_day: str
    ended: str
    ended_by: str
    ended_source: str
    workspace: str | None
    account: str | None
    address: str | None
    status: str
    revoked: str | None
    known_by: str | None
    fact: str | None
    due: str | None
    grace: str | None
    within_grace: bool | None
    late_seconds: int | None

    def __repr__(self) -> str:
        return f"ReportedLeaver({self.person.staff!r}, ***)"


class FindingStep(ReportPart, frozen=True, kw_only=True):
    """An event in the life of a finding: opened, updated or closed, the result and why, and by when it was known."""

    event: str
    at: str
    known: str
    result: str | None
    reason: str
    sla_state: str | None = None
    handling: str | None = None


class ReportedFinding(ReportPart, frozen=True, kw_only=True):
    """The life of a finding: when it began, was due and closed, and why it closed. An open one has neither `closed` nor `lasted_seconds`."""

    uid: str
    check: str
    workspace: str
    account: str | None
    address: str | None
    person: str | None
    message: str
    severity: int
    result: str | None
    reason: str
    opened: str
    known: str
    due: str | None
    closed: str | None
    closed_for: str | None
    within_grace: bool | None
    lasted_seconds: int | None
    baseline: bool
    steps: tuple[FindingStep, ...]

    def __repr__(self) -> str:
        return f"ReportedFinding({self.uid!r}, ***)"


class TimeToFix(ReportPart, frozen=True, kw_only=True):
    """How long findings of a check lasted that were fixed in the period: percentiles by nearest rank, in seconds."""

    check: str
    fixed: int
    open: int
    late: int
    p50: int | None
    p90: int | None
    p95: int | None
    longest: int | None
