"""A naive reporter: what an auditor's report has to say, recomputed from all facts by the oracle, one sentence after the other.

Written from docs/evidence.md and the design before the report was, and without knowledge of `streams/core/access/reports`. It keeps nothing: each
question is answered from the facts that count. Times are milliseconds.

- Facts count in the order of the log. One whose log time is at or before the instant of the report counts. A later one counts where the
  report says up to which offset the log is known, if it is an observation or an assertion about that instant or before; it then counts as if it
  had arrived at the instant. Decisions take effect where they are in the log, so a later one does not count.
- Who had access: every account that is present, or of which that is not certain, with what every check answers.
- Offboarded: everybody whose employment had ended. An account is a leaver's where its link names them, or, without a link, one of its addresses
  does. It is revoked, active, or unknown; without any account the leaver was not found.
- An exemption is in force from its start until its end, its revocation or a material change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.access_oracle.answers import walk
from tests.support.access_oracle.decided.decisions import Subject, decided_value, linked_staff
from tests.support.access_oracle.decided.exemptions import voided_at
from tests.support.access_oracle.decided.grants import grants
from tests.support.access_oracle.interpretation import DEFAULT
from tests.support.access_oracle.log import Entry, FactDict, Key, LoggedFact, read_log
from tests.support.access_oracle.matching import leavers
from tests.support.access_oracle.people import Person
from tests.support.access_oracle.presence import EXPLICIT_KINDS
from tests.support.access_oracle.registers import second
from tests.support.access_oracle.results import NOTHING, Answers, Finding, Row
from tests.support.access_oracle.rows import governance_of
from tests.support.access_oracle.state import State, state_at

DECISIONS: Final = ("decided",)
MASKED: Final = ("unmonitored", "contradiction")
NO_EVIDENCE_OF_THE_PAST: Final = ("clock.ticked", "snapshot.confirmed")


@dataclass
class NaiveReport:
    """What a report has to say, as plain values that can be compared."""

    access: dict[Key, tuple[str, int]] = field(default_factory=dict)  # active or unknown, since when
    answers: dict[tuple[str, str, str], tuple[Any, ...]] = field(default_factory=dict)  # by check, workspace, account
    leavers: dict[tuple[str, ...], int] = field(default_factory=dict)  # by the ids of the person: when employment ended
    leavers_accounts: dict[tuple[tuple[str, ...], Key], tuple[Any, ...]] = field(default_factory=dict)
    exemptions: set[str] = field(default_factory=set)
    decisions: set[tuple[str, ...]] = field(default_factory=set)
    open: dict[tuple[str, str, str], tuple[Any, ...]] = field(default_factory=dict)
    lives: list[tuple[Any, ...]] = field(default_factory=list)
    in_doubt: set[Key] = field(default_factory=set)  # accounts of leavers that were added and removed within one second
    masked: set[str] = field(default_factory=set)  # exemptions of accounts of which the oracle does not say whose they are
    over_when_reported: set[Key] = field(default_factory=set)  # accounts with a finding that the oracle does not know


def counting(history: Sequence[Entry], as_of: int, known_at: int | None) -> list[Entry]:
    """Return the entries that count for a report, those that became known later at the instant of the report."""
    kept, log_time = [], 0
    for offset, entry in enumerate(history):
        log_time = max(log_time, entry["log_time"])
        if known_at is not None and offset > known_at:
            break
        if log_time <= as_of:
            kept.append(entry)
        elif known_at is not None and _was_true_by(entry["fact"], as_of):
            kept.append({**entry, "log_time": as_of})
    return kept


def _was_true_by(fact: FactDict, as_of: int) -> bool:
    if fact["basis"] in DECISIONS or fact["kind"] in NO_EVIDENCE_OF_THE_PAST:
        return False
    requested = (fact.get("snapshot") or {}).get("requested")
    dates = [date for date in (fact.get("time"), requested) if date is not None]
    return bool(dates) and max(dates) <= as_of


def naive_report(history: Sequence[Entry], as_of: int, known_at: int | None = None) -> NaiveReport:
    """Return what a report as of an instant has to say, by what the log has up to an offset; by what it had then, without one."""
    entries = counting(history, as_of, known_at)
    report = NaiveReport()
    if not entries:
        return report
    answers = [NOTHING, *walk(entries, as_of)][-1]
    state = state_at(read_log(entries), as_of, DEFAULT)
    _access(report, answers, state)
    _leavers(report, answers, state)
    _decided(report, answers, state)
    for finding in answers.open:
        due = finding.deadline.due if finding.deadline else None
        report.open[finding.check, finding.app_id, finding.account or ""] = (
            finding.since,
            due,
            finding.baseline,
            finding.handling,
        )
    for finding in (*answers.open, *answers.closed):
        if finding.closed_log_time != finding.created_log_time:
            report.lives.append((finding.check, finding.app_id, finding.account or "", finding.created, finding.closed is None))
    return report


def _access(report: NaiveReport, answers: Answers, state: State) -> None:
    for key, account in state.accounts.items():
        status = account.presence.status
        if status in ("active", "contradiction") and f"operator+{key[0]}@intercom.io" not in account.addresses:
            report.access[key] = ("active" if status == "active" else "unknown", account.presence.since)
    for (app_id, account), checks in answers.accounts.items():
        for row in checks.values():
            _answer(report, row, app_id, account)
    for app_id, row in answers.workspaces.items():
        _answer(report, row, app_id, "")


def _answer(report: NaiveReport, row: Row, app_id: str, account: str) -> None:
    """ "No row means unknown": an answer that is not known and holds no finding open is the same as none."""
    if row.status != "NONE" and (row.status != "UNKNOWN" or row.has_finding):
        report.answers[row.check, app_id, account] = (row.status, row.reason, row.since, row.has_finding)


def _leavers(report: NaiveReport, answers: Answers, state: State) -> None:
    for person in state.people:
        if not person.has_left(state.now) or person.end is None:
            continue
        report.leavers[person.ids] = person.end.instant
        for key, account in state.accounts.items():
            link = linked_staff(state.decisions_about("link", *key)).value
            named = link in person.ids if link else any(each.id == person.id for each in leavers(state, account))
            if named and account.presence.status != "none":
                if _contradicts(state, key):
                    report.in_doubt.add(key)
                report.leavers_accounts[person.ids, key] = _revocation(person, key, state, answers)


def _revocation(person: Person, key: Key, state: State, answers: Answers) -> tuple[Any, ...]:
    """Return the status, when it was removed, whether by a snapshot alone, when it had to be, and how late it is."""
    assert person.end is not None
    presence = state.accounts[key].presence
    status = {"active": "Active", "removed": "Revoked", "contradiction": "Unknown"}[presence.status]
    found = [
        f for f in (*answers.open, *answers.closed) if (f.check, f.app_id, f.account) == ("C2", *key) and _is_about(f, person)
    ]
    last = max(found, key=lambda finding: (finding.created_log_time, finding.created), default=None)
    due = 0 if last is None else last.deadline.due if last.deadline else last.since
    due = max(due, person.end.instant)
    removed = presence.since if presence.status == "removed" else None
    until = state.now if removed is None else removed
    return status, removed, presence.inferred if removed is not None else None, due, max(0, until - due) // 1000


def _contradicts(state: State, key: Key) -> bool:
    """Whether an account was added and removed within one second: when it was gone after that can be read in two ways."""
    about = [f for f in state.facts if (f.fact.get("app_id"), str(f.fact.get("account"))) == key and f.kind in EXPLICIT_KINDS]
    moments = [(second(f.fact["time"]), f.kind) for f in about]
    return len(set(moments)) > len({moment for moment, _ in moments})


def _is_about(finding: Finding, person: Person) -> bool:
    return not set(finding.people).isdisjoint(person.ids)


def _decided(report: NaiveReport, answers: Answers, state: State) -> None:
    for grant in grants(state, "exemption"):
        account = grant.fact.get("account")
        owner = answers.accounts.get((grant.fact["app_id"], str(account)), {}).get("C1") if account is not None else None
        if account is not None and (owner is None or owner.reason in MASKED):
            report.masked.add(str(grant.content["id"]))
        if grant.period(voided_at(state, grant, owner)).holds(state.now):
            report.exemptions.add(str(grant.content["id"]))
    report.decisions |= {
        ("approval", str(grant.content["id"])) for grant in grants(state, "approval") if grant.period().holds(state.now)
    }
    report.decisions |= {decision for subject, made in state.decisions.items() if (decision := _in_force(subject, made))}


def _in_force(subject: Subject, made: Sequence[LoggedFact]) -> tuple[str, ...] | None:
    """Return the decision about a subject that is in force; None where it was taken back, and of grants."""
    fact = made[-1].fact
    if subject[0] == "link" and fact["kind"] == "account.linked":
        return ("link", *subject[1:], str(fact["staff"]), str(fact["id"]))
    if subject[0] == "class" and (fact.get("classification") or {}).get("kind"):
        kind = "person" if decided_value(made, governance_of).value is None else fact["classification"]["kind"]
        return ("class", *subject[1:], str(kind), str(fact["id"]))
    if subject[0] == "decided" and fact["choice"].get("source") is not None:
        return ("choice", subject[1], str(fact["choice"]["source"]), str(fact["id"]))
    return ("policy", str(fact["id"])) if subject == ("policy.applied",) else None
