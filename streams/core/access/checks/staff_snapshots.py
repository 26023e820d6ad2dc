"""S3, about the complete files of staff sources: none was refused because too many people are missing from it.

It is about what the answers of every workspace rest on. Until a file is refused it has no answer.
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
from streams.core.access.state.values import CitedFact


def _answer(check: WorkspaceCheck, view: WorkspaceInput) -> CheckOutcome | None:
    refused = {source: row.problem for source, row in sorted(view.sources.items()) if row.problem is not None}
    ended = [row.accepted for row in view.sources.values() if row.accepted is not None]
    if view.workspace.monitored is False or not (refused or ended):
        return None
    since = min((problem.since for problem in refused.values()), default=max(ended, default=0))
    parameters = {
        "sources": ", ".join(refused),
        "absent": str(sum(problem.absent for problem in refused.values())),
        "heads": str(sum(problem.heads for problem in refused.values())),
    }
    if refused:
        result = workspace_result(check, FAIL, "staff_refused", since, parameters=parameters)
    else:
        result = workspace_result(check, PASS, "staff_accepted", since)
    return CheckOutcome(result, tuple(CitedFact(problem.source) for problem in refused.values()))


STAFF_ACCEPTED: Final = WorkspaceCheck(
    id="S3",
    uid="IC-S3",
    name="staff-files-accepted",
    title="Complete files of staff should be plausible",
    control="Completeness of the data that access reviews rest on",
    standards=("SOC 2 TSC CC6.2", "ISO/IEC 27001:2022 A.5.18"),
    severity=3,
    answer=_answer,
    wording=MappingProxyType({
        "staff_refused": Wording(
            "The complete file of the staff source {sources} lacks {absent} of {heads} people, and was refused",
            "So many people at once rarely leave, and a faulty export is likelier. The file was not applied: {sources}.",
        ),
        "staff_accepted": Wording("The complete files of staff are accepted", "A complete file was accepted after one that was refused."),
    }),
    remedy="Export the directory again. If they did leave: intercom-streams staff import FILE --complete --confirm.",
)  # fmt: skip
