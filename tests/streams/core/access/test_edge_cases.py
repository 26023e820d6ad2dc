"""The numbered edge cases of access checks, each as a history of facts."""

from schemas.access.facts import Rule
from tests.streams.core.access.checks.further.activities import did, switched_on
from tests.support.company import (
    APP,
    DAY,
    SECOND,
    T0,
    Company,
    admin,
    everyone,
    person_of,
    roles,
    settings,
    staff,
    story,
    teammates_facts,
)

JO = "jo@acme.example"
YESTERDAY = T0 + 9 * DAY


def test_case_1_a_leave_heard_before_the_teammate_was_added_opens_c2_at_the_later_of_both():
    company = Company()
    company.staff("77", JO, ends=T0 + DAY)
    found = company.added("7", JO, at=T0 + 2 * DAY)
    assert story(found) == ["C3 ws1 opened", "C2 7 opened"]
    assert found[-1]["time"] == T0 + 2 * DAY


def test_case_2_a_removal_heard_before_the_adding_ends_in_the_same_state_and_tells_of_the_stay():
    in_order, late = Company(), Company()
    in_order.added("7", JO, at=T0)
    in_order.removed("7", at=T0 + DAY)
    late.removed("7", at=T0 + DAY)
    found = late.added("7", JO, at=T0)
    assert story(found) == ["C3 ws1 updated", "C1 7 opened", "C1 7 closed fixed"]  # the workspace is known since the adding
    assert [each["time"] for each in found[1:]] == [T0, T0 + DAY]
    assert found[1]["finding_info"]["uid"] == found[2]["finding_info"]["uid"]
    assert late.results() == in_order.results() == {"C3 ws1": "FAIL"}


def test_case_2_a_past_stay_opens_no_c2_for_somebody_who_left_after_it():
    company = Company()
    company.staff("77", JO, ends=T0 + 5 * DAY)
    company.removed("7", at=T0 + DAY)
    assert story(company.added("7", JO, at=T0)) == ["C3 ws1 updated"]


def test_case_3_removed_and_added_again_is_a_new_episode_of_the_same_subject():
    company = Company()
    company.policy(everyone())
    first = company.added("7", JO, at=T0)[-1]["finding_info"]
    company.removed("7", at=T0 + SECOND)
    second = company.added("7", JO, at=T0 + 2 * SECOND)[-1]["finding_info"]
    assert second["uid"] != first["uid"]
    assert second["uid_alt"] == first["uid_alt"]


def test_case_3_a_removal_heard_late_splits_the_stay_into_two_episodes():
    company = Company()
    company.added("7", JO, at=T0)
    company.added("7", JO, at=T0 + 2 * DAY)
    assert story(company.removed("7", at=T0 + DAY)) == ["C1 7 closed fixed", "C1 7 opened"]
    closed, opened = company.findings()[-2:]
    assert closed["time"] == T0 + DAY
    assert opened["time"] == T0 + 2 * DAY
    assert opened["finding_info"]["uid"] != closed["finding_info"]["uid"]


def test_case_4_a_rehire_under_the_same_record_closes_c2_as_no_longer_applicable():
    company = Company()
    company.added("7", JO)
    company.staff("77", JO, ends=YESTERDAY)
    assert story(company.staff("77", JO, at=T0 + DAY)) == ["C2 7 closed not_applicable"]
    assert company.results()["C2 7"] == "PASS"


def test_case_4_a_rehire_under_a_new_record_does_not_move_the_account_by_itself_but_a_link_does():
    company = Company()
    company.staff("77", JO)
    company.added("7", JO)
    company.staff("77", JO, at=T0 + DAY, ends=YESTERDAY)
    found = company.staff("99", JO, at=T0 + 2 * DAY)
    assert story(found) == ["C1 7 opened", "C2 7 updated"]
    assert [each["staff"] for each in found[0]["unmapped"]["candidates"]] == [person_of("99"), person_of("77")]
    assert (company.results()["C1 7"], company.results()["C2 7"]) == ("FAIL", "UNKNOWN")
    found = company.decided("account.linked", "7", staff=person_of("99"))
    assert story(found) == ["C1 7 closed fixed", "C2 7 closed not_applicable"]
    assert company.results()["C2 7"] == "PASS"


def test_case_5_a_renamed_address_keeps_its_owner():
    company = Company()
    company.staff("77", JO)
    company.added("7", JO)
    assert story(company.seen("7", "jo.smith@acme.example", at=T0 + DAY)) == []
    assert company.results()["C1 7"] == "PASS"
    assert company.staff("77", "j.smith@acme.example", at=T0 + DAY) == []
    assert company.results()["C1 7"] == "PASS"
    assert story(company.staff("77", "j.smith@acme.example", at=T0 + 2 * DAY, ends=YESTERDAY)) == ["C2 7 opened"]


