"""The access agent in the oracle's form, so that the cases, the laws and the oracle itself can check it.

Rows and open findings are read from the agent's table, closed findings from what it published. The system's checks (S1, S2) are left
out: they are about the order in which snapshots arrive, and no law is about that.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from schemas.access import fact_records
from schemas.message import RecordValue
from streams.core.access.checks import presence
from streams.core.access.state.directory import Directory
from streams.core.access.state.rows import CheckRow
from streams.core.access.state.tenant import TenantState
from tests.support.access_oracle.log import Entry, facts_of
from tests.support.access_oracle.results import NOTHING, Answers, Finding, Row
from tests.support.company import AVRO, TENANT, Company

REASONS: Final = {
    "presence_unsettled": "contradiction", "account_not_identified": "not_identified", "staff_withdrawn": "withdrawn", "staff_stale": "stale",
    "intercom_role_not_valid": "role_not_valid", "staff_role_unknown": "role_unknown", "no_ticket_source": "no_approvals",
}  # fmt: skip
"""The agent's reasons, in the oracle's words."""


def answer(history: Sequence[Entry]) -> Answers:
    """Return the answers after the whole history."""
    company, findings, published = Company(), dict[str, Finding](), list[dict[str, Any]]()
    for record in _records(history):
        published += company.process([record])
    return _answers(company, len(history) - 1, published, findings) if history else NOTHING


def walk(history: Sequence[Entry]) -> Iterator[Answers]:
    """Yield the answers after each fact."""
    company, findings = Company(), dict[str, Finding]()
    for position, record in enumerate(_records(history)):
        yield _answers(company, position, company.process([record]), findings)


def _records(history: Sequence[Entry]) -> Iterator[RecordValue]:
    for offset, (entry, fact) in enumerate(zip(history, facts_of(history), strict=True)):
        yield RecordValue(fact.tenant.encode(), fact_records.encode(AVRO, fact), (), offset, entry["log_time"])


def _answers(company: Company, position: int, published: list[dict[str, Any]], findings: dict[str, Finding]) -> Answers:
    state, now = TenantState(company.table, TENANT), TenantState(company.table, TENANT).log.now
    directory = Directory(state)
    rows = {tuple(item.split("|")): row for item, row in state.checks.walk() if not item.rpartition("|")[2].startswith("S")}
    for event in published:
        if not event["unmapped"]["check"].startswith("S"):
            _follow(findings, event)
    for (app_id, account, check), row in rows.items():
        if row.episode is not None:
            finding = findings[row.episode.uid]
            finding.people, finding.since = row.episode.people, row.episode.since
            assert row.check_result is not None
            finding.status, finding.reason = row.check_result.result, _reason(row.check_result.reason)
            assert finding.closed is None, (app_id, account, check)
    accounts: dict[tuple[str, str], dict[str, Row]] = {}
    for (app_id, account, check), row in rows.items():
        if account and row.check_result is not None:
            accounts.setdefault((app_id, account), {})[check] = _row(row, app_id, account, directory, now)
    for (app_id, account), checks in accounts.items():
        for check in {"C2", "C4"} - set(checks):
            checks[check] = Row(check=check, app_id=app_id, account=account, status="NONE", reason="", since=0)
    return Answers(
        now=now,
        position=position,
        accounts=accounts,
        workspaces={app_id: _row(row, app_id, None, directory, now) for (app_id, account, _), row in rows.items() if not account},
        presence={key: _presence(state, key) for key in state.account_keys()},
        open=tuple(_copy(finding) for finding in findings.values() if finding.closed is None),
        closed=tuple(_copy(finding) for finding in findings.values() if finding.closed is not None),
    )


def _row(row: CheckRow, app_id: str, account: str | None, directory: Directory, now: int) -> Row:
    result = row.check_result
    assert result is not None
    person = directory.person_of(result.staff) if result.staff else None
    return Row(
        check=result.check,
        app_id=app_id,
        account=account,
        status=result.result,
        reason=_reason(result.reason),
        person=result.staff,
        person_ids=person.ids if person else (),
        candidates=result.candidates,
        confidence=result.confidence,
        since=result.since,
        has_finding=row.episode is not None,
        finding_since=row.episode.since if row.episode else None,
        finding_people=result.people,
        silent=person is not None and person.silent(now),
    )


def _reason(reason: str) -> str:
    return REASONS.get(reason, reason)


def _follow(findings: dict[str, Finding], event: dict[str, Any]) -> None:
    uid, extra = event["finding_info"]["uid"], event["unmapped"]
    if uid not in findings or event["activity_id"] == 1:  # the same cause can create it again, long after it was closed
        findings[uid] = Finding(
            check=extra["check"],
            app_id=extra["app_id"],
            account=extra.get("account"),
            uid=uid,
            cause="",
            people=(),
            person=extra.get("staff"),
            status=extra.get("result") or "",
            reason=_reason(extra["reason"]),
            confidence=event["confidence_id"],
            created=event["time"],
            since=event["start_time"],
            created_log_time=event["finding_info"]["created_time"],
            stay_since=None,
        )
    finding = findings[uid]
    finding.events.append((event["activity_name"].lower(), event["time"], event["finding_info"]["modified_time"]))
    over = event["activity_id"] == 3
    finding.closed, finding.closed_for = (event["time"], extra["closed_for"]) if over else (None, None)


def _copy(finding: Finding) -> Finding:
    return Finding(**{**vars(finding), "events": list(finding.events)})


def _presence(state: TenantState, key: tuple[str, str]) -> str:
    account = state.accounts.get(*key)
    assert account is not None
    present = presence.presence_of(account, state.snapshots_of(key[0]))
    return "contradiction" if present.unsettled else "active" if present.period else "removed"
