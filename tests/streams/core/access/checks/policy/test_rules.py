"""Which rule of a workspace is in force at an instant, and since when."""

import pytest

from schemas.access.facts import Grace, Policy, Rule
from streams.core.access.checks.policy.rules import bounds, in_force, rule_at
from streams.core.access.state.rows import PolicyRow
from streams.core.access.state.values import FactReference

SOURCE = FactReference("f", "policy.applied", None, 0, 0, 0, "")


def rule(validity: str = "all_staff", starts: int | None = None, until: int | None = None, app: str = "a") -> Rule:
    return Rule(app_id=app, validity=validity, starts=starts, until=until)


def policy(*rules: Rule) -> Policy:
    return Policy(rules=rules, hash="")


ALWAYS, LATER, SHORT = rule("ticket"), rule("all_staff", starts=10), rule("staff_roles", starts=20, until=30)


@pytest.mark.parametrize(("at", "expected"), [(9, ALWAYS), (10, LATER), (19, LATER), (20, SHORT), (29, SHORT), (30, LATER)])
def test_the_rule_that_started_last_is_in_force(at: int, expected: Rule):
    assert rule_at(policy(SHORT, LATER, ALWAYS, rule("ticket", app="b")), "a", at) == expected


def test_of_rules_that_started_together_the_one_named_last_is_in_force():
    assert rule_at(policy(rule("ticket", 5), rule("all_staff", 5)), "a", 5) == rule("all_staff", 5)
    assert rule_at(policy(rule("ticket"), rule("all_staff")), "a", 5) == rule("all_staff")
    assert rule_at(policy(rule("ticket", -5), rule("all_staff")), "a", 5) == rule("ticket", -5)


def test_a_workspace_without_a_rule_has_none_in_force():
    assert rule_at(policy(ALWAYS), "b", 0) is None
    assert rule_at(None, "a", 0) is None
    assert rule_at(policy(rule(starts=1)), "a", 0) is None
    assert rule_at(policy(rule(until=0)), "a", 0) is None
    assert in_force(None, "a", 0) == (None, None, None)


def test_what_is_in_force_is_dated_by_the_last_bound_that_changed_who_is_allowed():
    row = PolicyRow(policy(ALWAYS, LATER, SHORT), SOURCE, {"a": 3}, applied=5)
    assert [in_force(row, "a", at).since for at in (5, 9, 10, 19, 20, 30)] == [3, 3, 10, 10, 20, 30]


def test_a_bound_that_changes_grace_alone_dates_nothing():
    graced = Rule(app_id="a", validity="ticket", starts=10, grace={"C4": Grace(amount=1, unit="days")})
    row = PolicyRow(policy(ALWAYS, graced), SOURCE, {"a": 3}, applied=5)
    assert in_force(row, "a", 11) == (graced, 3, None)


def test_bounds_before_the_policy_date_nothing():
    row = PolicyRow(policy(rule(starts=10)), SOURCE, {"a": 15}, applied=15)
    assert in_force(row, "a", 20).since == 15


def test_a_rule_that_has_ended_is_known_to_have_been():
    row = PolicyRow(policy(rule(until=10)), SOURCE, {"a": 3}, applied=5)
    assert in_force(row, "a", 9) == (rule(until=10), 3, None)
    assert in_force(row, "a", 10) == (None, 10, 10)
    assert bounds(row.policy, "a") == [10]
    never = PolicyRow(policy(rule(starts=20, until=10)), SOURCE, {"a": 3}, applied=5)
    assert in_force(never, "a", 30).ended is None
