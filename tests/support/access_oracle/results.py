"""What the oracle returns: rows, findings, and all of them at one position of the log."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.support.access_oracle.log import Key


@dataclass(frozen=True)
class Deadline:
    """When a finding is due: fixed when its episode is created, from its opening date."""

    opened: int
    due: int
    calendar_ended: bool = False

    @property
    def critical(self) -> int:
        """The design: `critical` in the last quarter of the time from the opening to the deadline."""
        return self.due - (self.due - self.opened) // 4

    def sla_state(self, now: int) -> str:
        return "failing" if now >= self.due else "critical" if now >= self.critical else "due"


@dataclass(frozen=True, kw_only=True)
class Row:
    """The present answer of one check. `has_finding` says that a finding is open, `finding_since` from when."""

    check: str
    app_id: str
    account: str | None = None
    status: (
        str  # PASS, FAIL, DUE, UNKNOWN, EXEMPT; "NONE" where the check does not apply (the product has no row, or a closed one)
    )
    reason: str
    person: str | None = None  # the person's id: that of the earliest record, by source time
    person_ids: tuple[str, ...] = ()  # the ids of all the person's records: any of them names the person
    candidates: tuple[str, ...] = ()
    confidence: int = 3
    since: int
    since_settled: bool = False  # the design fixes `since`; otherwise it is this oracle's choice
    has_finding: bool = False
    finding_since: int | None = None
    finding_people: tuple[str, ...] = ()  # C2: ids of the records of the leavers named; C4: of the person's records
    silent: bool = False  # every record of the person is withdrawn: only their last assertions are known
    due: int | None = None  # the deadline of the finding
    sla_state: str | None = None  # due, critical, failing
    undoubted: Row | None = None  # under a contradiction: the row of the stay itself


@dataclass(kw_only=True)
class Finding:
    """One episode of one check about one subject."""

    check: str
    app_id: str
    account: str | None
    uid: str | None  # derived from the opening fact; None where a timer opened it
    cause: str  # id of the opening fact, or timer:INSTANT
    people: tuple[str, ...]
    person: str | None
    status: str
    reason: str
    confidence: int
    created: int  # time of the Create event: it never changes
    since: int  # start_time as known now: the same whatever the order of the observations
    created_log_time: int
    stay_since: int | None  # when the account's present stay began
    deadline: Deadline | None = None
    sla_state: str | None = None
    baseline: bool = False  # created before monitoring had started
    handling: tuple[str, str | None] | None = None  # the last action, and who it is assigned to
    acknowledged: bool = False
    closed: int | None = None
    closed_log_time: int | None = None
    closed_for: str | None = None  # fixed, not_applicable, superseded, voided
    ground: str | None = None  # the oracle's own word for why it closed
    superseded_by: str | None = None
    reopened: int = 0
    events: list[tuple[str, int, int]] = field(default_factory=list)  # (create, update or close; time; log time)

    @property
    def state(self) -> str:
        """The status on the wire: Suppressed while exempt, In Progress once acknowledged."""
        if self.closed is not None:
            return "Resolved"
        return "Suppressed" if self.status == "EXEMPT" else "In Progress" if self.acknowledged else "New"

    @property
    def subject(self) -> tuple[str, str, str | None]:
        return self.check, self.app_id, self.account


@dataclass(frozen=True, kw_only=True)
class Answers:
    """All that is known at one position of the log."""

    now: int
    position: int
    accounts: dict[Key, dict[str, Row]]  # active accounts only: a removed one has no rows
    workspaces: dict[str, Row]
    presence: dict[Key, str]  # active, removed, contradiction
    open: tuple[Finding, ...]
    closed: tuple[Finding, ...]


NOTHING = Answers(now=0, position=-1, accounts={}, workspaces={}, presence={}, open=(), closed=())


def plain(answers: Answers) -> dict[str, Any]:
    """Return the answers as JSON values, findings and rows sorted."""
    return {
        "now": answers.now,
        "accounts": {
            "|".join(key): {check: _fields(row) for check, row in rows.items()} for key, rows in sorted(answers.accounts.items())
        },
        "workspaces": {app_id: _fields(row) for app_id, row in sorted(answers.workspaces.items())},
        "presence": {"|".join(key): status for key, status in sorted(answers.presence.items())},
        "open": sorted((_fields(finding) for finding in answers.open), key=_sorted_json),
        "closed": sorted((_fields(finding) for finding in answers.closed), key=_sorted_json),
    }


def _fields(value: Row | Finding | Deadline) -> dict[str, Any]:
    return {name: _as_json(part) for name, part in vars(value).items()}


def _as_json(part: Any) -> Any:
    if isinstance(part, Deadline | Row):
        return _fields(part)
    return [_as_json(item) for item in part] if isinstance(part, list | tuple) else part


def _sorted_json(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)
