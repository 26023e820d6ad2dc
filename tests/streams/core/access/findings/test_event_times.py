"""By the rules of version 4 no event is dated before what it reports, and what closes a finding is named or has happened."""

from typing import Any

import msgspec
import pytest

from schemas.access.facts import Admin, Classification, Fact, LocalTime
from tests.streams.core.access.checks.test_desired_roles import BY_ROLE
from tests.streams.core.access.deadlines import grace
from tests.streams.core.access.exempting import Exempting
from tests.support.company import (
    APP,
    DAY,
    T0,
    TENANT,
    Company,
    admin,
    by_rules,
    decision,
    everyone,
    person_of,
    roles,
    settings,
    staff,
    story,
)

JO, LEE = "jo@acme.example", "lee@acme.example"
HOUR = 3_600_000
END = T0 + 20 * DAY


def of(company: Company, check: str) -> list[dict[str, Any]]:
    return [each for each in company.findings() if each["unmapped"]["check"] == check]


def leaver(version: str = "4") -> Company:
    company = by_rules(version)
    company.policy(everyone())
    company.staff("77", JO, ends=T0 + 5 * DAY)
    company.added("7", JO, at=T0 + DAY)
    return company


def ended_twice(version: str) -> dict[str, Any]:
    """Return the last event about somebody who left on day 6 and 8, and was employed on day 7, which is known last."""
    company = by_rules(version)
    company.policy(everyone())
    company.added("7", JO, at=T0 + DAY)
    for day, status in ((6, "ended"), (8, "ended"), (7, "active")):
        company.staff("77", JO, status=status, at=T0 + day * DAY)
    return of(company, "C2")[-1]


def test_an_update_is_not_dated_before_what_it_reports():
    assert [ended_twice("4")[name] for name in ("time", "start_time")] == [T0 + 8 * DAY, T0 + 8 * DAY]
    assert [ended_twice("3")[name] for name in ("time", "start_time")] == [T0 + 7 * DAY, T0 + 8 * DAY]


def test_a_finding_that_reopens_is_not_dated_before_it_and_was_seen_first_when_it_was_created():
    company = by_rules("4")
    company.added("7", "box@acme.example", at=T0 + DAY)
    shared = company.add(
        msgspec.structs.replace(decision("account.classified", "7"), classification=Classification(kind="shared"))
    )
    named = decision("account.classified", "7", company.ledger()[-1]["fact"])
    closed = company.add(msgspec.structs.replace(named, classification=Classification(kind="shared", owner=person_of("77"))))
    reopened = company.staff("77", JO, ends=T0 + 5 * DAY)
    assert story([shared[-1], *closed, *reopened]) == ["C5 7 opened", "C5 7 closed not_applicable", "C5 7 updated"]
    assert reopened[0]["time"] == reopened[0]["start_time"] == closed[0]["time"] > shared[-1]["time"]
    assert reopened[0]["finding_info"]["first_seen_time"] == shared[-1]["time"]


@pytest.mark.parametrize(
    ("version", "closed", "words"),
    [("4", "C2 7 closed not_applicable", "No longer applies: "), ("3", "C2 7 closed superseded", "Superseded by : ")],
)
def test_a_finding_is_superseded_by_another_one_or_no_longer_applicable(version, closed, words):
    company = leaver(version)
    company.add(settings(company.ledger()[0]["fact"]))  # without the workspace
    assert story(of(company, "C2"))[-1] == closed
    assert of(company, "C2")[-1]["message"].startswith(words)


def test_a_seat_that_is_used_again_closes_the_finding_when_it_is_used():
    company = by_rules("4")
    company.add(settings(company.ledger()[0]["fact"], workspaces=(APP,), further={"checks": '{"C15": {"days": 3}}'}))
    company.add(msgspec.structs.replace(admin("admin.added", "7", JO, at=T0 + 9 * DAY), admin=Admin(has_inbox_seat=True)))
    company.add(admin("admin.logged_in", "7", at=T0 + 10 * DAY))
    company.tick(T0 + 14 * DAY)
    (closed,) = company.add(admin("admin.logged_in", "7", at=T0 + 14 * DAY))
    assert (story([closed])[0], closed["time"]) == ("C15 7 closed fixed", T0 + 14 * DAY)


def within_grace(version: str) -> Company:
    company = by_rules(version)
    company.policy(everyone(grace=grace(C2="24 hours")))
    company.staff("77", JO, ends=END)
    company.added("7", JO, at=T0 + DAY)
    company.tick(END)
    return company


@pytest.mark.parametrize(("version", "severities"), [("4", [2, 2, 2, 4]), ("3", [2, 4, 4, 4])])
def test_what_is_exempt_within_grace_is_no_more_severe_than_without_the_exemption(version, severities):
    company = within_grace(version)
    company.add(Exempting().granted(expires=None), at=END + HOUR)
    company.tick(END + 2 * DAY)
    assert [each["unmapped"]["result"] for each in of(company, "C2")] == ["DUE", "EXEMPT", "EXEMPT", "EXEMPT"]
    assert [each["severity_id"] for each in of(company, "C2")] == severities


@pytest.mark.parametrize(("version", "severity"), [("4", 5), ("3", 2)])
def test_a_login_after_the_end_is_critical_within_grace_too(version, severity):
    company = within_grace(version)
    found = company.add(admin("admin.logged_in", "7", at=END + HOUR), at=END + HOUR)
    assert [(each["unmapped"]["result"], each["severity_id"]) for each in found] == [("DUE", severity)]


