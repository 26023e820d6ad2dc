"""The words for the status of an employment. By the rules of version 5 any other word is void: taken for employed, it would hide a leaver."""

import msgspec
import pytest

from schemas.access.facts import Fact
from tests.streams.core.access.exempting import outcome
from tests.support.company import DAY, T0, Company, by_rules, everyone, snapshot_facts, staff

JO = "jo@acme.example"


def company_by(rules: str = "5") -> Company:
    company = by_rules(rules)
    company.policy(everyone())
    company.staff("77", JO)
    company.added("7", JO)
    return company


def with_status(status: str, *, day: int) -> Fact:
    """Return an observation of Jo's record that asserts the status alone."""
    fact = staff("77", at=T0 + day * DAY, status=status)
    assert fact.record is not None
    return msgspec.structs.replace(fact, record=msgspec.structs.replace(fact.record, asserts=("status",)))


@pytest.mark.parametrize("word", ["sabbatical", "Active", "terminated"])
def test_a_word_that_is_no_status_employs_nobody_again(word: str):
    company = company_by()
    company.add(with_status("ended", day=3))
    assert company.add(with_status(word, day=4)) == []
    assert (outcome(company), company.results()["C2 7"]) == ("void", "FAIL")
    company = company_by()
    company.staff("77", JO, at=T0 + DAY, ends=T0 + 2 * DAY)
    company.add(with_status(word, day=4))
    assert company.results()["C2 7"] == "FAIL"


def test_who_is_known_by_such_a_record_alone_is_not_known():
    company = by_rules("5")
    company.policy(everyone())
    company.staff("77", JO, status="terminated")
    company.added("7", JO)
    assert (company.results()["C1 7"], company.results()["C2 7"]) == ("FAIL", "UNKNOWN")


def test_a_list_with_such_a_row_does_not_apply():
    company = company_by()
    listed = snapshot_facts(staff("77", JO, at=T0 + DAY), staff("88", "al@acme.example", status="gone"), requested=T0 + DAY)
    outcomes = []
    for fact in listed:
        company.add(fact)
        outcomes.append(outcome(company))
    assert outcomes == ["applied", "staged", "void", "refused"]


@pytest.mark.parametrize(("word", "result"), [("active", "PASS"), ("leave", "PASS"), ("ended", "FAIL"), ("", "FAIL")])
def test_the_words_of_the_contract_are_those_of_before_and_an_empty_one_asserts_nothing(word: str, result: str):
    company = company_by()
    company.add(with_status("ended", day=3))
    company.add(with_status(word, day=4))
    assert company.results()["C2 7"] == result


def test_a_log_of_earlier_rules_keeps_its_answers():
    company = company_by("4")
    company.add(with_status("ended", day=3))
    company.add(with_status("sabbatical", day=4))
    assert (outcome(company), company.results()["C2 7"]) == ("applied", "PASS")
