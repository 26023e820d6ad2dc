"""A report as CSV: one statement on each line, all with the same columns, so that a spreadsheet can filter by section."""

import csv
import io
from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.access.report_lines import ReportedAnswer, ReportedPerson
from schemas.access.reports import AccessReport


class CsvLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line. Empty columns have no meaning in its section."""

    section: str
    workspace: str | None = None
    account: str | None = None
    name: str | None = None
    address: str | None = None
    role: str | None = None
    person: str | None = None
    person_name: str | None = None
    check: str | None = None
    result: str | None = None
    reason: str | None = None
    since: str | None = None
    until: str | None = None
    due: str | None = None
    seconds: int | None = None
    finding: str | None = None
    by: str | None = None
    why: str | None = None
    reference: str | None = None
    note: str | None = None

    def __repr__(self) -> str:
        return f"CsvLine({self.section!r}, ***)"


COLUMNS: Final = tuple(field.name for field in msgspec.structs.fields(CsvLine))


def csv_bytes(report: AccessReport, json_digest: str) -> bytes:
    """Return the report as CSV in UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in _lines(report, json_digest):
        writer.writerow([_shown(getattr(line, column)) for column in COLUMNS])
    return text.getvalue().encode(errors="backslashreplace")


def harmless(text: str | None) -> str:
    """Return a text that no spreadsheet takes for a formula: names and addresses come from outside."""
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text or ""


def _shown(value: str | int | None) -> str:
    return str(value) if isinstance(value, int) else harmless(value)


def _lines(report: AccessReport, json_digest: str) -> Iterator[CsvLine]:
    yield from _basis(report, json_digest)
    yield from _results(report)
    yield from _access(report)
    yield from _leavers(report)
    yield from _findings(report)
    yield from _unknown(report)
    yield from _decided(report)
    for control in report.controls:
        results = " ".join(f"{name} {count}" for name, count in control.results.items())
        yield CsvLine(
            section="control", name=f"{control.standard} {control.control}", check=" ".join(control.checks), result=results, note=control.about,
            reason=f"off: {' '.join(control.off)}" if control.off else None,
        )  # fmt: skip


def _basis(report: AccessReport, json_digest: str) -> Iterator[CsvLine]:
    basis = report.basis
    place = f"{basis.known_at.topic}/{basis.known_at.partition}/{basis.known_at.offset}"
    yield CsvLine(
        section="report", name=basis.tenant, since=basis.since, until=basis.as_of, reference=place, note=f"rules {basis.rules}"
    )
    yield CsvLine(section="ledger", name=str(basis.ledger_entries), reference=basis.ledger_head)
    yield CsvLine(section="json", reference=json_digest)
    if basis.policy is not None:
        policy = basis.policy
        yield CsvLine(section="policy", since=policy.decided, by=policy.by, why=policy.why, reference=policy.id, note=policy.hash)
    for rule in basis.policy.rules if basis.policy else ():
        grace = " ".join(f"{check}: {allowed}" for check, allowed in rule.grace.items())
        yield CsvLine(
            section="rule", workspace=rule.workspace, name=rule.validity, role="; ".join(rule.allows) or None, since=rule.starts,
            until=rule.until, note=grace or None,
        )  # fmt: skip


def _results(report: AccessReport) -> Iterator[CsvLine]:
    for check, results in report.summary.results.items():
        for result, count in results.items():
            yield CsvLine(section="results", check=check, result=result, name=str(count))
    for line in report.coverage:
        yield CsvLine(
            section="coverage", workspace=line.workspace, name=line.source, result=line.result, reason=line.reason, since=line.since,
            until=line.evaluated_through, note=f"complete since {line.complete_since}" if line.complete_since else None,
        )  # fmt: skip
    for each in report.time_to_fix or ():
        for name in ("p50", "p90", "p95", "longest"):
            yield CsvLine(
                section="time to fix", check=each.check, name=name, seconds=getattr(each, name), note=f"{each.fixed} fixed"
            )