@pytest.mark.parametrize(("version", "closed"), [("4", (True, 2, "snapshot")), ("3", (False, 3, None))])
def test_a_past_stay_that_a_list_ended_says_that_its_end_is_inferred(version, closed):
    company = by_rules(version)
    company.policy(everyone())
    company.staff("77", JO, ends=T0 + 5 * DAY)
    company.teammates(admin("admin.seen", "8", LEE), requested=T0 + 9 * DAY)
    company.added("7", JO, at=T0 + 8 * DAY)
    opened, over = of(company, "C2")
    parameters = {each["name"]: each["value"] for each in over["compliance"]["control_parameters"]}
    assert (opened["unmapped"]["inferred"], opened["confidence_id"], opened["time"]) == (False, 3, T0 + 8 * DAY)
    assert (over["unmapped"]["inferred"], over["confidence_id"], parameters.get("evidence")) == closed
    assert over["time"] == T0 + 9 * DAY


@pytest.mark.parametrize(("version", "shown"), [("4", ["EXEMPT", "PASS"]), ("3", ["FAIL", "PASS"])])
def test_a_past_stay_under_an_exemption_is_exempt(version, shown):
    company = leaver(version)
    company.add(Exempting().granted(expires=None))
    company.removed("7", at=T0 + 12 * DAY)
    company.removed("7", at=T0 + 14 * DAY)
    found = [each for each in company.added("7", JO, at=T0 + 13 * DAY) if each["unmapped"]["check"] == "C2"]
    assert [each["unmapped"]["result"] for each in found] == shown
    assert [each["time"] for each in found] == [T0 + 13 * DAY, T0 + 14 * DAY]


@pytest.mark.parametrize(("version", "found"), [("4", 0), ("3", 2)])
def test_a_past_stay_breaks_no_policy_of_later(version, found):
    company = by_rules(version)
    company.policy(roles("Support"))
    company.staff("77", JO, roles=("Sales",))
    company.removed("7", at=T0 + 5 * DAY)
    company.added("7", JO, at=T0 + DAY)
    assert len(of(company, "C4")) == found


@pytest.mark.parametrize(("version", "found"), [("5", []), ("4", ["C2 7 opened", "C2 7 closed fixed"])])
def test_a_presence_that_was_over_before_it_was_reported_is_no_finding_of_a_workspace_that_is_not_monitored(version, found):
    company = by_rules(version)
    company.policy(everyone())
    company.staff("77", JO, ends=T0 + DAY)
    company.add(Fact(id="u", tenant=TENANT, kind="workspace.unmonitored", source="o", basis="decided", app_id=APP))
    company.removed("7", at=T0 + 5 * DAY)
    assert story(company.added("7", JO, at=T0 + 3 * DAY)) == found


@pytest.mark.parametrize(("version", "result"), [("4", "PASS"), ("3", "FAIL")])
def test_a_removal_in_the_second_of_an_addition_is_no_webhook_that_was_missed(version, result):
    company = by_rules(version)
    company.added("7", JO, at=T0 + DAY)
    company.added("8", LEE, at=T0 + DAY)
    company.added("7", JO, at=T0 + 8 * DAY)
    company.removed("7", at=T0 + 8 * DAY)
    company.teammates(admin("admin.seen", "8", LEE), requested=T0 + 9 * DAY)
    assert company.results()["S2 ws1"] == result


def ended_without_text(version: str) -> str:
    """Return the sentence about a leaver whose end was not given as text."""
    company = by_rules(version)
    record = staff("77", JO, ends=T0 + 5 * DAY)
    assert record.record is not None
    end = LocalTime(given="", zone="UTC", rule="instant", instant=T0 + 5 * DAY)
    company.add(msgspec.structs.replace(record, record=msgspec.structs.replace(record.record, ends=end)))
    company.added("7", JO, at=T0 + DAY)
    return str(of(company, "C2")[-1]["message"])


def ambiguous(version: str) -> str:
    """Return why an account is ambiguous that somebody employed and somebody who left may own."""
    company = by_rules(version)
    company.staff("77", JO, employee="e1", ends=T0 + 5 * DAY)
    company.staff("78", JO, employee="e2")
    company.added("7", JO, at=T0 + DAY)
    return str(of(company, "C1")[-1]["finding_info"]["desc"])


def of_two_roles(version: str) -> str:
    """Return the sentence about an account that has two roles in one second."""
    company = by_rules(version)
    company.policy(BY_ROLE)
    company.staff("77", JO, roles=("Support",))
    company.added("7", JO, at=T0 + DAY, role="Agent")
    company.seen("7", JO, at=T0 + DAY, role="Owner")
    return str(of(company, "C4")[-1]["message"])


@pytest.mark.parametrize(
    ("sentence", "words", "words_before"),
    [
        (ended_without_text, "left (2026-01-06T00:00:00.000Z)", "left ()"),
        (ambiguous, "employed or not", "Several active staff records"),
        (of_two_roles, "or named two at once", "did not say which role the account has; API"),
    ],
)
def test_a_sentence_says_what_is_known(sentence, words, words_before):
    assert words in sentence("4")
    assert words_before in sentence("3")
