"""When the agent asks for the teammates of a workspace to be read again, and from when on a reading would help."""

from typing import Any

import pytest

from schemas.access.facts import Activity, Fact
from schemas.ids import derived
from schemas.message import header
from streams.core.access.checks.presence import SECOND, YOUNGER_BY
from tests.support.company import APP, AVRO, DAY, T0, TENANT, Company, admin, everyone

JO = "jo@acme.example"


def activity(type_: str, account: str | None = "7", at: int = T0) -> Fact:
    return Fact(
        id=derived("activity", type_, at), tenant=TENANT, kind="admin.activity", source="intercom.webhook", basis="observed", time=at,
        app_id=APP, account=account, activity=Activity(id="1", type=type_),
    )  # fmt: skip


def asked(company: Company) -> list[dict[str, Any]]:
    return [AVRO.decode(sent.value or b"")[1] for sent in company.sent if sent.topic == "access.read.requests"]


def reasons(company: Company) -> list[tuple[str, str | None, int]]:
    return [(each["reason"], each["account"], each["not_before"]) for each in asked(company)]


@pytest.mark.parametrize("kinds", [("admin.added", "admin.removed"), ("admin.removed", "admin.added")])
def test_a_contradiction_in_one_second_asks_once_for_a_reading_two_minutes_later(kinds):
    company = Company()
    company.add(admin(kinds[0], "7", JO))
    company.add(admin(kinds[1], "7", at=T0 + 400))
    company.add(admin(kinds[1], "7", JO, at=T0 + 400))
    assert reasons(company) == [("contradiction", "7", T0 + 400 + YOUNGER_BY)]


def test_a_reading_at_the_time_asked_for_settles_the_contradiction():
    company = Company()
    company.added("7", JO)
    company.removed("7", at=T0 + 400)
    company.teammates(admin("admin.seen", "7", JO), requested=asked(company)[0]["not_before"] - 1)
    assert company.results()["C1 7"] == "UNKNOWN"
    company.teammates(admin("admin.seen", "7", JO), requested=asked(company)[0]["not_before"])
    assert company.results()["C1 7"] == "FAIL"


def test_a_contradiction_that_a_later_event_has_settled_asks_for_nothing():
    company = Company()
    company.added("7", JO)
    company.added("7", at=T0 + DAY)
    company.removed("7", at=T0 + 1)
    assert reasons(company) == []


def test_who_acts_after_their_removal_is_asked_about_and_not_brought_back():
    company = Company()
    company.added("7", JO)
    company.removed("7", at=T0 + DAY)
    company.seen("7", at=T0 + DAY - SECOND)
    company.seen("7", at=T0 + 2 * DAY)
    assert reasons(company) == [("seen_after_removal", "7", T0 + 2 * DAY)]
    assert "C1 7" not in company.results()


def test_who_acts_right_after_their_removal_is_asked_about_when_a_reading_can_overrule_it():
    company = Company()
    company.removed("7", at=T0)
    company.seen("7", at=T0 + SECOND)
    assert reasons(company) == [("seen_after_removal", "7", T0 + YOUNGER_BY)]


def test_an_activity_that_changes_access_asks_for_a_reading_of_everybody():
    company = Company()
    company.add(activity("admin_permission_change"))
    assert reasons(company) == [("access_changed", None, T0)]


@pytest.mark.parametrize("type_", ["admin_login_failure", "app_package_installation", "admin_impersonation_start"])
def test_an_activity_that_changes_no_list_of_teammates_asks_for_nothing(type_):
    company = Company()
    company.add(activity(type_))
    assert asked(company) == []


def test_what_a_workspace_asks_for_that_is_not_monitored_is_not_sent():
    company = Company()
    unmonitored = Fact(id="off", tenant=TENANT, kind="workspace.unmonitored", source="operator", basis="decided", app_id=APP)
    company.add(unmonitored)
    company.add(activity("admin_permission_change"))
    assert asked(company) == []


def test_a_request_names_its_fact_and_workspace_and_stands_in_the_ledger():
    company = Company()
    company.policy(everyone())
    fact = activity("seat_change")
    company.add(fact)
    (sent,) = [sent for sent in company.sent if sent.topic == "access.read.requests"]
    assert (sent.key, header(sent.headers, "ce_causationid"), header(sent.headers, "ce_subject")) == (
        APP.encode(), fact.id, f"workspace/{APP}",
    )  # fmt: skip
    assert asked(company)[0]["fact"] == fact.id
    assert header(sent.headers, "ce_id") in [output["id"] for output in company.ledger()[-1]["outputs"]]
