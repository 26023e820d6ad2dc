"""The dates of answers: an address or a role holds since the source time of the payload that gave it, in any order of arrival."""

from itertools import permutations

import msgspec
import pytest

from schemas.access.facts import Fact, Rule
from tests.support.company import APP, SECOND, T0, Company, admin, policy, settings, staff

JO, JOANNA = "jo@acme.example", "joanna@acme.example"
LATER = T0 + 400  # within the same second


def since_in_any_order(check: str, *facts: Fact, decisions: tuple[Fact, ...] = ()) -> int:
    """Return since when a check of account 7 has its answer, which is the same in every order of the facts."""
    found = set()
    for order in permutations(facts):
        company = Company()
        for fact in (*decisions, *order):
            company.add(fact)
        found.add(company.states()[next(key for key in company.states() if f"|{check}|{APP}|7|" in key)]["since"])
    (since,) = found
    return int(since)


def dated(decision: Fact) -> Fact:
    return msgspec.structs.replace(decision, time=T0)


def test_an_account_is_identified_since_the_payload_that_gave_its_address():
    known = staff("77", JO)
    assert since_in_any_order("C1", known, admin("admin.added", "7"), admin("admin.added", "7", JO, at=LATER)) == LATER
    assert since_in_any_order("C1", known, admin("admin.added", "7", JO), admin("admin.added", "7", at=LATER)) == T0


def test_an_account_is_ambiguous_since_the_payload_that_gave_the_shared_address():
    two = staff("77", JO), staff("78", JO)
    assert since_in_any_order("C1", *two, admin("admin.added", "7"), admin("admin.seen", "7", JO, at=LATER)) == LATER


@pytest.mark.parametrize(("first", "second", "since"), [(JO, JOANNA, T0), (JOANNA, JO, LATER)])
def test_each_of_two_addresses_of_one_second_is_dated_by_its_own_payload(first, second, since):
    given = admin("admin.added", "7", first), admin("admin.seen", "7", second, at=LATER)
    assert since_in_any_order("C1", staff("77", JO), *given) == since


def test_an_address_given_before_without_a_break_keeps_its_date():
    given = admin("admin.added", "7", JO), admin("admin.seen", "7", JOANNA, at=T0 + 3 * SECOND)
    both = *given, admin("admin.seen", "7", JO, at=T0 + 3 * SECOND + 400)
    assert since_in_any_order("C1", staff("77", JO), *both) == T0


def test_an_unknown_address_is_not_identified_since_the_payload_that_gave_it_after_another():
    known, renamed = T0 + 3 * SECOND, T0 + 3 * SECOND + 400
    given = admin("admin.added", "7", JO), admin("admin.seen", "7", at=known), admin("admin.seen", "7", JOANNA, at=renamed)
    assert since_in_any_order("C1", *given) == renamed


def test_two_addresses_with_one_alias_name_somebody_since_the_earlier_of_them():
    aliases = dated(settings(aliases={"acme.test": "acme.example", "acme.invalid": "acme.example"}))
    given = admin("admin.added", "7", "jo@acme.test"), admin("admin.seen", "7", "jo@acme.invalid", at=LATER)
    assert since_in_any_order("C1", staff("77", JO), *given, decisions=(aliases,)) == T0
    given = admin("admin.added", "7", "jo@acme.invalid"), admin("admin.seen", "7", "jo@acme.test", at=LATER)
    assert since_in_any_order("C1", staff("77", JO), *given, decisions=(aliases,)) == T0


def test_a_role_is_not_valid_since_the_payload_that_gave_it():
    rule = Rule(app_id=APP, validity="intercom_roles", intercom_roles={"Sales": ("Agent",)})
    decided = dated(policy(rule))
    person = staff("77", JO, roles=("Sales",))
    late = admin("admin.added", "7", JO), admin("admin.seen", "7", at=LATER, role="Admin")
    assert since_in_any_order("C4", person, *late, decisions=(decided,)) == LATER
    early = admin("admin.added", "7", JO, role="Admin"), admin("admin.seen", "7", at=LATER)
    assert since_in_any_order("C4", person, *early, decisions=(decided,)) == T0
    two = admin("admin.added", "7", JO, role="Admin"), admin("admin.seen", "7", at=LATER, role="Owner")
    assert since_in_any_order("C4", person, *two, decisions=(decided,)) == LATER
