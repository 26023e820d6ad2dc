"""Histories of a company, and what has to follow: the plain form of the checks, case by case."""

from streams.core.access.findings.episodes import REOPENS_WITHIN
from tests.support.company import DAY, SECOND, T0, Company, everyone, person_of, roles, settings, staff, story

JO = "jo@acme.example"
YESTERDAY = T0 + 9 * DAY


def test_an_unknown_teammate_opens_c1_and_the_staff_record_that_names_them_closes_it():
    company = Company()
    assert story(company.added("7", JO)) == ["C3 ws1 opened", "C1 7 opened"]
    assert story(company.staff("77", JO)) == ["C1 7 closed fixed"]
    results = company.results()
    assert (results["C1 7"], results["C2 7"], results["C4 7"], results["C3 ws1"]) == ("PASS", "PASS", "UNKNOWN", "FAIL")


def test_an_unknown_address_fails_c1_with_low_confidence_and_an_ambiguous_one_with_high():
    company = Company()
    assert company.added("7", JO)[-1]["confidence_id"] == 1
    company.staff("77", JO)
    company.staff("78", JO)
    assert company.findings()[-1]["confidence_id"] == 3


def test_removing_the_teammate_closes_c1_and_leaves_no_answer_about_the_account():
    company = Company()
    company.added("7", JO)
    assert story(company.removed("7", at=T0 + DAY)) == ["C1 7 closed fixed"]
    assert company.results() == {"C3 ws1": "FAIL"}


def test_a_leaver_who_is_still_a_teammate_opens_c2_with_the_inputs_as_evidence():
    company = Company()
    company.added("7", JO)
    company.staff("77", JO)
    (finding,) = company.staff("77", JO, at=T0 + 10 * DAY, ends=YESTERDAY)
    cited = [each["data"] for each in finding["evidences"]]
    assert finding["unmapped"]["check"] == "C2"
    assert finding["time"] == YESTERDAY
    assert [(each.get("topic"), each.get("file")) for each in cited] == [
        ("access.facts", None), ("intercom.admins", None), ("access.facts", None), (None, "staff.csv"),
    ]  # fmt: skip
    assert cited[2]["cites"]["ends"] == "2026-01-10T00:00:00.000Z"
    assert cited[2]["offset"] == 2


def test_an_old_record_of_a_leaver_makes_the_account_ambiguous_until_a_link_names_the_active_one():
    company = Company()
    company.staff("77", JO, ends=YESTERDAY)
    company.staff("99", JO)
    assert story(company.added("7", JO)) == ["C3 ws1 opened", "C1 7 opened", "C2 7 opened"]
    assert (company.results()["C1 7"], company.results()["C2 7"]) == ("FAIL", "UNKNOWN")
    company.decided("account.linked", "7", staff=person_of("99"))
    assert (company.results()["C1 7"], company.results()["C2 7"]) == ("PASS", "PASS")


def test_a_stale_policy_is_recorded_and_ignored():
    company = Company()
    company.added("7", JO)
    company.policy(everyone())
    company.policy_id = "something else"
    company.policy(roles("Sales"))
    assert company.ledger()[-1]["outcome"] == "stale"
    assert company.results()["C3 ws1"] == "PASS"


def test_the_agent_wants_to_be_woken_when_an_employment_ends_and_the_tick_is_a_fact_of_that_tenant():
    company = Company()
    ends = company.clock + 5 * DAY
    company.staff("77", JO, ends=ends)
    company.tick(ends - 1)  # until then it wants to be woken for what it renews
    assert company.agent.wake is not None
    wake = company.agent.wake(company.table)
    assert wake is not None
    assert (wake.at, wake.topic, wake.key) == (ends, "access.facts", b"acme")


def test_a_condition_that_returns_within_ten_minutes_reopens_its_episode():
    company = Company()
    company.policy(everyone())
    opened = company.added("7", JO)[-1]
    company.decided("account.classified", "7", as_="service")
    again = company.decided("account.unclassified", "7", replaces=company.ledger()[-1]["fact"])
    assert story(again) == ["C1 7 updated"]
    assert again[0]["status"] == "New"
    assert again[0]["finding_info"]["uid"] == opened["finding_info"]["uid"]
    assert again[0]["metadata"]["sequence"] == 3


def test_a_condition_that_returns_later_is_another_episode():
    company = Company()
    opened = company.added("7", JO)[-1]
    company.decided("account.classified", "7", as_="service")
    replaces = company.ledger()[-1]["fact"]
    company.clock += REOPENS_WITHIN
    again = company.decided("account.unclassified", "7", replaces=replaces)
    assert story(again) == ["C1 7 opened"]
    assert again[0]["finding_info"]["uid"] != opened["finding_info"]["uid"]


