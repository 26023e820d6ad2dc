"""Checks about what happened, which are open for a time: C8, C9, C11 and C14."""

from tests.streams.core.access.checks.further.activities import HOUR, JO, company_with, did, logged_in, of
from tests.support.company import DAY, SECOND, T0, admin, story


def test_c8_who_was_removed_and_is_added_again_is_detected_for_thirty_days():
    company = company_with("C8")
    company.removed("7", at=T0 + DAY)
    found = company.added("7", JO, at=T0 + 2 * DAY)
    assert of("C8", found) == ["C8 7 opened"]
    assert company.deadlines() == [T0 + 32 * DAY]
    (closed,) = company.tick(T0 + 60 * DAY)
    assert story([closed]) == ["C8 7 closed not_applicable"]
    assert closed["time"] == T0 + 32 * DAY
    assert "C8 7" not in company.results()


def test_c8_says_nothing_where_a_snapshot_alone_missed_the_teammate():
    company = company_with("C8")
    company.teammates(requested=T0 + DAY)
    assert of("C8", company.teammates(admin("admin.seen", "7", JO), requested=T0 + 2 * DAY)) == []


def test_c9_a_change_of_a_role_by_somebody_else_than_the_provisioning_account_is_detected():
    company = company_with("C9", accounts=["99"])
    company.added("99", "scim@acme.example")
    assert of("C9", company.add(did("role_change", "99", at=T0 + HOUR))) == []
    assert of("C9", company.add(did("seat_change", "7", at=T0 + HOUR))) == ["C9 7 opened"]
    assert of("C9", company.add(did("seat_change", "7", at=T0 + 20 * DAY))) == ["C9 7 updated"]
    assert of("C9", company.tick(T0 + 49 * DAY)) == []
    assert of("C9", company.tick(T0 + 51 * DAY)) == ["C9 7 closed not_applicable"]


def test_c9_is_unknown_while_the_settings_name_no_account_that_provisions():
    company = company_with("C9")
    company.add(did("admin_permission_change", "7", at=T0 + HOUR))
    assert company.results()["C9 7"] == "UNKNOWN"


def test_c11_a_sign_in_that_bypasses_single_sign_on_is_detected_and_closes_after_the_days_that_the_settings_say():
    company = company_with("C11", methods=["saml"], days=7)
    now = company.clock
    company.add(logged_in("7", at=now, sign_in_method="saml"))
    assert company.results()["C11 7"] == "PASS"
    (finding,) = company.add(logged_in("7", at=now + HOUR, sign_in_method="password"))
    assert of("C11", [finding]) == ["C11 7 opened"]
    assert {"name": "methods", "value": "password"} in finding["compliance"]["control_parameters"]
    assert of("C11", company.tick(now + 7 * DAY)) == []
    assert of("C11", company.tick(now + 7 * DAY + HOUR)) == ["C11 7 closed not_applicable"]


def test_c11_an_attempt_that_intercom_refused_is_detected_without_any_setting():
    company = company_with("C11")
    assert of("C11", company.add(did("admin_unauthorized_sign_in_method", "7", at=T0 + HOUR))) == ["C11 7 opened"]


def test_c11_is_unknown_where_no_login_says_its_method():
    company = company_with("C11", methods=["saml"])
    company.add(logged_in("7", at=T0 + HOUR))
    assert company.results()["C11 7"] == "UNKNOWN"


def test_c14_consent_to_impersonation_is_open_until_it_expires():
    company = company_with("C14")
    expires = company.clock + DAY
    found = company.add(
        did("admin_impersonation_consent_approved", "7", at=T0 + HOUR, consent_id=5, expired_at=expires // SECOND)
    )
    assert of("C14", found) == ["C14 7 opened"]
    (closed,) = company.tick(expires + DAY)
    assert (story([closed]), closed["time"]) == (["C14 7 closed not_applicable"], expires // SECOND * SECOND)


def test_c14_consent_to_impersonation_closes_when_anybody_revokes_it_and_not_by_another_revocation():
    company = company_with("C14")
    company.add(did("admin_impersonation_consent_approved", "7", at=T0 + 10 * DAY - HOUR, consent_id=5))
    assert of("C14", company.add(did("admin_impersonation_consent_revoked", "8", at=T0 + 10 * DAY, consent_id=6))) == []
    found = company.add(did("admin_impersonation_consent_revoked", "8", at=T0 + 10 * DAY, consent_id=5))
    assert of("C14", found) == ["C14 7 closed not_applicable"]
