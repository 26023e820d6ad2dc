"""S1 and S2, about the snapshots of a workspace's teammates: the latest was applied, and every removal in it had a webhook.

They are about what the answers rest on, and not about anybody's access. Without a snapshot they have no answer.
"""

from types import MappingProxyType
from typing import Final

from streams.core.access.checks.check import (
    FAIL,
    PASS,
    CheckOutcome,
    Wording,
    WorkspaceCheck,
    WorkspaceInput,
    workspace_result,
)
from streams.core.access.state.row_kinds.rules_rows import WITH_DOUBT, follows
from streams.core.access.state.rows import TeammatesRow
from streams.core.access.state.values import CitedFact, TeammateSnapshot


def _accepted(check: WorkspaceCheck, view: WorkspaceInput) -> CheckOutcome | None:
    row = view.teammates
    if row is None or view.workspace.monitored is False:
        return None
    problem, latest = row.problem, _latest(row, view.rules)
    if problem is not None:
        parameters = {"snapshot": problem.id}
        if problem.reason == "refused":
            parameters |= {"absent": str(problem.absent), "heads": str(problem.heads)}
        result = workspace_result(check, FAIL, f"snapshot_{problem.reason}", problem.since, parameters=parameters)
        return CheckOutcome(result, (CitedFact(problem.source),))
    if latest is None:
        return None
    return CheckOutcome(workspace_result(check, PASS, "snapshot_applied", latest.requested), (CitedFact(latest.source),))


def _reported(check: WorkspaceCheck, view: WorkspaceInput) -> CheckOutcome | None:
    row = view.teammates
    latest = _latest(row, view.rules) if row is not None else None
    if row is None or latest is None or view.workspace.monitored is False:
        return None
    result, reason = (FAIL, "webhook_missed") if row.missed_last else (PASS, "all_reported")
    parameters = {"missed": str(row.missed_last), "missed_ever": str(row.missed)} if row.missed_last else {}
    return CheckOutcome(
        workspace_result(check, result, reason, latest.source.date, parameters=parameters), (CitedFact(latest.source),)
    )


def _latest(row: TeammatesRow, rules: str) -> TeammateSnapshot | None:
    """Return the snapshot that was requested last; by rules before those of version 5 the one that was applied last."""
    if follows(rules, WITH_DOUBT):
        return row.snapshots[-1] if row.snapshots else None
    return max(row.snapshots, key=lambda each: each.number, default=None)


_STANDARDS: Final = ("SOC 2 TSC CC6.2", "ISO/IEC 27001:2022 A.5.18")

ACCEPTED: Final = WorkspaceCheck(
    id="S1",
    uid="IC-S1",
    name="snapshots-accepted",
    title="Snapshots of teammates should be complete and plausible",
    control="Completeness of the data that access reviews rest on",
    standards=_STANDARDS,
    severity=3,
    answer=_accepted,
    wording=MappingProxyType({
        "snapshot_refused": Wording(
            "A snapshot of workspace {app_id} lacks {absent} of {heads} teammates, and was refused",
            "So many teammates at once are rarely removed, and a faulty reading is likelier. Snapshot {snapshot} was not applied.",
        ),
        "snapshot_incomplete": Wording(
            "A snapshot of workspace {app_id} was cut off",
            "Snapshot {snapshot} was not complete within an hour, and is void. Nothing follows from it.",
        ),
        "snapshot_applied": Wording("Workspace {app_id} has a snapshot of its teammates", "The latest snapshot was applied."),
    }),
    remedy="Read the teammates again. If they did leave: intercom-streams access confirm SNAPSHOT --workspace APP_ID.",
)  # fmt: skip

REPORTED: Final = WorkspaceCheck(
    id="S2",
    uid="IC-S2",
    name="removals-reported",
    title="Removals of teammates should be reported by webhooks",
    control="Completeness of the data that access reviews rest on",
    standards=_STANDARDS,
    severity=2,
    answer=_reported,
    wording=MappingProxyType({
        "webhook_missed": Wording(
            "Workspace {app_id}: removals of teammates that no webhook reported: {missed}",
            "Their absence from a complete snapshot says that they were removed. Ever: {missed_ever}.",
        ),
        "all_reported": Wording("Workspace {app_id} reports removals", "The latest snapshot lacks nobody unexpectedly."),
    }),
    remedy="Check that the app is subscribed to admin.removed_from_workspace, and that its webhooks arrive.",
)  # fmt: skip
