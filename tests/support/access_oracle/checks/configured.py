"""C3: a monitored workspace has a rule in the policy."""

from tests.support.access_oracle.decided.rules import has_ended, rule_of
from tests.support.access_oracle.decided.workspaces import monitoring_of
from tests.support.access_oracle.registers import latest
from tests.support.access_oracle.results import Row
from tests.support.access_oracle.state import State


def configured(state: State, app_id: str) -> Row:
    """The design: C3 of a workspace fails while it is monitored and no policy covers it.

    The finding of an unmonitored workspace "closes `not_applicable` … and the rows say so".
    """
    monitoring = monitoring_of(state, app_id)
    assert monitoring is not None
    rule = rule_of(state, app_id)
    if not monitoring.on:
        return Row(check="C3", app_id=app_id, status="UNKNOWN", reason="unmonitored", since=monitoring.date)
    since = latest(monitoring.date, rule.date)
    if rule.value is None:
        reason = "policy_ended" if has_ended(state, app_id) else "no_policy"
        return Row(
            check="C3", app_id=app_id, status="FAIL", reason=reason, since=since,
            since_settled=True, has_finding=True, finding_since=since,
        )  # fmt: skip
    return Row(check="C3", app_id=app_id, status="PASS", reason="configured", since=since)
