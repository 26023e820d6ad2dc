"""A report, from a log that was read to its end."""

from collections import Counter
from collections.abc import Sequence

from schemas.access.facts import TOPIC
from schemas.access.report_lines import ReportedAccess, ReportedAnswer, ReportedWorkspace
from schemas.access.reports import AccessReport, ReportBasis, ReportedPlace, ReportSummary
from schemas.cloudevents import timestamp
from streams.core.access.checks.table import in_order
from streams.core.access.reports import accounts, decisions, findings, leavers
from streams.core.access.reports.controls import controls, evidence_on
from streams.core.access.reports.reading import ReportReading
from streams.core.access.reports.view import ReportView, instant


def report(reading: ReportReading) -> AccessReport:
    """Return the report of a reading that is finished and has a fact."""
    view = ReportView(reading.replay.state, reading.record)
    access = tuple(accounts.access(view))
    by_workspace = Counter(line.workspace for line in access)
    workspaces = tuple(accounts.workspaces(view, by_workspace))
    everybody = leavers.people(view)
    left = tuple(leavers.leavers(view, everybody))
    lives = findings.lives_of(view)
    unknown = tuple(findings.unknown(view))
    exempt = tuple(decisions.exemptions(view))
    results = _results(access, workspaces)
    since, settings = reading.record.scope.since, view.state.settings.get()
    coverage = tuple(accounts.coverage(view, by_workspace))
    summary = ReportSummary(
        accounts=len(access),
        accounts_unknown=sum(line.state == accounts.UNCERTAIN for line in access),
        results={check: dict(sorted(results[check].items())) for check in in_order(results)},
        open_findings=sum(life.closed is None for life in lives),
        staff_records=sum(line.records or 0 for line in coverage),
        people=len(everybody),
        leavers=len({line.person.staff for line in left}),
        leavers_accounts=dict(sorted(Counter(line.status for line in left).items())),
        late=sum(bool(line.late_seconds) for line in left),
        exemptions=len(exempt),
        unknown_windows=len(unknown),
    )
    return AccessReport(
        basis=_basis(view, reading),
        summary=summary,
        controls=tuple(controls(results, evidence_on(settings.settings if settings else None))),
        workspaces=workspaces,
        coverage=coverage,
        access=access,
        leavers=left,
        findings=tuple(findings.reported(view, lives)),
        time_to_fix=None if since is None else tuple(findings.times_to_fix(lives, since)),
        unknown=unknown,
        exemptions=exempt,
        decisions=tuple(decisions.decisions(view)),
    )


def _results(access: Sequence[ReportedAccess], workspaces: Sequence[ReportedWorkspace]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    lines: Sequence[ReportedAccess | ReportedWorkspace] = (*access, *workspaces)
    for line in lines:
        for answer in line.answers:
            _count(found, answer)
    return found


def _count(found: dict[str, Counter[str]], answer: ReportedAnswer) -> None:
    found.setdefault(answer.check, Counter())[answer.result] += 1


def _basis(view: ReportView, reading: ReportReading) -> ReportBasis:
    record, state = reading.record, view.state
    counts, scope = record.counts, record.scope
    assert counts.last is not None
    fact, position = counts.last
    monitoring, settings = state.monitoring.get(), state.settings.get()
    return ReportBasis(
        tenant=state.tenant,
        as_of=timestamp(scope.as_of),
        since=instant(scope.since),
        known_at=ReportedPlace(
            topic=TOPIC,
            partition=position.partition,
            offset=position.offset,
            fact=fact.id,
            kind=fact.kind,
            taken=timestamp(position.append_time),
            sha256=position.sha256,
        ),
        rules=state.rules_version,
        policy=decisions.policy(view),
        settings=settings.source.fact if settings else None,
        ledger_entries=counts.ledger[0],
        ledger_head=counts.ledger[1],
        monitoring_since=instant(monitoring.started) if monitoring else None,
        first_fact=timestamp(counts.first or 0),
        facts=counts.facts,
        later_facts=counts.later,
        not_understood=counts.not_understood,
    )