def test_case_6_two_staff_with_one_address_are_ambiguous_and_both_are_listed():
    company = Company()
    company.added("7", JO)
    company.staff("77", JO)
    found = company.staff("78", JO)
    assert story(found) == ["C1 7 updated"]  # within ten minutes: the same episode
    assert {each["staff"] for each in found[-1]["unmapped"]["candidates"]} == {person_of("77"), person_of("78")}
    assert (company.results()["C1 7"], company.results()["C4 7"], company.results()["C2 7"]) == ("FAIL", "UNKNOWN", "UNKNOWN")


def test_case_6_one_leaver_with_two_accounts_fails_c2_once_for_each():
    company = Company()
    company.staff("77", JO, "jo.admin@acme.example")
    company.added("7", JO)
    company.added("8", "jo.admin@acme.example")
    found = company.staff("77", JO, "jo.admin@acme.example", at=T0 + DAY, ends=YESTERDAY)
    assert story(found) == ["C2 7 opened", "C2 8 opened"]


def test_case_7_case_and_unicode_domains_match_and_a_plus_tag_is_only_a_hint():
    company = Company()
    company.staff("77", "Jo@Bücher.example")
    company.added("7", "JO@xn--bcher-kva.example")
    assert company.results()["C1 7"] == "PASS"
    (finding,) = company.added("8", "jo+test@bücher.example")
    assert finding["confidence_id"] == 1
    assert [each["staff"] for each in finding["unmapped"]["candidates"]] == [person_of("77")]
    assert company.results()["C1 8"] == "FAIL"


def test_case_7_a_declared_alias_domain_matches_from_the_moment_it_is_declared():
    company = Company()
    company.staff("77", JO)
    company.added("7", "jo@acme-group.example")
    assert company.results()["C1 7"] == "FAIL"
    assert story(company.add(settings(aliases={"acme-group.example": "acme.example"}))) == ["C1 7 closed fixed"]


def test_case_11_a_partial_or_failed_snapshot_of_teammates_infers_no_removal():
    company = Company()
    company.added("7", JO)
    company.teammates(requested=T0 + 9 * DAY, count=1)  # a row is lost: the count does not fit
    company.add(teammates_facts(requested=T0 + 9 * DAY + SECOND)[0])  # the reader failed after the start
    company.tick(company.clock + DAY)
    assert company.results()["C1 7"] == "FAIL"
    assert company.results()["S1 ws1"] == "FAIL"


def test_case_12_a_teammate_missing_from_a_complete_snapshot_is_removed_by_inference_and_a_webhook_counts_as_missed():
    company = Company()
    company.added("7", JO)
    missed, closed = company.teammates(requested=T0 + 9 * DAY)
    assert story([missed, closed]) == ["S2 ws1 opened", "C1 7 closed fixed"]
    assert closed["confidence_id"] <= 2
    assert {"name": "evidence", "value": "snapshot"} in closed["compliance"]["control_parameters"]
    assert {"name": "missed_ever", "value": "1"} in missed["compliance"]["control_parameters"]


def test_case_13_a_policy_saved_narrowed_and_deleted_is_answered_each_time():
    company = Company()
    company.staff("77", JO, roles=("Support",))
    company.added("7", JO)
    assert story(company.policy(roles("support "))) == ["C3 ws1 closed fixed"]
    assert company.results()["C4 7"] == "PASS"
    narrowed = company.policy(roles("Sales"))
    assert story(narrowed) == ["C4 7 opened"]
    assert {"name": "policy", "value": company.policy_id} in narrowed[0]["compliance"]["control_parameters"]
    assert story(company.policy()) == ["C3 ws1 updated", "C4 7 closed superseded"]
    assert company.results()["C3 ws1"] == "FAIL"
    assert company.results()["C4 7"] == "UNKNOWN"
    assert company.findings()[-1]["unmapped"]["superseded_by"] == company.findings()[-2]["finding_info"]["uid"]


def test_case_16_an_unknown_intercom_role_is_unknown_and_the_staff_role_alone_is_still_judged():
    company = Company()
    company.staff("77", JO, roles=("Support",))
    company.staff("78", "al@acme.example", roles=("Sales",))
    company.policy(Rule(app_id=APP, validity="intercom_roles", intercom_roles={"Support": ("Agent",)}))
    company.added("7", JO)
    company.added("8", "al@acme.example")
    assert company.results()["C4 7"] == "UNKNOWN"
    assert company.results()["C4 8"] == "FAIL"
    company.add(admin("admin.seen", "7", JO, at=T0 + DAY, role="agent"))
    assert company.results()["C4 7"] == "PASS"
    found = company.add(admin("admin.seen", "7", JO, at=T0 + 2 * DAY, role="Workspace Admin"))
    assert story(found) == ["C4 7 opened"]
    assert found[0]["severity_id"] == 4


