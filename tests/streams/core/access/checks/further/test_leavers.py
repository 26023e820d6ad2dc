"""What people do, and leave behind, who left: C2, C6, C12 and C13."""

import json

import pytest

from tests.streams.core.access.checks.further.activities import ENDED, HOUR, JO, company_with, did, left, logged_in, of
from tests.streams.core.access.exempting import LATER, Exempting
from tests.support.company import APP, DAY, T0, Company, person_of, settings, story


def test_c6_a_login_after_the_end_of_employment_opens_a_critical_finding_since_the_login():
    company = company_with("C6")
    left(company)
    assert company.results()["C6 7"] == "UNKNOWN"  # no login of the account was ever reported
    company.add(logged_in("7", at=ENDED - HOUR))
    assert company.results()["C6 7"] == "PASS"
    found = company.add(logged_in("7", at=ENDED + HOUR))
    assert of("C6", found) == ["C6 7 opened"]
    (finding,) = [each for each in found if each["unmapped"]["check"] == "C6"]
    assert (finding["time"], finding["severity_id"]) == (ENDED + HOUR, 5)
    assert of("C6", company.removed("7", at=T0 + 9 * DAY)) == ["C6 7 closed fixed"]


def test_c6_opens_by_the_end_of_employment_where_the_login_is_known_before_it():
    company = company_with("C6")
    company.add(logged_in("7", at=ENDED + HOUR))
    assert "C6 7" not in company.results()
    left(company)
    assert company.results()["C6 7"] == "FAIL"


def test_c6_is_unknown_where_it_is_not_certain_whose_account_it_is():
    company = company_with("C6")
    left(company)
    company.staff("78", JO, at=T0 + 2 * DAY)
    company.add(logged_in("7", at=ENDED + HOUR))
    row = next(row for row in company.states().values() if row["check"] == "C6")
    assert (row["result"], row["reason"], row["finding"] is not None) == ("UNKNOWN", "account_not_identified", True)


def test_c6_does_not_pass_without_a_login_where_it_is_not_certain_whose_account_it_is():
    company = company_with("C6")
    company.add(logged_in("7", at=ENDED - HOUR))
    left(company)
    company.staff("78", JO, at=T0 + 2 * DAY)
    row = next(row for row in company.states().values() if row["check"] == "C6")
    assert (row["result"], row["reason"], row["finding"]) == ("UNKNOWN", "account_not_identified", None)


def test_c6_a_login_is_one_also_as_an_entry_of_the_log_that_a_producer_sends():
    company = company_with("C6")
    left(company)
    assert of("C6", company.add(did("admin_login_success", "7", at=ENDED + HOUR))) == ["C6 7 opened"]


def test_c2_of_somebody_who_logged_in_after_the_end_is_critical_whatever_is_switched_on():
    company = Company()
    company.staff("77", JO, ends=ENDED)
    assert company.added("7", JO)[-1]["severity_id"] == 4
    (finding,) = company.add(logged_in("7", at=ENDED + HOUR))
    assert (finding["unmapped"]["check"], finding["severity_id"]) == ("C2", 5)


@pytest.mark.parametrize("type_", ["custom_authentication_token_creation", "bulk_export", "app_webhook_creation"])
def test_c12_what_somebody_made_after_they_left_is_found(type_: str):
    company = company_with("C12")
    left(company)
    assert company.results()["C12 7"] == "UNKNOWN"  # the workspace has not reported its activity log
    company.add(did("seat_change", "7", at=T0 + HOUR))
    assert company.results()["C12 7"] == "PASS"
    assert of("C12", company.add(did(type_, "7", at=ENDED + HOUR))) == ["C12 7 opened"]
    assert of("C12", company.removed("7", at=T0 + 9 * DAY)) == ["C12 7 closed fixed"]


def test_c13_credentials_outlive_the_account_of_who_left():
    company = company_with("C13")
    company.add(did("messenger_api_secret_creation", "7", at=T0 + HOUR))
    assert "C13 7" not in company.results()
    left(company)
    assert company.results()["C13 7"] == "FAIL"
    assert of("C13", company.removed("7", at=T0 + 9 * DAY)) == []
    assert company.results()["C13 7"] == "FAIL"
    assert of("C13", company.add(did("messenger_api_secret_deletion", "8", at=T0 + 9 * DAY))) == ["C13 7 updated"]
    row = next(row for row in company.states().values() if row["check"] == "C13")
    assert (row["result"], row["reason"]) == ("UNKNOWN", "may_be_revoked")
    company.staff("77", JO, at=T0 + 10 * DAY)  # the end is taken back
    assert "C13 7" not in company.results()


def test_c13_is_found_for_an_account_that_was_removed_before_the_leave_was_known():
    company = company_with("C13")
    company.add(did("app_webhook_creation", "7", at=T0 + HOUR))
    company.removed("7", at=T0 + 2 * DAY)
    found = company.staff("77", JO, at=T0 + DAY, ends=ENDED)
    assert of("C13", found) == ["C13 7 opened"]


def test_c13_is_accepted_by_an_exemption_also_once_the_account_is_removed_until_it_ends():
    company = company_with("C13")
    company.add(did("app_webhook_creation", "7", at=T0 + HOUR))
    left(company)
    company.removed("7", at=T0 + 9 * DAY)
    grant = Exempting(check="C13", id="x13")
    (finding,) = company.add(grant.granted(expires=LATER))
    assert (finding["unmapped"]["check"], finding["unmapped"]["result"], finding["status_id"]) == ("C13", "EXEMPT", 3)
    (reopened,) = [each for each in company.tick(LATER + DAY) if each["unmapped"]["check"] == "C13"]
    assert (reopened["time"], reopened["unmapped"]["result"]) == (LATER, "FAIL")


@pytest.mark.parametrize("rules", ["5", "4"])
def test_no_leaver_closes_c6_c12_or_c13_by_taking_the_address_of_somebody_employed(rules: str):
    company = Company()
    checks = {"C6": {}, "C12": {}, "C13": {}}
    company.add(settings(workspaces=(APP,), further={"checks": json.dumps(checks), "rules": json.dumps(rules)}))
    company.staff("77", JO)
    company.staff("88", "al@acme.example")
    company.added("7", JO)
    left(company)
    acted = ENDED + HOUR
    for fact in (logged_in("7", at=acted), did("bulk_export", "7", at=acted), did("app_webhook_creation", "7", at=acted)):
        company.add(fact)
    assert {company.results()[f"{check} 7"] for check in checks} == {"FAIL"}
    found = company.seen("7", "al@acme.example", at=acted + DAY)
    changed = {line for line in story(found) if line.split()[0] in checks}
    verb = "updated" if rules == "5" else "closed not_applicable"
    assert changed == {f"{check} 7 {verb}" for check in checks}
    found = company.decided("account.linked", "7", staff=person_of("88"))  # a person says that it is Al's
    assert {f"{check} 7 closed not_applicable" for check in ("C2", *(checks if rules == "5" else ()))} <= set(story(found))
