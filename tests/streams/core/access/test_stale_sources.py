"""Staff sources that stop to report: C2 and C4 become UNKNOWN at the instant, what is open stays open, and it ends with the next report."""

import json

import pytest

from schemas.access.facts import Fact, Rule
from schemas.ids import derived
from streams.agents.access import ProcessingLimits
from tests.support.company import APP, DAY, SECOND, TENANT, Company, admin, roles, settings, staff, story

JO, AL = "jo@acme.example", "al@acme.example"
HOUR = 3600 * SECOND
HOURLY = {"kind": "interval", "interval": HOUR}


def expecting(replaces: str | None = None, **sources: object) -> Fact:
    return settings(replaces, further={"freshness": json.dumps(sources)}, workspaces=(APP,))


def company_with(*, limits: ProcessingLimits | None = None, people: int = 1, **sources: object) -> Company:
    """Return a company whose staff was observed just now, at `clock`."""
    company = Company(limits)
    company.add(expecting(**sources))
    company.policy(roles("Support"))
    now = company.clock
    for number in range(people):
        company.staff(f"{number}", f"p{number}@acme.example", at=now, roles=("Support",))
        company.added(f"{number}", f"p{number}@acme.example")
    return company


def reasons(company: Company, account: str = "0") -> dict[str, str]:
    return {row["check"]: row["reason"] for row in company.states().values() if row["account"] == account}


def test_case_10_c2_and_c4_are_unknown_from_the_third_missed_interval_on_and_pass_again_with_the_next_report():
    company = company_with(hr=HOURLY)
    seen = company.clock - 2 * SECOND  # of the record
    assert (company.results()["C2 0"], company.results()["C4 0"]) == ("PASS", "PASS")
    company.tick(seen + 3 * HOUR - 1)
    assert company.results()["C2 0"] == "PASS"
    company.tick(seen + 3 * HOUR)
    assert (company.results()["C1 0"], company.results()["C2 0"], company.results()["C4 0"]) == ("PASS", "UNKNOWN", "UNKNOWN")
    assert reasons(company) == {"C1": "identified", "C2": "staff_stale", "C4": "staff_stale"}
    assert {row["since"] for row in company.states().values() if row["reason"] == "staff_stale"} == {seen + 3 * HOUR}
    company.staff("77", AL, at=company.clock)  # of somebody else: the source reports
    assert (company.results()["C2 0"], company.results()["C4 0"]) == ("PASS", "PASS")


def test_case_10_findings_that_are_open_stay_open_and_say_why_they_are_unknown():
    company = company_with(hr=HOURLY)
    company.staff("0", "p0@acme.example", at=company.clock, ends=company.clock - DAY)
    assert company.results()["C2 0"] == "FAIL"
    found = company.tick(company.clock + 4 * HOUR)
    assert story(found) == ["C2 0 updated", "S4 ws1 opened"]
    assert (found[0]["unmapped"]["result"], found[0]["unmapped"]["reason"]) == ("UNKNOWN", "staff_stale")
    assert found[0]["compliance"]["status_id"] == 2
    found = company.staff("77", AL, at=company.clock)
    assert (story(found), found[0]["unmapped"]["result"]) == (["C2 0 updated", "S4 ws1 closed fixed"], "FAIL")


def test_a_stale_source_is_one_finding_of_each_workspace_since_its_instant_and_closes_with_its_report():
    company = company_with(hr=HOURLY, idp={"kind": "push"})
    company.add(admin("admin.added", "9", AL, app="ws2"))
    seen = company.clock
    company.staff("0", "p0@acme.example", at=seen, roles=("Support",))
    assert company.results()["S4 ws1"] == "PASS"
    found = [each for each in company.tick(seen + 9 * HOUR) if each["unmapped"]["check"] == "S4"]
    assert story(found) == ["S4 ws1 opened", "S4 ws2 opened"]
    assert {each["time"] for each in found} == {seen + 3 * HOUR}
    assert "hr" in found[0]["message"]
    assert [each["data"]["kind"] for each in found[0]["evidences"]] == ["settings.applied"]
    closed = [each for each in company.staff("77", AL, at=company.clock) if each["unmapped"]["check"] == "S4"]
    assert story(closed) == ["S4 ws1 closed fixed", "S4 ws2 closed fixed"]
    assert closed[0]["time"] == company.clock


