"""C16, mass change: many teammates added, removed or changed within an hour, by the events and not by a snapshot."""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from streams.core.access.checks.check import FAIL, CheckOutcome, Wording, WorkspaceCheck, WorkspaceInput, workspace_result
from streams.core.access.checks.further.activities import DAY
from streams.core.access.checks.further.outcomes import OPEN_FOR
from streams.core.access.checks.further.switches import Switch
from streams.core.access.state.row_kinds.activity_rows import Change

HEADS: Final = 10
WITHIN: Final = 60 * 60 * 1000  # ms


def _answer(check: WorkspaceCheck, view: WorkspaceInput) -> CheckOutcome | None:
    switch = view.switches.get(check.id) or Switch()
    mass = _last_mass(view.changes, switch.heads or HEADS)
    if view.workspace.monitored is False or not mass:
        return None
    last = mass[-1]
    over = last.time + (switch.days or OPEN_FOR) * DAY
    if view.at >= over:
        return None
    parameters = {"changed": str(len({each.subject for each in mass}))}
    result = workspace_result(check, FAIL, "mass_change", mass[0].time, parameters=parameters)
    return CheckOutcome(result, changes=(over, last.fact))


def _last_mass(changes: Sequence[Change], heads: int) -> list[Change]:
    """Return the last unbroken run of changes each of which is within an hour of enough others."""
    within = [each for each in changes if _is_within(changes, each, heads)]
    run = within[-1:]
    for change in reversed(within[:-1]):
        if run[0].time - change.time >= WITHIN:
            break
        run.insert(0, change)
    return run


def _is_within(changes: Sequence[Change], change: Change, heads: int) -> bool:
    starts = [each.time for each in changes if change.time - WITHIN < each.time <= change.time]
    return any(len({each.subject for each in changes if start <= each.time < start + WITHIN}) >= heads for start in starts)


MASS_CHANGE: Final = WorkspaceCheck(
    id="C16",
    uid="IC-16",
    name="no-mass-change",
    title="Many teammates should not change at once unnoticed",
    control="Monitoring of changes of access",
    standards=("SOC 2 TSC CC7.2", "ISO/IEC 27001:2022 A.8.16"),
    severity=4,
    further=True,
    answer=_answer,
    wording=MappingProxyType({
        "mass_change": Wording("Many teammates of workspace {app_id} changed within an hour: {changed}", "They were added, removed, or got another role or seat."),
    }),
    remedy="Ask who changed them and why: Settings, Workspace, Teammate activity log. The finding closes by itself after some days.",
)  # fmt: skip
