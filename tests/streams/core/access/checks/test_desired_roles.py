"""C4 and the role that was chosen for a teammate: access is valid where the policy allows it and the role in Intercom is the chosen one."""

import msgspec
import pytest

from schemas.access.facts import DesiredRole, Fact, Rule
from schemas.ids import derived
from tests.support.company import DAY, T0, Company, admin, decision, everyone, roles, story

JO = "jo@acme.example"
BY_ROLE = Rule(app_id="ws1", validity="intercom_roles", intercom_roles={"Support": ("Agent", "Lead")})


def chosen(role: str | None, replaces: str | None = None, account: str = "7") -> Fact:
    fact = decision("role.desired", account, replaces)
    return msgspec.structs.replace(fact, id=derived(fact.id, role), role=DesiredRole(name=role))


def company_of(*rules: Rule, role: str | None = "Agent", staff_roles: tuple[str, ...] = ("Support",)) -> Company:
    """Return a company where Jo is employed and has that role in Intercom."""
    company = Company()
    company.policy(*rules)
    company.staff("77", JO, roles=staff_roles)
    company.added("7", JO, role=role)
    return company


def answer(company: Company) -> tuple[str, str]:
    (state,) = (each for each in company.states().values() if each["check"] == "C4")
    return state["result"], state["reason"]


def test_a_role_that_is_not_the_chosen_one_fails_until_it_is_given_or_the_choice_is_changed():
    company = company_of(everyone())
    (opened,) = company.add(lead := chosen("Lead"))
    assert story([opened]) == ["C4 7 opened"]
    assert answer(company) == ("FAIL", "chosen_role_differs")
    assert opened["unmapped"]["reason"] == "chosen_role_differs"
    assert {"name": "chosen_role", "value": "Lead"} in opened["compliance"]["control_parameters"]
    assert opened["finding_info"]["analytic"]["version"] == "2"
    assert "Lead" in opened["remediation"]["desc"]
    assert story(company.add(admin("admin.seen", "7", JO, at=T0 + DAY, role=" lead "))) == ["C4 7 closed fixed"]
    assert story(company.add(chosen("Agent", lead.id))) == ["C4 7 updated"], "the same finding, within ten minutes"
    assert answer(company)[0] == "FAIL"
    assert company.add(chosen("Lead", lead.id)) == [], "another decision is in force than the one that it replaces"
    assert company.ledger()[-1]["outcome"] == "stale"


def test_a_choice_that_is_taken_back_leaves_the_policy_alone():
    company = company_of(everyone())
    company.add(first := chosen("Lead"))
    assert story(company.add(chosen(None, first.id))) == ["C4 7 closed fixed"]
    assert answer(company) == ("PASS", "all_staff")


def test_a_failure_is_dated_by_the_later_of_the_choice_and_the_role():
    company = company_of(everyone())
    company.add(chosen("Lead"))
    (state,) = (each for each in company.states().values() if each["check"] == "C4")
    assert state["since"] == company.clock
    late = T0 + 300 * DAY
    company.tick(late + DAY)
    company.add(admin("admin.seen", "7", JO, at=late - DAY, role="Lead"))
    company.add(admin("admin.seen", "7", JO, at=late, role="Owner"))
    (state,) = (each for each in company.states().values() if each["check"] == "C4")
    assert (state["result"], state["since"]) == ("FAIL", late)


@pytest.mark.parametrize(
    ("rule", "role", "staff_roles", "choice", "expected"),
    [
        (everyone(), None, ("Support",), "Lead", ("UNKNOWN", "role_unknown")),
        (everyone(), "Lead", ("Support",), "LEAD", ("PASS", "all_staff")),
        (roles("Sales"), "Agent", ("Support",), "Agent", ("FAIL", "role_not_valid")),
        (roles("Sales"), "Agent", ("Support",), "Lead", ("FAIL", "role_not_valid")),
        (roles("Support"), "Agent", ("Support",), "Lead", ("FAIL", "chosen_role_differs")),
        (BY_ROLE, "Lead", ("Support",), "Agent", ("FAIL", "chosen_role_differs")),
        (BY_ROLE, "Owner", ("Support",), "Owner", ("FAIL", "intercom_role_not_allowed")),
        (BY_ROLE, None, ("Support",), "Agent", ("UNKNOWN", "role_unknown")),
    ],
)
def test_the_policy_and_the_choice_have_to_allow_it(rule, role, staff_roles, choice, expected):
    company = company_of(rule, role=role, staff_roles=staff_roles)
    company.add(chosen(choice))
    assert answer(company) == expected


@pytest.mark.parametrize(
    ("rule", "staff_roles", "reason"),
    [
        (everyone(), None, "role_unknown"),
        (roles("Support"), None, "staff_role_unknown"),
        (roles("Support"), ("Support",), "role_unknown"),
    ],
)
def test_two_roles_in_one_second_are_unknown_and_what_is_held_open_is_not_dated_before_the_choice(rule, staff_roles, reason):
    company = company_of(rule, staff_roles=staff_roles)
    company.add(admin("admin.seen", "7", JO, at=T0, role="Lead"))
    (opened,) = company.add(chosen("Lead"))
    assert answer(company) == ("UNKNOWN", reason)
    assert (opened["unmapped"]["check"], opened["unmapped"]["reason"], opened["start_time"]) == ("C4", reason, company.clock)


def test_a_failure_by_the_policy_comes_first_where_two_roles_in_one_second_leave_both_open():
    company = company_of(BY_ROLE, role="Owner")
    (opened,) = company.add(admin("admin.seen", "7", JO, at=T0, role="Lead"))
    assert answer(company) == ("UNKNOWN", "role_unknown")
    assert company.add(chosen("Lead")) == []
    assert company.states()
    (state,) = (each for each in company.states().values() if each["check"] == "C4")
    assert (state["reason"], state["since"]) == ("role_unknown", opened["start_time"])


def test_a_role_is_chosen_before_the_teammate_is_there():
    company = Company()
    company.policy(everyone())
    company.staff("77", JO)
    company.add(chosen("Lead"))
    assert [each for each in company.results() if each.startswith("C4")] == []
    company.added("7", JO, role="Agent")
    assert answer(company) == ("FAIL", "chosen_role_differs")


def test_a_role_without_a_name_or_of_too_long_a_one_is_void():
    company = company_of(everyone())
    for name in ("", "  ", "x" * 201):
        company.add(chosen(name))
        assert company.ledger()[-1]["outcome"] == "void"
    assert answer(company) == ("PASS", "all_staff")
    assert {each["rule_version"] for each in company.states().values()} == {"1"}


def test_who_left_has_no_question_of_a_role():
    company = company_of(everyone())
    company.add(chosen("Lead"))
    closed = company.staff("77", JO, at=T0 + 2 * DAY, roles=("Support",), ends=T0 + DAY)
    assert story(closed) == ["C2 7 opened", "C4 7 closed superseded"]
