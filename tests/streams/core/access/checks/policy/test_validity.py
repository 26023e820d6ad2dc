"""Verdicts of a rule: valid, not valid, or not to be decided."""

import pytest

from schemas.access.facts import Rule
from streams.core.access.checks.policy.roles import IntercomRole, IntercomRoles, StaffRoles
from streams.core.access.checks.policy.validity import Asked, verdict

STAFF = Rule(app_id="a", validity="staff_roles", roles=("Support Lead", "Sales"))
INTERCOM = Rule(
    app_id="a", validity="intercom_roles", intercom_roles={"Support": ("Agent",), "Ops": ("*",), "Night": ("r9",), "None": ()}
)


def asked(roles: tuple[str, ...] | None, *held: tuple[str | None, str | None], withdrawn: bool = False) -> Asked:
    staff = StaffRoles() if roles is None else StaffRoles(roles, 0, withdrawn)
    return Asked(staff, IntercomRoles(tuple(IntercomRole(*role) for role in held), 5))


@pytest.mark.parametrize(
    ("rule", "asked_about", "valid", "reason"),
    [
        (Rule(app_id="a", validity="all_staff"), asked(None), True, "all_staff"),
        (STAFF, asked(("support  LEAD",)), True, "role_valid"),
        (STAFF, asked(("Support",)), False, "role_not_valid"),
        (STAFF, asked(()), False, "role_not_valid"),
        (STAFF, asked(None), None, "staff_role_unknown"),
        (STAFF, asked(("Sales",), withdrawn=True), None, "staff_role_unknown"),
        (INTERCOM, asked(("support",), (None, "agent")), True, "role_valid"),
        (INTERCOM, asked(("Support",), ("r1", " AGENT ")), True, "role_valid"),
        (INTERCOM, asked(("Night",), ("r9", "Watch")), True, "role_valid"),
        (INTERCOM, asked(("Night",), ("R9", "Watch")), False, "intercom_role_not_allowed"),
        (INTERCOM, asked(("Support",), (None, "Owner")), False, "intercom_role_not_allowed"),
        (INTERCOM, asked(("Support",)), None, "role_unknown"),
        (INTERCOM, asked(("None",)), None, "role_unknown"),
        (INTERCOM, asked(("Ops",)), True, "role_valid"),
        (INTERCOM, asked(("Finance",)), False, "role_not_allowed"),
        (INTERCOM, asked(("Support", "Ops"), (None, "Owner")), True, "role_valid"),
        (INTERCOM, asked(("Support", "Finance"), (None, "Agent")), True, "role_valid"),
        (INTERCOM, asked(("Support",), (None, "Agent"), (None, "Owner")), None, "role_unknown"),
        (INTERCOM, asked(None, (None, "Agent")), None, "staff_role_unknown"),
    ],
)
def test_a_verdict_follows_from_rule_and_roles(rule: Rule, asked_about: Asked, valid: bool | None, reason: str):
    found = verdict(rule, asked_about)
    assert (found.valid, found.reason) == (valid, reason)


def test_a_contradiction_of_which_one_half_fails_fails_as_far_as_is_known():
    assert verdict(INTERCOM, asked(("Support",), (None, "Agent"), (None, "Owner"))).fails
    assert not verdict(INTERCOM, asked(("Support",))).fails


def test_no_verdict_rests_on_the_intercom_role_where_any_is_allowed_or_none():
    assert verdict(INTERCOM, asked(("Ops",), (None, "Owner"))).times == (0,)
    assert verdict(INTERCOM, asked(("Finance",), (None, "Owner"))).times == (0,)
    assert verdict(INTERCOM, asked(("Support",), (None, "Owner"))).times == (0, 5)
