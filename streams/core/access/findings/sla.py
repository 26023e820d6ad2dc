"""How a finding with a deadline is shown: DUE until then, and the state of its deadline."""

from typing import Final

import msgspec

from streams.core.access.checks.check import CRITICAL_SEVERITY, DUE, EXEMPT, FAIL, IN_GRACE
from streams.core.access.state.row_kinds.rules_rows import WITH_BEGINNINGS, follows
from streams.core.access.state.values import CheckResult, Episode

DUE_STATE, CRITICAL, FAILING = "due", "critical", "failing"
_LAST: Final = 4  # the last quarter of the time allowed is critical


def graded(result: CheckResult, episode: Episode, at: int, rules: str) -> CheckResult:
    """Return a result as it is shown at an instant (ms): a failure within grace is DUE, and a finding has the state of its deadline.

    It fails since its deadline. A finding that is UNKNOWN or EXEMPT stays so: neither stops a deadline. By the rules of version 4 one that is
    exempt has the severity that it has without, and what is critical is so within grace too.
    """
    if episode.due is None:
        return result
    in_grace = result.result == FAIL and at < episode.due
    has_failed = result.result == FAIL and at >= episode.due
    return msgspec.structs.replace(
        result,
        result=DUE if in_grace else result.result,
        severity=_severity(result, rules) if at < episode.due else result.severity,
        since=max(result.since, episode.due) if has_failed else result.since,
        due=episode.due,
        sla_state=_state(episode.created, episode.due, at),
        parameters=dict(sorted({**result.parameters, **episode.grace}.items())),
    )


def _severity(result: CheckResult, rules: str) -> int:
    """Return the severity within grace."""
    if not follows(rules, WITH_BEGINNINGS):
        return IN_GRACE if result.result == FAIL else result.severity
    lowered = result.result in (FAIL, EXEMPT) and result.severity < CRITICAL_SEVERITY
    return min(result.severity, IN_GRACE) if lowered else result.severity


def next_step(episode: Episode | None, at: int) -> int | None:
    """Return the next instant (ms) at which the SLA state changes, or None."""
    if episode is None or episode.due is None:
        return None
    return next((step for step in (_critical_from(episode.created, episode.due), episode.due) if step > at), None)


def _state(opened: int, due: int, at: int) -> str:
    return FAILING if at >= due else CRITICAL if at >= _critical_from(opened, due) else DUE_STATE


def _critical_from(opened: int, due: int) -> int:
    return due - (due - opened) // _LAST
