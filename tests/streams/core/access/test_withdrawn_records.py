"""A source of single records says that it no longer has one: the status `withdrawn`, as a SCIM deletion gives it."""

import json

import msgspec

from schemas.access.facts import Fact
from schemas.ids import derived
from tests.support.company import DAY, T0, Company, settings, staff, story

JO = "jo@acme.example"


def status(value: str, *, at: int, record: str = "77") -> Fact:
    """Make an observation of a record that asserts its status alone."""
    fact = staff(record, at=at)
    assert fact.record is not None
    data = msgspec.structs.replace(fact.record, asserts=("status",), status=value, ends=None)
    return msgspec.structs.replace(fact, id=derived("status", record, value, at), record=data, person=None)


def identified(*, absence: str | None = None) -> Company:
    company = Company()
    if absence:
        company.add(settings(further={"absence": json.dumps({"hr": absence})}))
    company.staff("77", JO)
    company.added("7", JO)
    assert company.results()["C1 7"] == "PASS"
    return company


def test_a_withdrawn_record_identifies_nobody_until_its_source_has_it_again():
    company = identified()
    assert story(company.add(status("withdrawn", at=T0 + DAY))) == ["C1 7 opened"]
    assert story(company.add(status("active", at=T0 + 2 * DAY))) == ["C1 7 closed fixed"]


def test_who_comes_back_is_identified_since_then():
    company = identified()
    company.add(status("withdrawn", at=T0 + DAY))
    company.add(status("active", at=T0 + 2 * DAY))
    (since,) = (row["since"] for row in company.states().values() if row["check"] == "C1")
    assert since == T0 + 2 * DAY


def test_a_withdrawal_means_an_end_where_absence_from_a_listing_does():
    company = identified(absence="ended")
    company.add(status("withdrawn", at=T0 + DAY))
    assert (company.results()["C1 7"], company.results()["C2 7"]) == ("PASS", "FAIL")
    company.add(status("active", at=T0 + 2 * DAY))
    assert company.results()["C2 7"] == "PASS"


def test_a_leaver_who_is_then_withdrawn_keeps_the_end_and_the_open_finding():
    company = identified()
    assert story(company.add(status("ended", at=T0 + DAY))) == ["C2 7 opened"]
    assert story(company.add(status("withdrawn", at=T0 + 2 * DAY))) == ["C1 7 opened", "C2 7 updated"]
    assert company.results()["C2 7"] == "UNKNOWN"
    assert story(company.add(status("ended", at=T0 + 3 * DAY))) == ["C1 7 closed fixed", "C2 7 updated"]
    assert company.results()["C2 7"] == "FAIL"


def test_a_withdrawal_that_is_heard_late_gives_the_same_answers():
    before, after = identified(), identified()
    facts = [status("withdrawn", at=T0 + DAY), status("active", at=T0 + 2 * DAY)]
    for fact in facts:
        before.add(fact)
    for fact in reversed(facts):
        after.add(fact)
    assert before.results() == after.results()
    assert before.results()["C1 7"] == "PASS"


def test_of_an_end_and_a_withdrawal_at_one_time_both_hold_in_either_order():
    for first, second in (("ended", "withdrawn"), ("withdrawn", "ended")):
        company = identified()
        company.add(status(first, at=T0 + DAY))
        company.add(status(second, at=T0 + DAY))
        assert (company.results()["C1 7"], company.results()["C2 7"]) == ("FAIL", "UNKNOWN")
        assert [each["unmapped"]["check"] for each in company.findings() if each["activity_id"] == 1].count("C2") == 1