def test_a_failing_c4_is_superseded_when_employment_ends():
    company = Company()
    company.staff("77", JO, roles=("Support",))
    company.added("7", JO)
    company.policy(roles("Sales"))
    found = company.staff("77", JO, at=T0 + DAY, roles=("Support",), ends=YESTERDAY)
    assert story(found) == ["C2 7 opened", "C4 7 closed superseded"]
    assert found[1]["unmapped"]["superseded_by"] == found[0]["finding_info"]["uid"]


def test_an_open_c2_stays_open_when_the_staff_record_vanishes():
    company = Company()
    company.added("7", JO)
    company.staff("77", JO, ends=YESTERDAY)
    found = company.snapshot(requested=T0 + 11 * DAY)
    assert story(found) == ["C1 7 updated", "C2 7 updated"]
    assert company.results()["C2 7"] == "UNKNOWN"
    assert story(company.removed("7", at=T0 + 12 * DAY)) == ["C1 7 closed fixed", "C2 7 closed fixed"]


def test_a_removal_heard_late_that_lies_before_the_end_of_employment_voids_c2():
    company = Company()
    company.staff("77", JO, ends=YESTERDAY)
    company.added("7", JO)
    assert story(company.removed("7", at=YESTERDAY - DAY)) == ["C2 7 closed voided"]


def test_added_and_removed_within_the_same_second_is_unknown():
    company = Company()
    company.added("7", JO, at=T0)
    found = company.removed("7", at=T0)
    assert story(found) == ["C1 7 closed voided"]
    assert company.results()["C1 7"] == "UNKNOWN"
    assert story(company.removed("7", at=T0 + SECOND)) == []


def test_being_seen_creates_an_account_never_known_and_brings_nobody_back():
    company = Company()
    assert story(company.seen("7", JO)) == ["C3 ws1 opened", "C1 7 opened"]
    company.removed("7", at=T0 + DAY)
    assert company.seen("7", JO, at=T0 + 2 * DAY) == []
    assert company.results() == {"C3 ws1": "FAIL"}


def test_employment_ends_at_the_earliest_end_of_any_source():
    company = Company()
    company.added("7", JO)
    company.staff("77", JO, source="hr")
    found = company.staff("jo", JO, source="idp", ends=YESTERDAY)
    assert story(found) == ["C2 7 opened"]
    assert company.staff("77", JO, source="hr", at=T0 + DAY) == []


def test_a_status_of_ended_without_a_date_ends_employment_when_it_was_first_said():
    company = Company()
    company.added("7", JO)
    company.staff("77", JO, at=T0 + DAY, status="active")
    assert company.staff("77", JO, at=T0 + 2 * DAY, status="ended")[0]["time"] == T0 + 2 * DAY
    assert company.staff("77", JO, at=T0 + 3 * DAY, status="ended") == []


def test_a_workspace_the_settings_name_is_monitored_before_any_teammate_is_seen():
    company = Company()
    assert story(company.add(settings(workspaces=("ws1", "ws2")))) == ["C3 ws1 opened", "C3 ws2 opened"]


def test_a_complete_listing_counts_only_when_it_is_whole():
    company = Company()
    company.staff("77", JO)
    company.added("7", JO)
    assert company.snapshot(staff("78", "al@acme.example"), requested=T0 + DAY, count=2) == []
    assert company.ledger()[-1]["outcome"] == "refused"
    assert company.results()["C1 7"] == "PASS"
    company.snapshot(staff("78", "al@acme.example"), requested=T0 + 2 * DAY)
    assert company.results()["C1 7"] == "FAIL"


def test_a_record_newer_than_a_listing_is_not_withdrawn_by_it():
    company = Company()
    company.staff("77", JO, at=T0 + 5 * DAY)
    company.added("7", JO)
    company.snapshot(requested=T0 + 2 * DAY)
    assert company.results()["C1 7"] == "PASS"


def test_a_record_as_old_as_the_listing_that_has_it_is_not_withdrawn_by_it():
    """Of two assertions of one instant the greater id wins: that a record is listed must not depend on it."""
    company = Company()
    known = [staff(str(number), f"p{number}@acme.example", at=T0 + DAY) for number in range(12)]
    for number, record in enumerate(known):
        company.add(record)
        company.added(str(number), f"p{number}@acme.example")
    company.snapshot(*known, requested=T0 + DAY)
    assert {result for key, result in company.results().items() if key.startswith("C1")} == {"PASS"}
