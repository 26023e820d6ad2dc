"""The records of the access agent: findings, the current result of every check, and the ledger of what followed from each fact.

A finding mirrors a closed subset of OCSF Compliance Finding (class 2003, versions 1.6 to 1.8), field names included; its free
parts are typed records, and all its personal fields are in `person`.
"""

from typing import Final

import msgspec

FINDING: Final = "finding"
STATE: Final = "check_state"
LEDGER: Final = "ledger_entry"


class FindingPart(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Base of the records below."""


class Metadata(FindingPart, frozen=True, kw_only=True):
    """`uid` is the id of this event, `sequence` its number within the finding; the highest is current."""

    version: str = "1.6.0"
    uid: str
    tenant_uid: str
    sequence: int
    original_time: str


class Analytic(FindingPart, frozen=True, kw_only=True):
    """The rule that produced the finding."""

    uid: str
    name: str
    type_id: int = 1
    version: str


class FindingInfo(FindingPart, frozen=True, kw_only=True):
    """`uid` names one episode, `uid_alt` its subject without the episode. Times are milliseconds."""

    uid: str
    uid_alt: str
    title: str
    desc: str
    types: tuple[str, ...] = ("access_violation",)
    created_time: int
    modified_time: int
    first_seen_time: int
    last_seen_time: int
    analytic: Analytic


class Parameter(FindingPart, frozen=True, kw_only=True):
    """An input of the check other than evidence: a limit, a list of valid roles, a version."""

    name: str
    value: str


class ComplianceCheck(FindingPart, frozen=True, kw_only=True):
    """The check as evaluated. `status_id`: 1 pass, 2 warning (unknown, or in grace), 3 fail, 99 other."""

    uid: str
    name: str
    severity_id: int
    status_id: int
    version: str
    standards: tuple[str, ...] = ()


class Compliance(FindingPart, frozen=True, kw_only=True):
    """The control this is about."""

    status_id: int
    control: str
    standards: tuple[str, ...] = ()
    control_parameters: tuple[Parameter, ...] = ()
    checks: tuple[ComplianceCheck, ...] = ()


class AccountData(FindingPart, frozen=True, kw_only=True):
    """The account as Intercom has it; null where Intercom never sent the field."""

    role_id: str | None = None
    role_name: str | None = None
    has_inbox_seat: bool | None = None
    team_ids: tuple[str, ...] | None = None
    classification: str | None = None


class Resource(FindingPart, frozen=True, kw_only=True):
    """What is affected (`role_id` 3): a teammate's account, with the staff member it belongs to, or a workspace."""

    uid: str
    type: str
    role_id: int = 3
    owner_uid: str | None = None
    data: AccountData | None = None


class FindingEvidence(FindingPart, frozen=True, kw_only=True):
    """An input, and a copy of its cited fields."""

    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    file: str | None = None
    line: int | None = None
    sha256: str
    id: str | None = None
    kind: str | None = None
    time: int | None = None
    cites: dict[str, str] = {}


class Remediation(FindingPart, frozen=True, kw_only=True):
    """What to do."""

    desc: str
    references: tuple[str, ...] = ()


class AppliedExemption(FindingPart, frozen=True, kw_only=True):
    """The exemption in force: its grant, from when until when (ms; null is without end), the id of who approved it, the evidence."""

    id: str
    starts: int | None = None
    expires: int | None = None
    approver: str | None = None
    evidence_sha256: str | None = None


class Handling(FindingPart, frozen=True, kw_only=True):
    """What a person did last about the finding: `action` is acknowledged, assigned or commented, by the decision `fact`."""

    action: str
    assignee: str | None = None
    fact: str


class Unmapped(FindingPart, frozen=True, kw_only=True):
    """Fields that OCSF does not have. `result` is PASS, FAIL, DUE, UNKNOWN or EXEMPT; null once the check no longer applies.

    `due_time` (ms) is the deadline of a finding with grace, `sla_state` due, critical (its last quarter) or failing. `inferred` is a change that
    is known from a list of teammates alone: no event of Intercom's reported it.
    """

    check: str
    app_id: str
    account: str | None = None
    staff: str | None = None
    result: str | None = None
    reason: str
    closed_for: str | None = None  # fixed, not_applicable, superseded, voided
    superseded_by: str | None = None
    candidates: tuple[str, ...] = ()
    due_time: int | None = None
    sla_state: str | None = None
    inferred: bool = False
    baseline: bool = False  # created before monitoring started
    exemption: AppliedExemption | None = None
    handling: Handling | None = None


class CandidateData(FindingPart, frozen=True, kw_only=True):
    """A staff member who might be the account's owner."""

    staff: str
    name: str | None = None
    addresses: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"CandidateData({self.staff!r})"


class FindingPersonalData(FindingPart, frozen=True, kw_only=True):
    """All personal fields of a finding."""

    account_name: str | None = None
    account_address: str | None = None
    owner_name: str | None = None
    owner_addresses: tuple[str, ...] = ()
    candidates: tuple[CandidateData, ...] = ()
    exemption_reason: str | None = None
    comment: str | None = None

    def __repr__(self) -> str:
        return "FindingPersonalData(***)"


class Finding(FindingPart, frozen=True, kw_only=True):
    """One event of a finding, whole: `activity_id` 1 create, 2 update, 3 close. `time` is when it became true (ms)."""

    activity_id: int
    category_uid: int = 2
    class_uid: int = 2003
    type_uid: int
    severity_id: int
    status_id: int
    confidence_id: int
    time: int
    start_time: int
    end_time: int | None = None
    message: str
    metadata: Metadata
    finding_info: FindingInfo
    compliance: Compliance
    resources: tuple[Resource, ...] = ()
    evidences: tuple[FindingEvidence, ...] = ()
    remediation: Remediation
    unmapped: Unmapped
    person: FindingPersonalData | None = None


class CheckState(FindingPart, frozen=True, kw_only=True):
    """The current result of one check for one subject. No row means unknown. `since` (ms) is when this result began.

    `finding` is the open finding; what follows is as in its latest event. A row of the check `coverage` is about a workspace, or a staff
    `source`: `complete_since` (ms) is when the first of an unbroken series of complete snapshots was requested, null without one, and
    `evaluated_through` the log time up to which everything is evaluated.
    """

    tenant: str
    check: str
    app_id: str
    account: str | None = None
    staff: str | None = None
    result: str
    reason: str
    since: int
    finding: str | None = None
    due_time: int | None = None
    sla_state: str | None = None
    baseline: bool = False
    exemption: str | None = None  # the id of the grant
    handling: Handling | None = None
    rule_version: str
    policy: str | None = None
    source: str | None = None
    complete_since: int | None = None
    evaluated_through: int | None = None


class LedgerOutput(FindingPart, frozen=True, kw_only=True):
    """A record that followed from a fact: its id, and the SHA-256 of its canonical JSON (without framing and product version)."""

    topic: str
    id: str
    sha256: str


class LedgerEntry(FindingPart, frozen=True, kw_only=True):
    """One fact's entry in a tenant's chain: `hash` is the SHA-256 of the rest as canonical JSON, `previous` the one before.

    A fact with very many results has several entries in a row; the outcome of all but the last is `continued`.
    """

    tenant: str
    sequence: int
    fact: str
    kind: str
    outcome: str
    partition: int
    offset: int
    append_time: int
    log_time: int
    value_sha256: str
    outputs: tuple[LedgerOutput, ...] = ()
    previous: str
    hash: str
