"""What a policy would change, if it were or had been in force: results of `intercom-streams policy what-if`."""

from schemas.access.report_lines import ReportedFinding, ReportPart


class PolicyTrial(ReportPart, frozen=True, kw_only=True):
    """Findings that a policy would open and close: now, or in the time `since` an instant, in place of the policies that were in force.

    `policy` is the hash of its content, `instead_of` the id of the policy in force at `since`, or now. Of a time, `opens` are findings that there would have been,
    and `closes` those that there were and would not have been. `stays` counts those that are the same.
    """

    tenant: str
    policy: str
    instead_of: str | None
    since: str | None
    as_of: str
    opens: tuple[ReportedFinding, ...]
    closes: tuple[ReportedFinding, ...]
    stays: int
