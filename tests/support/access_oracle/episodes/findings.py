"""Findings: the episodes that open, change, close and reopen from the difference between rows and open findings."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from schemas.ids import derived
from tests.support.access_oracle.decided.exemptions import exempted
from tests.support.access_oracle.episodes.closing import ground_of, removed_within, same_people
from tests.support.access_oracle.episodes.deadlines import deadline_of, with_deadline
from tests.support.access_oracle.interpretation import Interpretation
from tests.support.access_oracle.log import Key, LoggedFact
from tests.support.access_oracle.presence import Presence
from tests.support.access_oracle.registers import TEN_MINUTES
from tests.support.access_oracle.results import Answers, Finding, Row
from tests.support.access_oracle.rows import rows_at
from tests.support.access_oracle.state import State


@dataclass
class Findings:
    """The open and the closed findings between two instants of a walk."""

    open: list[Finding] = field(default_factory=list)
    closed: list[Finding] = field(default_factory=list)
    monitoring: bool = False  # it has started: findings are no longer the baseline
    state: State | None = None  # by which the findings were brought in line last


def reconcile(log: Sequence[LoggedFact], now: int, cause: str, interpretation: Interpretation, findings: Findings) -> Answers:
    """Bring the findings in line with the rows at `now`, and return both.

    The design: "findings open, change, close and reopen from the difference".
    """
    state, accounts, workspaces = rows_at(log, now, interpretation)
    findings.state = state
    rows = [*workspaces.values(), *(row for checks in accounts.values() for row in checks.values())]
    for finding in list(findings.open):
        row = next((row for row in rows if _subject(row) == finding.subject), None)
        presence = _presence_of(state, finding.app_id, finding.account)
        if row is None or not row.has_finding or not same_people(finding, row) or removed_within(finding, presence):
            _close(finding, row, presence, state, now)
            findings.open.remove(finding)
            findings.closed.append(finding)
    known = {id(finding) for finding in findings.open}
    for row in rows:
        if row.has_finding and not any(finding.subject == _subject(row) for finding in findings.open):
            findings.open.append(_open(row, state, now, cause, findings))
    decided = Decided(state, accounts, {finding.subject: finding for finding in findings.open})
    accounts = {key: {check: decided.row(row) for check, row in checks.items()} for key, checks in accounts.items()}
    workspaces = {app_id: decided.row(row) for app_id, row in workspaces.items()}
    for row in [*workspaces.values(), *(row for checks in accounts.values() for row in checks.values())]:
        if row.has_finding:
            finding = decided.findings[_subject(row)]
            if id(finding) in known or finding.reopened:
                _note_change(finding, row, now)
            _update(finding, row, _presence_of(state, row.app_id, row.account))
    return Answers(
        now=now,
        position=log[-1].position,
        accounts=accounts,
        workspaces=workspaces,
        presence={key: account.presence.status for key, account in state.accounts.items()},
        open=tuple(replace(finding, events=list(finding.events)) for finding in findings.open),
        closed=tuple(findings.closed),
    )


@dataclass(frozen=True)
class Decided:
    """Completes rows by what depends on their findings: the deadline, and the exemption from a failure that is open."""

    state: State
    accounts: dict[Key, dict[str, Row]]
    findings: dict[tuple[str, str, str | None], Finding]

    def row(self, row: Row) -> Row:
        finding = self.findings.get(_subject(row))
        owner = self.accounts[row.app_id, row.account].get("C1") if row.account is not None else None
        owner = owner.undoubted or owner if owner is not None else None  # a contradiction makes nobody else the owner
        return with_deadline(exempted(self.state, row, owner), finding.deadline if finding else None, self.state.now)


def _subject(row: Row) -> tuple[str, str, str | None]:
    return row.check, row.app_id, row.account


def _presence_of(state: State, app_id: str, account: str | None) -> Presence | None:
    known = state.accounts.get((app_id, account)) if account is not None else None
    return known.presence if known else None


def _stay_since(presence: Presence | None) -> int | None:
    if presence is None:
        return None
    return presence.before.since if presence.status == "contradiction" and presence.before else presence.since


def _finding_since(row: Row) -> int:
    return row.finding_since if row.finding_since is not None else row.since


def _open(row: Row, state: State, now: int, cause: str, findings: Findings) -> Finding:
    """Return a new finding, or, "the condition returning within 10 minutes of log time", the earlier one."""
    since = _finding_since(row)
    presence = _presence_of(state, row.app_id, row.account)
    for finding in reversed(findings.closed):
        recent = finding.closed_log_time is not None and now - finding.closed_log_time <= TEN_MINUTES
        same = finding.subject == _subject(row) and same_people(finding, row)
        if recent and same and not removed_within(finding, presence):
            findings.closed.remove(finding)
            _reopen(finding)
            return finding
    return Finding(
        check=row.check,
        app_id=row.app_id,
        account=row.account,
        uid=_uid(row, state, cause),
        cause=cause,
        people=row.finding_people,
        person=row.person,
        status=row.status,
        reason=row.reason,
        confidence=row.confidence,
        created=since,
        since=since,
        created_log_time=now,
        stay_since=_stay_since(presence),
        deadline=deadline_of(state, row, since),
        baseline=not findings.monitoring,
        events=[("create", since, now)],
    )


def _uid(row: Row, state: State, cause: str) -> str | None:
    if cause.startswith(("timer:", "now")):
        return None
    return derived(state.tenant, row.check, row.app_id, row.account or "", row.person or "", cause)


def _reopen(finding: Finding) -> None:
    finding.closed = finding.closed_log_time = finding.closed_for = finding.ground = finding.superseded_by = None
    finding.reopened += 1


def _note_change(finding: Finding, row: Row, now: int) -> None:
    """Note an event where the row differs from the finding. "No event's time precedes its Create".

    A step of the deadline is "an Update whose time is exactly that instant", at which a timer fires.
    """
    before = (finding.status, finding.reason, finding.person, finding.since)
    if (row.status, row.reason, row.person, _finding_since(row)) != before:
        finding.events.append(("update", max(finding.created, row.since), now))
    elif row.sla_state != finding.sla_state:
        finding.events.append(("update", now, now))


def _update(finding: Finding, row: Row, presence: Presence | None) -> None:
    """Change the finding as the row says."""
    finding.status, finding.reason, finding.person, finding.confidence = row.status, row.reason, row.person, row.confidence
    finding.people = tuple(sorted({*finding.people, *row.finding_people}))
    finding.since, finding.stay_since, finding.sla_state = _finding_since(row), _stay_since(presence), row.sla_state


def _close(finding: Finding, row: Row | None, presence: Presence | None, state: State, now: int) -> None:
    """Close the finding for "fixed, not_applicable, superseded, voided (found never to have held)" [N22]."""
    closing = ground_of(finding, row, presence, state, now)
    finding.closed, finding.closed_log_time = max(finding.created, closing.date), now
    finding.closed_for, finding.ground, finding.superseded_by = closing.closed_for, closing.ground, closing.superseded_by
    finding.events.append(("close", finding.closed, now))