def test_case_17_an_end_in_the_future_opens_c2_at_its_instant_and_not_before():
    company = Company()
    company.staff("77", JO)
    company.added("7", JO)
    ends = company.clock + 5 * DAY
    assert company.staff("77", JO, at=T0 + DAY, ends=ends) == []
    assert company.tick(ends - 1) == []
    (finding,) = company.staff("99", "other@acme.example", at=T0 + DAY)  # any fact moves log time, not only a tick
    assert (finding["unmapped"]["check"], finding["time"]) == ("C2", ends)


def test_case_17_an_end_moved_or_withdrawn_before_it_came_opens_nothing():
    company = Company()
    company.staff("77", JO)
    company.added("7", JO)
    ends = company.clock + 5 * DAY
    company.staff("77", JO, at=T0 + DAY, ends=ends)
    company.staff("77", JO, at=T0 + 2 * DAY, ends=ends + 5 * DAY)
    assert company.tick(ends + DAY) == []
    company.staff("77", JO, at=T0 + 3 * DAY)
    assert company.tick(ends + 10 * DAY) == []
    assert company.deadlines() == []


def test_case_20_leaving_one_workspace_closes_nothing_in_another():
    company = Company()
    company.added("7", JO)
    company.added("7", JO, app="ws2")
    assert story(company.removed("7", at=T0 + DAY)) == ["C1 7 closed fixed"]
    assert {key: row["result"] for key, row in company.states().items() if row["check"] == "C1"} == {"acme|C1|ws2|7|": "FAIL"}


def test_case_21_a_fact_heard_again_says_nothing_again():
    company = Company()
    company.added("7", JO)
    company.staff("77", JO)
    company.policy(roles("Sales"))
    company.staff("77", JO, at=T0 + DAY, ends=YESTERDAY)
    company.removed("7", at=T0 + 10 * DAY)
    before = [len(company.ids(topic)) for topic in ("access.violations", "access.state")]
    for record in list(company.log):
        company.process([record._replace(offset=record.offset + 100, timestamp=company.clock)])
    assert [len(company.ids(topic)) for topic in ("access.violations", "access.state")] == before
    assert {entry["outcome"] for entry in company.ledger()[5:]} <= {"superseded", "stale"}


def test_case_19_c2_lists_the_credentials_of_who_left_and_its_close_hides_none_of_them():
    company = Company()
    company.policy(everyone())
    company.add(switched_on(C13={}))
    company.staff("77", JO)
    company.added("7", JO)
    company.add(did("custom_authentication_token_creation", "7", at=T0 + SECOND))
    company.add(did("app_webhook_creation", "7", at=T0 + 2 * SECOND))
    c2, c13 = company.staff("77", JO, at=T0 + DAY, ends=YESTERDAY)
    assert story([c2, c13]) == ["C2 7 opened", "C13 7 opened"]
    made = "1 of app_webhook_creation, 1 of custom_authentication_token_creation"
    assert made in c2["remediation"]["desc"]
    assert "reassign open conversations" in c2["remediation"]["desc"]
    assert story(company.removed("7", at=T0 + 10 * DAY)) == ["C2 7 closed fixed"]
    assert company.results()["C13 7"] == "FAIL"
    assert {"name": "credentials", "value": made} in c13["compliance"]["control_parameters"]


def test_case_22_a_bad_export_that_drops_most_people_is_one_finding_and_not_one_for_each():
    company = Company()
    company.policy(everyone())
    people = [staff(f"{number}", f"p{number}@acme.example") for number in range(50)]
    company.snapshot(*people, requested=T0 + DAY)
    for number in range(50):
        company.added(f"{number}", f"p{number}@acme.example")
    before = company.results()
    found = company.snapshot(*people[:10], requested=T0 + 2 * DAY)
    assert story(found) == ["S3 ws1 opened"]
    shown = {each["name"]: each["value"] for each in found[0]["compliance"]["control_parameters"]}
    assert (shown["absent"], shown["heads"]) == ("40", "50")
    assert {check: result for check, result in company.results().items() if check != "S3 ws1"} == before


def test_case_7_whoever_has_the_address_without_its_plus_tag_is_a_candidate_whichever_is_known_first():
    for late in (False, True):
        company = Company()
        if not late:
            company.staff("77", "jo@acme.example")
        company.added("7", "jo+intercom@acme.example")
        if late:
            company.staff("77", "jo@acme.example")
        last = [each for each in company.findings() if each["unmapped"]["check"] == "C1"][-1]
        assert company.results()["C1 7"] == "FAIL"
        assert [each["staff"] for each in last["unmapped"]["candidates"]] == [person_of("77")]
