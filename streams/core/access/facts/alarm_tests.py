"""Tests of the alarm: an operator opens one and closes it; one that is left open closes after an hour."""

from typing import Final

from schemas.access.facts import Fact
from streams.core.access.checks.alarm_test import ALARM_TEST
from streams.core.access.facts.effect import Effect
from streams.core.access.state.rows import AlarmTestRow
from streams.core.access.state.tenant import TenantState
from streams.core.access.state.values import FactReference

_SEVERITIES: Final = range(1, 6)  # OCSF severity_id: informational to critical
LASTS: Final = 60 * 60 * 1000  # ms of log time


def tested(state: TenantState, fact: Fact, source: FactReference, now: int) -> Effect:
    """Apply `alarm.tested`. It is void for a workspace that nobody knows, and while another test of it is open."""
    test, app_id = fact.test, fact.app_id or ""
    assert test is not None
    opened = state.alarm_tests.get(app_id)
    if test.is_open:
        if opened is not None or state.workspaces.get(app_id) is None or test.severity not in _SEVERITIES:
            return Effect("superseded" if opened is not None and opened.id == test.id else "void")
        state.alarm_tests.put(AlarmTestRow(test.id, now, test.severity, source), app_id)
        state.timers.set(ALARM_TEST.id, (app_id,), now + LASTS, fact.id)
        return Effect("applied", workspaces={app_id})
    if opened is None or opened.id != test.id:
        return Effect("void")
    close(state, app_id)
    return Effect("applied", workspaces={app_id})


def close(state: TenantState, app_id: str) -> None:
    """Close the test of a workspace that is open."""
    state.timers.set(ALARM_TEST.id, (app_id,), None)
    state.alarm_tests.delete(app_id)
