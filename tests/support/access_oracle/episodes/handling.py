"""What operators did about a finding: acknowledged, assigned, commented."""

from tests.support.access_oracle.episodes.findings import Findings
from tests.support.access_oracle.interpretation import Interpretation
from tests.support.access_oracle.log import LoggedFact, date_of, effective


def handle(logged: LoggedFact, findings: Findings, interpretation: Interpretation) -> None:
    """The design: "each handling is an Update of the open finding that carries it; for a closed or unknown finding the fact is void".

    It is the episode's, so it survives reopening [N57].
    """
    if logged.kind != "finding.handled" or not effective([logged], interpretation):
        return
    case = logged.fact["case"]
    for finding in findings.open:
        about = (finding.app_id, finding.account) == (logged.fact.get("app_id"), logged.fact.get("account"))
        if finding.uid == case["finding"] and about:
            before = finding.handling[1] if finding.handling else None  # a comment takes nobody off the finding
            finding.handling = (case["action"], case.get("assignee") if case["action"] == "assigned" else before)
            finding.acknowledged = finding.acknowledged or case["action"] == "acknowledged"
            finding.events.append(("update", max(finding.created, date_of(logged)), logged.log_time))
