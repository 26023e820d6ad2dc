"""S4, about the staff sources that report at an interval: none of them is stale. Without such a source it has no answer."""

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
from streams.core.access.checks.coverage import STALE
from streams.core.access.checks.evidence import listed
from streams.core.access.state.values import CitedFact


def _answer(check: WorkspaceCheck, view: WorkspaceInput) -> CheckOutcome | None:
    if view.workspace.monitored is False or not view.reporting:
        return None
    stale = {source: row.since for source, row in sorted(view.reporting.items()) if row.reason == STALE}
    if stale:
        parameters = {"sources": listed([*stale])}
        expected = (CitedFact(view.settings),) if view.settings else ()
        return CheckOutcome(workspace_result(check, FAIL, "source_stale", min(stale.values()), parameters=parameters), expected)
    return CheckOutcome(workspace_result(check, PASS, "sources_report", max(row.since for row in view.reporting.values())))


STAFF_REPORTS: Final = WorkspaceCheck(
    id="S4",
    uid="IC-S4",
    name="staff-sources-report",
    title="Staff sources should report",
    control="Completeness of the data that access reviews rest on",
    standards=("SOC 2 TSC CC6.2", "ISO/IEC 27001:2022 A.5.18"),
    severity=3,
    answer=_answer,
    wording=MappingProxyType({
        "source_stale": Wording(
            "The staff source {sources} has missed three of its intervals",
            "What rests on it is unknown for workspace {app_id}, and nobody who left since is found.",
        ),
        "sources_report": Wording("All staff sources report", "Each was observed within three of its intervals."),
    }),
    remedy="Look at the job that exports the directory, and import a file: intercom-streams staff import FILE.",
)  # fmt: skip
