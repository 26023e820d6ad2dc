"""The sections about who had access: accounts and workspaces with what each check answered, and whether that rests on complete data."""

from collections import Counter
from collections.abc import Iterator

from schemas.access.report_lines import ReportedAccess, ReportedAnswer, ReportedCoverage, ReportedPerson, ReportedWorkspace
from schemas.cloudevents import timestamp
from streams.core.access.checks import presence
from streams.core.access.checks.further.switches import switches_of
from streams.core.access.checks.presence import Presence
from streams.core.access.checks.table import ACCOUNT_CHECKS, in_order
from streams.core.access.processing.coverage import SOURCE, WORKSPACE
from streams.core.access.reports.view import ReportView, instant, reported_answer
from streams.core.access.state.fields import value
from streams.core.access.state.rows import AccountRow, CheckRow
from streams.core.access.state.values import PresenceEvent

PRESENT, UNCERTAIN = "present", "unknown"
EVENT, LISTING, ACTIVITY = "event", "listing", "activity"
_EXPLICIT = frozenset({"admin.added", "admin.removed"})


def switched_on(view: ReportView) -> tuple[str, ...]:
    """Return the checks about accounts that are on."""
    settings = view.state.settings.get()
    switches = switches_of(settings.settings if settings else None)
    return tuple(check.id for check in ACCOUNT_CHECKS if not check.further or check.id in switches)


def access(view: ReportView) -> Iterator[ReportedAccess]:
    """Yield every account that had access, and those of which that is not certain."""
    on = switched_on(view)
    for app_id, _ in view.state.workspaces.walk():
        snapshots = view.state.snapshots_of(app_id)
        for _, account in view.state.accounts.walk(app_id):
            present = presence.presence_of(account, snapshots)
            if present.period is not None or present.unsettled is not None:
                yield _account(view, account, present, on)


def workspaces(view: ReportView, accounts: Counter[str]) -> Iterator[ReportedWorkspace]:
    """Yield every workspace; `accounts` has how many accounts had access to each."""
    for app_id, row in view.state.workspaces.walk():
        yield ReportedWorkspace(
            workspace=app_id,
            monitored=row.monitored is not False,
            accounts=accounts[app_id],
            answers=_answers(view.state.check_rows(app_id, "")),
        )


def coverage(view: ReportView, accounts: Counter[str]) -> Iterator[ReportedCoverage]:
    """Yield what the answers rest on, by workspace and staff source."""
    records = Counter(item.partition("|")[0] for item, _ in view.state.records.walk())
    for item, row in view.state.coverage.walk():
        kind, _, name = item.partition("|")
        yield ReportedCoverage(
            workspace=name if kind == WORKSPACE else None,
            source=name if kind == SOURCE else None,
            result=row.result,
            reason=row.reason,
            since=timestamp(row.since),
            complete_since=instant(row.complete_since),
            evaluated_through=timestamp(row.through),
            accounts=accounts[name] if kind == WORKSPACE else None,
            records=records[name] if kind == SOURCE else None,
        )


def known_by(event: PresenceEvent) -> str:
    """Return how a presence, or its end, is known."""
    if event.snapshot:
        return LISTING
    return EVENT if event.source.kind in _EXPLICIT else ACTIVITY


def _account(view: ReportView, account: AccountRow, present: Presence, on: tuple[str, ...]) -> ReportedAccess:
    start = present.unsettled or (present.period.start if present.period else None)
    assert start is not None
    rows = view.state.check_rows(account.app_id, account.id)
    answers = _answers(rows)
    answered = {answer.check for answer in answers}
    return ReportedAccess(
        workspace=account.app_id,
        account=account.id,
        name=value(account.fields, "name"),
        address=view.address(account),
        role=value(account.fields, "role_name") or value(account.fields, "role_id"),
        seat=value(account.fields, "has_inbox_seat"),
        classification=account.classification.value if account.classification else None,
        state=PRESENT if present.unsettled is None else UNCERTAIN,
        since=timestamp(start.time),
        known_by=known_by(start),
        owner=_owner(view, rows),
        answers=answers,
        not_answered=tuple(check for check in on if check not in answered),
    )


def _owner(view: ReportView, rows: dict[str, CheckRow]) -> ReportedPerson | None:
    """Return whose the account is, as the checks about the owner know it."""
    results = [row.check_result for check in ("C2", "C4") if (row := rows.get(check)) is not None]
    staff = next((result.staff for result in results if result is not None and result.staff), None)
    return view.person_named(staff) if staff else None


def _answers(rows: dict[str, CheckRow]) -> tuple[ReportedAnswer, ...]:
    found = (reported_answer(check, rows[check]) for check in in_order(rows))
    return tuple(answer for answer in found if answer is not None)