def test_without_a_source_that_reports_at_an_interval_there_is_nothing_to_say():
    company = company_with(hr={"kind": "push"})
    company.tick(company.clock + 9 * DAY)
    assert "S4 ws1" not in company.results()


def test_a_report_that_is_stale_itself_moves_since_when_the_source_is():
    company = company_with(hr=HOURLY)
    seen = company.clock
    company.tick(seen + 9 * HOUR)
    (updated,) = [each for each in company.staff("77", AL, at=seen + 4 * HOUR) if each["unmapped"]["check"] == "S4"]
    assert (updated["activity_name"], updated["start_time"]) == ("Update", seen + 7 * HOUR)


def test_a_source_that_is_observed_for_the_first_time_has_an_answer_about_its_reports():
    company = Company()
    company.add(expecting(hr=HOURLY))
    assert "S4 ws1" not in company.results()
    company.staff("77", AL, at=company.clock)
    assert company.results()["S4 ws1"] == "PASS"


def test_settings_that_expect_less_of_a_source_are_answered_by_what_they_expect():
    company = company_with(hr=HOURLY)
    company.tick(company.clock + 5 * HOUR)
    assert company.results()["S4 ws1"] == "FAIL"
    away = Fact(
        id="away", tenant=TENANT, kind="workspace.unmonitored", source="operator", basis="decided", app_id=APP, replaces=None
    )
    assert story(company.add(away))[-1] == "S4 ws1 closed not_applicable"
    company.tick(company.clock + HOUR)
    first = derived("settings", None, json.dumps({"hr": HOURLY}))
    found = company.add(expecting(first, hr={"kind": "interval", "interval": DAY}))  # monitored again, by the same settings
    assert [line for line in story(found) if line.startswith("S4")] == []
    assert company.results()["S4 ws1"] == "PASS"


def test_an_open_c4_stays_open_while_its_source_is_stale():
    company = company_with(hr=HOURLY)
    company.staff("0", "p0@acme.example", at=company.clock, roles=("Sales",))
    assert company.results()["C4 0"] == "FAIL"
    found = company.tick(company.clock + 4 * HOUR)
    assert (story(found), found[0]["unmapped"]["reason"]) == (["C4 0 updated", "S4 ws1 opened"], "staff_stale")
    assert company.results()["C4 0"] == "UNKNOWN"


@pytest.mark.parametrize(("rules", "severity"), [("5", 1), ("4", 3)])
def test_an_open_c4_that_became_unknown_is_informational_by_the_rules_of_version_5(rules: str, severity: int):
    company = Company()
    named = {"freshness": json.dumps({"hr": HOURLY, "idp": HOURLY}), "rules": json.dumps(rules)}
    company.add(settings(further=named, workspaces=(APP,)))
    company.policy(Rule(app_id=APP, validity="ticket"))
    company.staff("0", JO, at=company.clock)
    company.added("0", JO)
    found = company.tick(company.clock + 4 * HOUR)
    assert (story(found)[0], found[0]["unmapped"]["reason"], found[0]["severity_id"]) == ("C4 0 updated", "staff_stale", severity)
    found = company.snapshot(staff("1", AL, at=company.clock), requested=company.clock)
    unknown = next(each for each in found if each["unmapped"]["check"] == "C4" and each["unmapped"]["account"] == "0")
    assert (unknown["unmapped"]["reason"], unknown["severity_id"]) == ("account_not_identified", severity)


def test_the_deadline_of_a_known_end_is_not_stopped_by_a_stale_source():
    company = company_with(hr=HOURLY)
    ends = company.clock + 5 * HOUR
    company.staff("0", "p0@acme.example", at=company.clock, ends=ends, roles=("Support",))
    company.tick(company.clock + 4 * HOUR)
    assert reasons(company)["C2"] == "staff_stale"
    found = company.tick(ends + HOUR)
    assert story(found) == ["C2 0 opened"]
    assert (found[0]["time"], found[0]["unmapped"]["result"]) == (ends, "UNKNOWN")


def test_an_end_that_a_fresh_source_asserts_fails_whatever_another_source_does():
    company = company_with(hr=HOURLY)
    company.staff("9", "p0@acme.example", at=company.clock, source="idp", ends=company.clock - DAY)
    company.tick(company.clock + 4 * HOUR)
    assert company.results()["C2 0"] == "FAIL"


