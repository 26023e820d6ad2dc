"""Tests of the alarm: findings of the check T1, opened and closed by an operator."""

import pytest

from schemas.access.facts import AlarmTest, Fact
from schemas.ids import derived
from streams.core.access.facts.alarm_tests import LASTS
from tests.support.company import APP, TENANT, Company, story

JO = "jo@acme.example"


def alarm(id_: str, *, is_open: bool, severity: int = 4, app: str = APP) -> Fact:
    return Fact(
        id=derived("alarm", app, id_, is_open), tenant=TENANT, kind="alarm.tested", source="operator", basis="decided", app_id=app,
        test=AlarmTest(id=id_, is_open=is_open, severity=severity),
    )  # fmt: skip


def known() -> Company:
    company = Company()
    company.added("7", JO)
    return company


def test_a_test_is_a_finding_of_its_severity_that_says_it_is_one_and_closes():
    company = known()
    (opened,) = company.add(alarm("a", is_open=True, severity=5))
    assert story([opened]) == ["T1 ws1 opened"]
    assert (opened["severity_id"], opened["time"]) == (5, company.clock)
    assert "nothing is wrong" in opened["message"]
    assert opened["unmapped"]["baseline"] is False  # whatever ignores the baseline is to notice the test
    (closed,) = company.add(alarm("a", is_open=False))
    assert story([closed]) == ["T1 ws1 closed not_applicable"]
    assert "T1 ws1" not in company.results()
    assert company.deadlines() == []


def test_a_second_test_within_ten_minutes_is_a_new_finding_and_no_update():
    company = known()
    (first,) = company.add(alarm("a", is_open=True))
    company.add(alarm("a", is_open=False))
    (second,) = company.add(alarm("b", is_open=True))
    assert story([second]) == ["T1 ws1 opened"]
    assert second["finding_info"]["uid"] != first["finding_info"]["uid"]


def test_a_test_that_nobody_closes_closes_after_an_hour_as_of_that_instant():
    company = known()
    company.add(alarm("a", is_open=True))
    begun = company.clock
    (closed,) = company.tick(begun + 5 * LASTS)
    assert story([closed]) == ["T1 ws1 closed not_applicable"]
    assert closed["time"] == begun + LASTS
    assert company.add(alarm("a", is_open=False)) == []
    assert company.ledger()[-1]["outcome"] == "void"


@pytest.mark.parametrize(("fact", "outcome"), [
    (alarm("b", is_open=True), "void"), (alarm("a", is_open=True), "superseded"), (alarm("b", is_open=False), "void"),
    (alarm("c", is_open=True, app="unheard"), "void"), (alarm("c", is_open=True, severity=9), "void"),
])  # fmt: skip
def test_one_test_at_a_time_and_only_of_a_known_workspace(fact: Fact, outcome: str):
    company = known()
    company.add(alarm("a", is_open=True))
    assert company.add(fact) == []
    assert company.ledger()[-1]["outcome"] == outcome
    assert company.results()["T1 ws1"] == "FAIL"


def test_a_test_changes_nobodys_answer():
    company = known()
    before = company.results()
    company.add(alarm("a", is_open=True))
    company.add(alarm("a", is_open=False))
    assert company.results() == before