def _access(report: AccessReport) -> Iterator[CsvLine]:
    for workspace in report.workspaces:
        on = CsvLine(
            section="workspace", workspace=workspace.workspace, name="monitored" if workspace.monitored else "not monitored"
        )
        yield msgspec.structs.replace(on, note=f"{workspace.accounts} accounts")
        for answer in workspace.answers:
            yield _answer(msgspec.structs.replace(on, name=None, section="answer"), answer)
    for line in report.access:
        account = CsvLine(
            section="access", workspace=line.workspace, account=line.account, name=line.name, address=line.address, role=line.role,
            person=line.owner.staff if line.owner else None, person_name=line.owner.name if line.owner else None, since=line.since,
            result=line.state, reason=line.known_by, note=line.classification,
        )  # fmt: skip
        yield account
        for answer in line.answers:
            yield _answer(msgspec.structs.replace(account, section="answer", note=None), answer)
        for check in line.not_answered:
            yield msgspec.structs.replace(account, section="no answer", check=check, result=None, reason=None, since=None)


def _answer(line: CsvLine, answer: ReportedAnswer) -> CsvLine:
    return msgspec.structs.replace(
        line, check=answer.check, result=answer.result, reason=answer.reason, since=answer.since, due=answer.due, finding=answer.finding,
        reference=answer.exemption, note=answer.sla_state,
    )  # fmt: skip


def _person(person: ReportedPerson) -> dict[str, str | None]:
    roles = ", ".join(person.roles) or None
    return {"person": person.staff, "person_name": person.name, "role": roles}


def _leavers(report: AccessReport) -> Iterator[CsvLine]:
    for line in report.leavers:
        yield CsvLine(
            section="offboarded", workspace=line.workspace, account=line.account, address=line.address or next(iter(line.person.addresses), None),
            result=line.status, reason=line.known_by, since=line.ended, until=line.revoked, due=line.due, seconds=line.late_seconds,
            reference=line.fact, note=f"last day {line.last_day}, by {line.ended_by} of {line.ended_source}", **_person(line.person),
        )  # fmt: skip


def _findings(report: AccessReport) -> Iterator[CsvLine]:
    for line in report.findings:
        finding = CsvLine(
            section="finding", workspace=line.workspace, account=line.account, address=line.address, person=line.person, check=line.check,
            result=line.result, reason=line.reason, since=line.opened, until=line.closed, due=line.due, seconds=line.lasted_seconds,
            finding=line.uid, note=line.closed_for or line.message,
        )  # fmt: skip
        yield finding
        for step in line.steps:
            yield msgspec.structs.replace(
                finding, section=f"finding {step.event}", result=step.result, reason=step.reason, since=step.at, until=None, due=None, seconds=None,
                note=step.handling or step.sla_state,
            )  # fmt: skip


def _unknown(report: AccessReport) -> Iterator[CsvLine]:
    for line in report.unknown:
        yield CsvLine(
            section="unknown", workspace=line.workspace, account=line.account, name=line.source, check=line.check, reason=" ".join(line.reasons),
            since=line.from_, until=line.until,
        )  # fmt: skip


def _decided(report: AccessReport) -> Iterator[CsvLine]:
    for exemption in report.exemptions:
        yield CsvLine(
            section="exemption", workspace=exemption.workspace, account=exemption.account, check=exemption.check, since=exemption.starts,
            until=exemption.expires, by=exemption.by, why=exemption.why, reference=exemption.id,
            note=" ".join(filter(None, (f"approved by {exemption.approver}", exemption.evidence_sha256))),
        )  # fmt: skip
    for decision in report.decisions:
        yield CsvLine(
            section="decision", name=decision.about, result=decision.kind, since=decision.at, by=decision.by, why=decision.why,
            reference=decision.fact, note=decision.decided,
        )  # fmt: skip
