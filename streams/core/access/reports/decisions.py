"""The sections about what people decided: exemptions and decisions in force, with who made them and why; of a period, all that were made in it."""

from collections.abc import Iterator

from schemas.access.facts import Fact
from schemas.access.report_lines import ReportedDecision, ReportedExemption
from schemas.access.reports import ReportedPolicy, ReportedRule
from schemas.cloudevents import timestamp
from streams.core.access.checks.cover import grant_period
from streams.core.access.reports.record import MadeFact
from streams.core.access.reports.view import ReportView, instant
from streams.core.access.state.row_kinds.grant_rows import ExemptionRow
from streams.core.access.state.values import FactReference


def policy(view: ReportView) -> ReportedPolicy | None:
    """Return the policy in force."""
    row = view.state.policy.get()
    if row is None:
        return None
    made = view.record.decisions.get(row.source.fact)
    rules = (
        ReportedRule(
            workspace=rule.app_id,
            validity=rule.validity,
            allows=rule.roles or tuple(f"{role}: {', '.join(names)}" for role, names in sorted(rule.intercom_roles.items())),
            starts=instant(rule.starts),
            until=instant(rule.until),
            grace={check: f"{grace.amount} {grace.unit.replace('_', ' ')}" for check, grace in sorted(rule.grace.items())},
        )
        for rule in row.policy.rules
    )
    return ReportedPolicy(
        id=row.source.fact,
        hash=row.policy.hash,
        decided=timestamp(row.source.date),
        by=made.by if made else None,
        why=made.why if made else None,
        rules=tuple(rules),
    )


def exemptions(view: ReportView) -> Iterator[ReportedExemption]:
    """Yield the exemptions in force: begun, not over, not revoked, and not void because what they were given for has changed."""
    for _, row in view.state.exemptions.walk():
        if row.grant.starts <= view.at and _holds(view, row):
            yield _exemption(view, row)


def _holds(view: ReportView, row: ExemptionRow) -> bool:
    voided = view.evaluation.exemption_voided_at(row, view.at)
    period = grant_period(row.grant.starts, row.grant.expires, [row.revoked, voided], view.at)
    return period is not None and period.holds(view.at)


def _exemption(view: ReportView, row: ExemptionRow) -> ReportedExemption:
    made, shown = view.record.decisions.get(row.source.fact), view.state.checks.get(row.app_id, row.account, row.check)
    applied = shown.check_result.exemption if shown and shown.check_result else None
    return ReportedExemption(
        id=row.grant.id,
        check=row.check,
        workspace=row.app_id,
        account=row.account or None,
        starts=timestamp(row.grant.starts),
        expires=instant(row.grant.expires),
        shown=applied is not None and applied.id == row.grant.id,
        by=made.by if made else None,
        approver=row.grant.approver,
        why=row.grant.reason,
        evidence_sha256=row.grant.evidence_sha256,
        fact=row.source.fact,
        offset=row.source.offset,
    )


def decisions(view: ReportView) -> Iterator[ReportedDecision]:
    """Yield the decisions in force; of a period, every decision that was made in it, with what became of it."""
    if view.scope.since is not None:
        made = (each for each in view.record.decisions.values() if view.scope.since <= each.at <= view.at)
        yield from (_decision(each, outcome=each.outcome) for each in made)
        return
    for source in _in_force(view):
        found = view.record.decisions.get(source.fact)
        if found is not None:
            yield _decision(found)


def _in_force(view: ReportView) -> Iterator[FactReference]:
    state = view.state
    for _, account in state.accounts.walk():
        if account.link is not None and account.link.value is not None:
            yield account.link.source
        if account.classification is not None and account.classification.kind is not None:
            yield account.classification.source
        if account.desired is not None and account.desired.value is not None:
            yield account.desired.source
    for _, choice in state.choices.walk():
        if choice.choice is not None:
            yield choice.source
    for _, approval in state.approvals.walk():
        period = grant_period(approval.starts, approval.expires, [approval.revoked], view.at)
        if period is not None and period.holds(view.at):
            yield approval.source
    monitoring = state.monitoring.get()
    if monitoring is not None and monitoring.source is not None:
        yield monitoring.source


def _decision(made: MadeFact, outcome: str = "applied") -> ReportedDecision:
    fact = made.fact
    words = _content(fact)
    return ReportedDecision(
        kind=fact.kind,
        about=_about(fact),
        decided=words if outcome == "applied" else f"{words} ({outcome or 'not applied'})".strip(),
        at=timestamp(made.at if fact.time is None else fact.time),
        by=made.by,
        why=made.why,
        fact=fact.id,
        offset=made.offset,
    )


def _about(fact: Fact) -> str:
    if fact.account is not None:
        return f"{fact.app_id}/{fact.account}"
    if fact.case is not None:
        return fact.case.finding
    if fact.snapshot is not None:
        return f"{fact.app_id or fact.snapshot.source}/{fact.snapshot.id}"
    if fact.staff is not None:
        return f"{fact.staff} {fact.app_id or ''}".strip()
    return fact.app_id or fact.tenant


def _content(fact: Fact) -> str:
    """Return what was decided, in a few words."""
    parts: list[str | None] = []
    if fact.kind == "account.linked":
        parts = [fact.staff]
    elif fact.classification is not None:
        ends = fact.classification.expires
        owner = f"owner {fact.classification.owner}" if fact.classification.owner else None
        parts = [fact.classification.kind, owner, None if ends is None else f"until {timestamp(ends)}"]
    elif fact.grant is not None:
        ends, ticket = fact.grant.expires, fact.grant.ticket
        is_granted = fact.kind.endswith(".granted")
        until = None if not is_granted else "without end" if ends is None else f"until {timestamp(ends)}"
        parts = [fact.grant.check, f"as {fact.grant.id}", f"by ticket {ticket}" if ticket else None, until]
    elif fact.role is not None:
        parts = [f"role {fact.role.name}" if fact.role.name else "no role"]
    elif fact.choice is not None:
        parts = [f"source {fact.choice.source}" if fact.choice.source else "no source"]
    elif fact.case is not None:
        parts = [fact.case.action, fact.case.assignee]
    elif fact.policy is not None:
        parts = [f"{len(fact.policy.rules)} rules, hash {fact.policy.hash[:12]}"]
    elif fact.settings is not None:
        parts = [f"hash {fact.settings.hash[:12]}"]
    elif fact.calendar is not None:
        parts = [fact.calendar.id]
    return " ".join(part for part in parts if part)
