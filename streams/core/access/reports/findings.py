"""The sections about findings: the open ones, or the life of every one of a period, and how long it took to fix them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from schemas.access.report_lines import FindingStep, ReportedFinding, TimeToFix, UnknownWindow
from schemas.cloudevents import timestamp
from streams.core.access.checks.table import in_order
from streams.core.access.findings.episodes import CLOSE, CREATE, UPDATE
from streams.core.access.reports.lives import FindingLife, LifeStep
from streams.core.access.reports.view import ReportView, instant, seconds
from streams.core.access.reports.windows import Window

FIXED: Final = "fixed"
_EVENTS: Final = {CREATE: "opened", UPDATE: "updated", CLOSE: "closed"}


def lives_of(view: ReportView) -> list[FindingLife]:
    """Return the findings of a report, by when they were opened: the open ones; of a period, all that were open in it."""
    scope = view.scope
    lives = view.record.lives.still_open() if scope.since is None else _of_period(view, scope.since)
    return sorted(lives, key=lambda life: (life.opened, life.latest.finding_info.uid, life.known))


def _of_period(view: ReportView, since: int) -> list[FindingLife]:
    return [life for life in view.record.lives.all() if life.reaches(since)]


def reported(view: ReportView, lives: Iterable[FindingLife]) -> Iterator[ReportedFinding]:
    """Yield the lives as a report shows them."""
    for life in lives:
        finding, extra = life.latest, life.latest.unmapped
        account = view.state.accounts.get(extra.app_id, extra.account) if extra.account else None
        until = view.at if life.closed is None else life.closed
        yield ReportedFinding(
            uid=finding.finding_info.uid,
            check=extra.check,
            workspace=extra.app_id,
            account=extra.account,
            address=view.address(account),
            person=extra.staff,
            message=finding.message,
            severity=finding.severity_id,
            result=extra.result,
            reason=extra.reason,
            opened=timestamp(life.opened),
            known=timestamp(life.known),
            due=instant(extra.due_time),
            closed=instant(life.closed),
            closed_for=extra.closed_for if life.closed is not None else None,
            within_grace=None if extra.due_time is None else until <= extra.due_time,
            lasted_seconds=None if life.closed is None else seconds(life.closed - life.opened),
            baseline=extra.baseline,
            steps=tuple(map(_step, life.steps)),
        )


def _step(step: LifeStep) -> FindingStep:
    return FindingStep(
        event=_EVENTS[step.activity],
        at=timestamp(step.at),
        known=timestamp(step.known),
        result=step.result,
        reason=step.reason,
        sla_state=step.sla_state,
        handling=step.handling,
    )


def times_to_fix(lives: Sequence[FindingLife], since: int) -> Iterator[TimeToFix]:
    """Yield for each check how long the findings lasted that were fixed in a period since an instant (ms)."""
    by_check: dict[str, list[FindingLife]] = {}
    for life in lives:
        by_check.setdefault(life.latest.unmapped.check, []).append(life)
    for check in in_order(by_check):
        of_check = by_check[check]
        fixed = [life for life in of_check if _is_fixed(life) and life.closed is not None and life.closed >= since]
        lasted = sorted(seconds(life.closed - life.opened) for life in fixed if life.closed is not None)
        yield TimeToFix(
            check=check,
            fixed=len(fixed),
            open=sum(life.closed is None for life in of_check),
            late=sum(_is_late(life) for life in fixed),
            p50=percentile(lasted, 50),
            p90=percentile(lasted, 90),
            p95=percentile(lasted, 95),
            longest=lasted[-1] if lasted else None,
        )


def percentile(ordered: Sequence[int], percent: int) -> int | None:
    """Return the smallest value that so many of a hundred do not exceed (nearest rank), None without values."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)] if ordered else None


def _is_fixed(life: FindingLife) -> bool:
    return life.latest.unmapped.closed_for == FIXED


def _is_late(life: FindingLife) -> bool:
    due = life.latest.unmapped.due_time
    return due is not None and life.closed is not None and life.closed > due


def unknown(view: ReportView) -> Iterator[UnknownWindow]:
    """Yield the windows of UNKNOWN that last; of a period, all that fall into it."""
    windows = [each for each in view.record.windows.all() if each.until is None or view.scope.since is not None]
    for each in sorted(windows, key=_order):
        row = each.first
        yield UnknownWindow(
            check=row.check,
            workspace=row.app_id or None,
            account=row.account,
            source=row.source,
            reasons=each.reasons,
            since=timestamp(row.since),
            from_=timestamp(each.shown),
            until=instant(each.until),
        )


def _order(window: Window) -> tuple[str, str, str, str, int]:
    row = window.first
    return row.app_id, row.source or "", row.account or "", row.check, window.shown