def test_a_source_that_does_not_have_the_person_casts_no_doubt():
    company = company_with(hr=HOURLY)
    company.staff("9", AL, source="contractors", roles=("Support",))
    company.added("9", AL)
    company.tick(company.clock + 4 * HOUR)
    assert (company.results()["C2 0"], company.results()["C2 9"]) == ("UNKNOWN", "PASS")


def test_push_and_manual_sources_are_never_stale():
    for how in ({"kind": "push"}, {"kind": "manual"}):
        company = company_with(hr=how)
        company.tick(company.clock + 400 * DAY)
        assert (company.results()["C2 0"], company.results()["C4 0"]) == ("PASS", "PASS")


def test_a_complete_listing_is_a_report_and_one_that_does_not_fit_is_none():
    company = company_with(hr=HOURLY)
    rows = [staff("0", "p0@acme.example", at=company.clock, roles=("Support",))]
    company.tick(company.clock + 4 * HOUR)
    company.snapshot(*rows, requested=company.clock, count=9)
    assert company.results()["C2 0"] == "UNKNOWN"
    company.snapshot(*rows, requested=company.clock)
    assert (company.results()["C2 0"], company.results()["C4 0"]) == ("PASS", "PASS")


def test_a_report_that_is_as_old_as_the_silence_ends_nothing():
    company = company_with(hr=HOURLY)
    seen = company.clock
    company.tick(seen + 9 * HOUR)
    company.staff("77", AL, at=seen + 2 * HOUR)
    assert company.results()["C2 0"] == "UNKNOWN"
    assert {row["since"] for row in company.states().values() if row["reason"] == "staff_stale"} == {seen + 5 * HOUR}


def test_a_report_from_the_far_future_keeps_no_source_fresh():
    company = company_with(hr=HOURLY)
    company.staff("77", AL, at=company.clock + 40 * DAY)
    company.tick(company.clock + 4 * HOUR)
    assert company.results()["C2 0"] == "UNKNOWN"


def test_settings_that_expect_reports_apply_to_those_before_them_and_date_no_answer_before_themselves():
    company = company_with()
    company.tick(company.clock + 4 * HOUR)
    assert company.results()["C2 0"] == "PASS"
    company.add(expecting(expecting().id, hr=HOURLY))
    assert {row["since"] for row in company.states().values() if row["reason"] == "staff_stale"} == {company.clock}
    company.add(expecting(expecting(expecting().id, hr=HOURLY).id, hr={"kind": "manual"}))
    assert company.results()["C2 0"] == "PASS"


def test_a_presence_reported_after_its_end_is_published_whatever_is_stale_today():
    company = company_with(hr=HOURLY)
    now = company.clock
    company.staff("9", AL, at=now, ends=now - 9 * DAY)
    company.tick(now + 4 * HOUR)
    company.removed("9", at=now - DAY)
    assert "C2 9 closed fixed" in story(company.added("9", AL, at=now - 2 * DAY))


def test_the_silence_of_a_source_is_answered_in_bounded_parts_with_the_same_results():
    stories = []
    for limits in (ProcessingLimits(chunk=2, budget=2, per_record=0), None):
        company = company_with(limits=limits, people=7, hr=HOURLY)
        company.staff("0", "p0@acme.example", at=company.clock, ends=company.clock - DAY)
        company.tick(company.clock + 4 * HOUR)
        assert [company.results()[f"C2 {number}"] for number in range(7)] == ["UNKNOWN"] * 7
        first = len(company.findings())
        company.staff("77", AL, at=company.clock)
        assert [company.results()[f"C2 {number}"] for number in range(7)] == ["FAIL", *["PASS"] * 6]
        stories.append((story(company.findings()[first:]), company.results()))
        assert max(len(entry["outputs"]) for entry in company.ledger()) <= (6 if limits else 40)
    assert stories[0] == stories[1]


def test_the_same_instant_is_reached_by_any_fact_and_ticks_change_nothing():
    ends = []
    for ticks in ((), (1,), (1, 2, 3, 3, 5)):
        company = company_with(hr=HOURLY)
        start = company.clock
        for hours in ticks:
            company.tick(start + hours * HOUR)
        company.add(staff("78", AL, source="idp", at=start), at=start + 9 * HOUR)
        ends.append({key: (row["result"], row["since"]) for key, row in company.states().items() if row["check"] != "C3"})
    assert ends[0] == ends[1] == ends[2]
