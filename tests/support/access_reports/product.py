"""The report itself on generated histories, in the form of the naive reporter, so that the two can be compared."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from schemas.access import fact_records
from schemas.access.report_lines import ReportedLeaver
from schemas.access.reports import AccessReport
from schemas.canonical import digest
from streams.agents.access import ROWS
from streams.core.access.reports.build import report
from streams.core.access.reports.reading import ReportReading
from streams.core.access.reports.scope import ReportScope
from streams.core.access.state.directory import Directory
from streams.core.access.state.values import LogPosition
from streams.engine.in_memory import MemoryTable
from tests.support.access_laws.product import REASONS
from tests.support.access_oracle.log import Entry, facts_of
from tests.support.access_reports.naive import NaiveReport
from tests.support.company import AVRO, TENANT

STATES: Final = {"present": "active", "unknown": "unknown"}
CORE_CHECKS: Final = ("C1", "C2", "C3", "C4", "C5")


def reading_of(history: Sequence[Entry], scope: ReportScope) -> ReportReading:
    """Return the reading of a history, finished."""
    table = MemoryTable(ROWS)
    reading = ReportReading(table, TENANT, scope)
    for offset, (entry, fact) in enumerate(zip(history, facts_of(history), strict=True)):
        value = fact_records.encode(AVRO, fact)
        if not reading.take(fact, LogPosition(0, offset, entry["log_time"], digest(value))):
            break
        table.commit()
    reading.finish()
    return reading


def report_of(history: Sequence[Entry], scope: ReportScope) -> AccessReport | None:
    """Return the report of a history, None where no fact counts."""
    reading = reading_of(history, scope)
    return report(reading) if reading.record.counts.last else None


def in_naive_form(reading: ReportReading, lives: AccessReport | None = None) -> NaiveReport:
    """Return what a report says in the form of the naive one; `lives` is the report of a period with all lives."""
    if reading.record.counts.last is None:
        return NaiveReport()
    made, ids = report(reading), _ids(reading)
    naive = NaiveReport()
    for line in made.access:
        naive.access[line.workspace, line.account] = (STATES[line.state], ms(line.since))
        _answers(naive, line.answers, line.workspace, line.account)
    for workspace in made.workspaces:
        _answers(naive, workspace.answers, workspace.workspace, "")
    for leaver in made.leavers:
        person = ids[leaver.person.staff]
        naive.leavers[person] = ms(leaver.ended)
        if leaver.account is not None:
            naive.leavers_accounts[person, (leaver.workspace or "", leaver.account)] = _leaver(leaver)
    naive.exemptions = {line.id for line in made.exemptions}
    naive.decisions = set(_decisions(made))
    _findings(naive, reading, made, lives)
    return naive


def _findings(naive: NaiveReport, reading: ReportReading, made: AccessReport, lives: AccessReport | None) -> None:
    for finding in made.findings:
        if finding.check in CORE_CHECKS:
            open_ = next(life for life in reading.record.lives.still_open() if life.latest.finding_info.uid == finding.uid)
            handling = open_.latest.unmapped.handling
            shown = (handling.action, handling.assignee) if handling else None
            due = None if finding.due is None else ms(finding.due)
            key = (finding.check, finding.workspace, finding.account or "")
            naive.open[key] = (due, finding.baseline, shown)
    for finding in lives.findings if lives else ():
        if finding.check in CORE_CHECKS:
            subject = (finding.check, finding.workspace, finding.account or "")
            if finding.closed is None or finding.steps[-1].known != finding.known:
                naive.lives.append((*subject, ms(finding.opened), finding.closed is None))
            else:
                naive.over_when_reported.add(subject[1:])


def differences(right: NaiveReport, found: NaiveReport) -> list[str]:
    """Return where the two differ. The oracle knows no exact start of an open finding beyond its answer, nor why each one closed."""
    pairs: dict[str, tuple[Any, Any]] = {
        "access": (right.access, found.access),
        "answers": (right.answers, found.answers),
        "leavers": (right.leavers, found.leavers),
        "accounts of leavers": (_known(right, right, found), _known(found, right, found)),
        "exemptions": (dict.fromkeys(right.exemptions - right.masked), dict.fromkeys(found.exemptions - right.masked)),
        "decisions": (dict.fromkeys(right.decisions), dict.fromkeys(found.decisions)),
        "open": ({key: parts[1:] for key, parts in right.open.items()}, found.open),
        "lives": (_counted(right.lives), _counted(found.lives)),
    }
    return [
        f"{part} {key}: {actual.get(key, 'missing')}, not {expected.get(key, 'missing')}"
        for part, (expected, actual) in pairs.items()
        for key in sorted({*expected, *actual}, key=repr)
        if expected.get(key, ...) != actual.get(key, ...)
    ]


def _known(report_: NaiveReport, right: NaiveReport, found: NaiveReport) -> dict[Any, Any]:
    """Return what became of leavers' accounts; when it had to only where no finding was over when it was reported."""
    parts = dict.fromkeys(found.over_when_reported, 3) | dict.fromkeys(right.in_doubt, 1)
    return {key: line[: parts.get(key[1], len(line))] for key, line in report_.leavers_accounts.items()}


def ms(text: str) -> int:
    """Return an instant of a report in milliseconds."""
    moment = datetime.fromisoformat(text)
    return round(moment.timestamp() * 1000)


def _counted(lives: Sequence[tuple[Any, ...]]) -> dict[tuple[Any, ...], int]:
    found: dict[tuple[Any, ...], int] = {}
    for life in lives:
        found[life] = found.get(life, 0) + 1
    return found


def _answers(naive: NaiveReport, answers: Sequence[Any], app_id: str, account: str) -> None:
    for answer in answers:
        if answer.check in CORE_CHECKS and (answer.result != "UNKNOWN" or answer.finding is not None):
            reason = REASONS.get(answer.reason, answer.reason)
            naive.answers[answer.check, app_id, account] = (answer.result, reason, ms(answer.since), answer.finding is not None)


def _leaver(line: ReportedLeaver) -> tuple[Any, ...]:
    assert line.due is not None
    revoked = None if line.revoked is None else ms(line.revoked)
    inferred = None if line.known_by is None else line.known_by == "listing"
    return line.status, revoked, inferred, ms(line.due), line.late_seconds


def _ids(reading: ReportReading) -> dict[str, tuple[str, ...]]:
    directory = Directory(reading.replay.state)
    people = (directory.person((row.source, row.id)) for _, row in reading.replay.state.records.walk())
    return {person.id: person.ids for person in people}


def _decisions(made: AccessReport) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [("policy", made.basis.policy.id)] if made.basis.policy else []
    for line in made.decisions:
        where = tuple(line.about.split("/"))
        if line.kind == "account.linked":
            found.append(("link", *where, line.decided, line.fact))
        elif line.kind == "account.classified":
            found.append(("class", *where, line.decided.split()[0], line.fact))
        elif line.kind == "staff.decided":
            found.append(("choice", line.about, line.decided.removeprefix("source "), line.fact))
        elif line.kind == "approval.granted":
            found.append(("approval", line.decided.partition("as ")[2].split()[0]))
    return found
