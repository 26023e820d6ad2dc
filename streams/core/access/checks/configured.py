"""C3, configured access control: the workspace has a policy."""

from types import MappingProxyType
from typing import Final

from streams.core.access.checks.check import (
    FAIL,
    PASS,
    UNKNOWN,
    CheckOutcome,
    Wording,
    WorkspaceCheck,
    WorkspaceInput,
    workspace_result,
)
from streams.core.access.checks.policy.rules import in_force
from streams.core.access.state.values import CitedFact


def _answer(check: WorkspaceCheck, view: WorkspaceInput) -> CheckOutcome:
    workspace, policy = view.workspace, view.policy
    current = in_force(policy, workspace.app_id, view.at)
    rule = current.rule
    decided = [workspace.date if workspace.monitored is not None else workspace.seen]
    decided += [current.since]
    dates = [date for date in decided if date is not None]
    since = max(dates, default=workspace.source.date)
    off = workspace.monitored is False
    result = workspace_result(
        check,
        UNKNOWN if off else PASS if rule else FAIL,
        "unmonitored" if off else "configured" if rule else "policy_ended" if current.ended is not None else "no_policy",
        (workspace.date or 0) if off else since,
        parameters={"validity": rule.validity} if rule else None,
        policy=policy.source.fact if policy else None,
    )
    cited = (CitedFact(workspace.source), *([CitedFact(policy.source)] if policy else []))
    return CheckOutcome(result, cited)


CONFIGURED: Final = WorkspaceCheck(
    id="C3",
    uid="IC-3",
    name="configured-access-control",
    title="Critical system access control should be configured",
    control="Access policy of critical systems",
    standards=("SOC 2 TSC CC6.1", "ISO/IEC 27001:2022 A.5.15"),
    severity=3,
    answer=_answer,
    wording=MappingProxyType({
        "no_policy": Wording("Workspace {app_id} has no access policy", "Nobody has said who may have an account in this workspace."),
        "policy_ended": Wording(
            "Workspace {app_id} has no access policy any more",
            "The last rule about who may have an account in this workspace has ended.",
        ),
        "configured": Wording("Workspace {app_id} has an access policy", "The policy says who may have an account: {validity}."),
    }),
    remedy="Write a policy for this workspace and apply it: intercom-streams policy apply FILE.",
)  # fmt: skip
