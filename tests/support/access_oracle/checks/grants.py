"""Exemptions and approvals, which only Interpretation(later_kinds=True) uses."""

from dataclasses import replace

from tests.support.access_oracle.checks.check_input import CheckInput
from tests.support.access_oracle.log import date_of
from tests.support.access_oracle.registers import latest
from tests.support.access_oracle.results import Row


def granted_since(check: CheckInput, family: str, name: str) -> int | None:
    """Return since when a grant for this account and check is in force, or None. `family` is exemption or approval."""
    now = check.state.now
    for subject, made in check.state.decisions.items():
        fact = made[-1].fact
        grant = fact.get("grant") or {}
        concerns = subject[0] == family and (fact.get("app_id"), str(fact.get("account"))) == check.account.key
        if concerns and made[-1].kind == f"{family}.granted" and grant.get("check") == name:
            starts, expires = grant.get("starts"), grant.get("expires")
            if (starts is None or starts <= now) and (expires is None or now < expires):
                return latest(date_of(made[-1]), starts)
    return None


def exempted(check: CheckInput, row: Row) -> Row:
    """Return the row, EXEMPT if it has a finding and an exemption is in force."""
    date = granted_since(check, "exemption", row.check)
    if date is None or not row.has_finding:
        return row
    return replace(row, status="EXEMPT", reason="exempt", since=latest(row.since, date))
