"""By the rules of version 4 an answer begins where the one before it ended: after doubt about an owner, a departure, or a decision."""

from typing import Any

import msgspec
import pytest

from schemas.access.facts import Classification, Rule
from tests.streams.core.access.checks.test_desired_roles import chosen as role_chosen
from tests.streams.core.access.deadlines import grace
from tests.streams.core.access.test_choices import chosen
from tests.support.company import (
    APP,
    DAY,
    T0,
    Company,
    by_rules,
    decision,
    everyone,
    person_of,
    policy,
    roles,
    settings,
    staff,
    story,
)

JO = "jo@acme.example"
SUPPORT = roles("Support")


def company_with(*rules: Rule, version: str = "4") -> Company:
    """Return a company with a policy since the beginning."""
    company = by_rules(version)
    company.add(msgspec.structs.replace(policy(*rules), time=T0))
    return company


def since(company: Company, check: str) -> int:
    """Return the day on which the present answer of a check began."""
    (row,) = [each for each in company.states().values() if each["check"] == check and each["account"] == "7"]
    return int((row["since"] - T0) // DAY)


def last(company: Company, check: str) -> tuple[str, int]:
    """Return the last event of a check in short, and the day of its time."""
    found = [each for each in company.findings() if each["unmapped"]["check"] == check][-1]
    return story([found])[0], int((found["time"] - T0) // DAY)


def shared(version: str = "4") -> Company:
    """Return a company in which two people without a valid role have the address of one account."""
    company = company_with(SUPPORT, version=version)
    company.staff("77", JO, employee="e1", roles=("Sales",))
    company.staff("78", JO, employee="e2", roles=("Sales",))
    company.added("7", JO, at=T0 + DAY)
    assert company.results()["C1 7"] == "FAIL"
    return company


def loses_the_address(company: Company) -> Any:
    company.staff("78", at=T0 + 6 * DAY, employee="e2")


def is_withdrawn(company: Company) -> Any:
    company.snapshot(staff("77", JO, employee="e1", roles=("Sales",)), requested=T0 + 6 * DAY)


def is_the_same_person(company: Company) -> Any:
    company.staff("78", JO, at=T0 + 6 * DAY, employee="e1")


@pytest.mark.parametrize("ended", [loses_the_address, is_withdrawn, is_the_same_person])
def test_an_account_is_identified_since_only_one_person_has_its_address(ended):
    company = shared()
    ended(company)
    assert last(company, "C1") == ("C1 7 closed fixed", 6)
    assert since(company, "C1") == 6
    assert last(company, "C4") == ("C4 7 opened", 6)


def test_other_people_who_had_the_address_before_the_account_did_change_no_date():
    company = company_with(everyone())
    company.staff("78", JO, employee="e2")
    company.staff("78", at=T0 + DAY, employee="e2")
    company.staff("77", JO, employee="e1")
    company.added("7", JO, at=T0 + 3 * DAY)
    assert since(company, "C1") == 3


def test_a_file_that_lacks_a_second_record_of_the_owner_changes_no_date():
    company = company_with(everyone())
    company.staff("77", JO)
    company.staff("j", JO, source="idp")
    company.added("7", JO, at=T0 + DAY)
    company.snapshot(requested=T0 + 6 * DAY)
    assert (since(company, "C1"), company.results()["C1 7"]) == (1, "PASS")


def employed_again(version: str = "4", **how: Any) -> Company:
    """Return a company in which Jo, whose role is not valid, left on the fifth day and is employed again since the eighth."""
    company = company_with(roles("Support", **how), version=version)
    company.staff("77", JO, roles=("Sales",), ends=T0 + 5 * DAY)
    company.added("7", JO, at=T0 + DAY)
    assert company.results()["C2 7"] == "FAIL"
    company.add(staff("77", JO, at=T0 + 8 * DAY))  # with an end that is empty
    return company


def test_who_is_employed_again_has_access_that_is_valid_or_not_since_then():
    company = employed_again()
    assert last(company, "C2") == ("C2 7 closed not_applicable", 8)
    assert (since(company, "C2"), since(company, "C4")) == (8, 8)
    assert last(company, "C4") == ("C4 7 opened", 8)


def test_the_time_that_the_policy_allows_begins_when_somebody_is_employed_again():
    company = employed_again(grace=grace(C4="7 days"))
    (found,) = [each for each in company.findings() if each["unmapped"]["check"] == "C4"]
    assert (found["unmapped"]["result"], found["unmapped"]["due_time"]) == ("DUE", T0 + 15 * DAY)


def test_a_status_employs_again_in_whatever_order_it_comes():
    facts = [staff("77", JO, status="ended", at=T0 + 3 * DAY), staff("77", JO, status="active", at=T0 + 6 * DAY)]
    for order in (facts, facts[::-1]):
        company = company_with(everyone())
        company.added("7", JO, at=T0 + DAY)
        for fact in order:
            company.add(fact)
        assert since(company, "C2") == 6


def test_an_end_that_was_corrected_to_a_later_day_never_came():
    company = company_with(SUPPORT)
    company.staff("77", JO, roles=("Sales",), ends=T0 + 5 * DAY)
    company.added("7", JO, at=T0 + DAY)
    company.staff("77", JO, at=T0 + 8 * DAY, ends=T0 + 90 * DAY)
    assert (since(company, "C2"), since(company, "C4")) == (1, 1)


def test_a_decision_about_the_sources_begins_what_rests_on_it():
    company = company_with(SUPPORT)
    company.staff("77", JO, roles=("Sales",), ends=T0 + 5 * DAY)
    company.staff("j", JO, source="idp")
    company.added("7", JO, at=T0 + DAY)
    company.add(right := chosen("77", "idp"), at=T0 + 12 * DAY)
    assert (since(company, "C2"), since(company, "C4")) == (12, 12)
    company.add(chosen("77", None, right.id), at=T0 + 14 * DAY)
    assert last(company, "C2") == ("C2 7 opened", 14)
    assert since(company, "C2") == 14


def test_settings_that_take_absence_back_begin_what_rests_on_them():
    company = company_with(SUPPORT)
    begun = str(company.ledger()[0]["fact"])
    company.add(first := settings(begun, workspaces=(APP,), further={"absence": '{"hr": "ended"}'}))
    company.staff("77", JO, roles=("Sales",))
    company.staff("j", JO, source="idp", roles=("Sales",))
    company.added("7", JO, at=T0 + DAY)
    company.snapshot(requested=T0 + 6 * DAY)
    assert company.results()["C2 7"] == "FAIL"
    company.add(settings(first.id, workspaces=(APP,)), at=T0 + 12 * DAY)
    assert (since(company, "C2"), since(company, "C4")) == (12, 12)


def test_an_account_is_governed_since_its_owner_is_employed_again():
    company = company_with(everyone())
    company.staff("77", JO, ends=T0 + 5 * DAY)
    company.added("7", "box@acme.example", at=T0 + DAY)
    what = Classification(kind="service", owner=person_of("77"))
    company.add(msgspec.structs.replace(decision("account.classified", "7"), time=T0 + 2 * DAY, classification=what))
    assert last(company, "C5") == ("C5 7 opened", 5)
    company.add(staff("77", JO, at=T0 + 8 * DAY))
    assert last(company, "C5") == ("C5 7 closed fixed", 8)
    assert since(company, "C5") == 8


def test_a_chosen_role_that_is_taken_back_begins_what_rests_on_it():
    company = company_with(everyone())
    company.staff("77", JO)
    company.added("7", JO, at=T0 + DAY, role="Agent")
    company.add(lead := role_chosen("Lead"), at=T0 + 12 * DAY)
    company.add(role_chosen(None, lead.id), at=T0 + 14 * DAY)
    assert last(company, "C4") == ("C4 7 closed fixed", 14)
    assert since(company, "C4") == 14


def test_by_the_rules_before_the_dates_are_those_of_before():
    company = shared("3")
    loses_the_address(company)
    assert (last(company, "C1"), since(company, "C4")) == (("C1 7 closed fixed", 1), 1)
    assert since(employed_again("3"), "C4") == 1
