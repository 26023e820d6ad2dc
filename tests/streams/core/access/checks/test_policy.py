"""Verdicts of a policy: valid, not valid, or not to be asserted."""

import pytest

from schemas.access.facts import Policy, Rule
from streams.core.access.checks.policy import rule_for, verdict

STAFF = Rule(app_id="a", validity="staff_roles", roles=("Support Lead", "Sales"))
INTERCOM = Rule(app_id="a", validity="intercom_roles", intercom_roles={"Support": ("Agent",), "Ops": ("*",)})


@pytest.mark.parametrize(
    ("rule", "roles", "intercom_role", "valid"),
    [
        (Rule(app_id="a", validity="all_staff"), None, None, True),
        (STAFF, ("support  LEAD",), None, True),
        (STAFF, ("Support",), None, False),
        (STAFF, (), None, False),
        (STAFF, None, None, None),
        (INTERCOM, ("support",), "agent", True),
        (INTERCOM, ("Support",), "Owner", False),
        (INTERCOM, ("Support",), None, None),
        (INTERCOM, ("Ops",), None, True),
        (INTERCOM, ("Finance",), None, False),
        (INTERCOM, ("Support", "Ops"), "Owner", True),
        (Rule(app_id="a", validity="ticket"), ("Support",), "Agent", None),
    ],
)
def test_a_verdict_follows_from_rule_and_roles(
    rule: Rule, roles: tuple[str, ...] | None, intercom_role: str | None, valid: bool | None
):
    assert verdict(rule, roles, intercom_role).valid is valid


def test_a_workspace_without_a_rule_has_no_policy():
    assert rule_for(Policy(rules=(STAFF,), hash=""), "b") is None
    assert rule_for(None, "a") is None
    assert rule_for(Policy(rules=(STAFF,), hash=""), "a") == STAFF
