"""Exemptions that do not hold: void from the start, or since what they were given for has changed."""

import pytest

from schemas.access.facts import Classification, Fact
from schemas.ids import derived
from tests.streams.core.access.exempting import JO, LATER, LOG, SOON, Exempting, leaver, outcome
from tests.streams.core.access.test_choices import chosen
from tests.support.company import APP, DAY, SECOND, T0, TENANT, Company, everyone, person_of, roles

NEW = 1


def test_case_15_a_role_that_is_raised_voids_the_exemption_for_good():
    company = leaver(role="Agent")
    company.add(Exempting().granted())
    (finding,) = company.seen("7", JO, at=SOON, role="Admin")
    assert (finding["unmapped"]["result"], finding["status_id"]) == ("FAIL", NEW)
    company.seen("7", JO, at=SOON + SECOND, role="Agent")
    assert company.results()["C2 7"] == "FAIL"


def test_a_role_that_was_the_same_at_the_grant_voids_nothing_whatever_order_it_arrives_in():
    company = leaver(role="Agent")
    company.add(Exempting().granted())
    company.seen("7", JO, at=SOON, role="Admin")
    assert company.results()["C2 7"] == "FAIL"
    company.seen("7", JO, at=LOG - DAY, role="Admin")  # arrives late: it was so already when the exemption was granted
    assert company.results()["C2 7"] == "EXEMPT"


def test_an_exemption_of_c1_is_void_once_the_address_changes():
    company = Company()
    company.added("7", JO)
    company.add(Exempting(check="C1").granted())
    assert company.results()["C1 7"] == "EXEMPT"
    company.seen("7", "other@acme.example", at=SOON)
    assert company.results()["C1 7"] == "FAIL"


def test_an_exemption_of_c2_is_void_once_the_end_moves_and_not_when_it_is_told_again():
    company = leaver()
    company.add(Exempting().granted())
    company.staff("77", JO, at=SOON, ends=T0 + 5 * DAY)
    assert company.results()["C2 7"] == "EXEMPT"
    company.staff("77", JO, at=SOON + SECOND, ends=T0 + 6 * DAY)
    assert company.results()["C2 7"] == "FAIL"


def test_an_exemption_of_c2_is_void_by_an_end_that_was_moved_and_moved_back_however_late_that_is_reported():
    company = leaver()
    company.add(Exempting().granted())
    company.staff("77", JO, at=SOON + 2 * SECOND, ends=T0 + 5 * DAY)
    assert company.results()["C2 7"] == "EXEMPT"
    company.staff("77", JO, at=SOON + SECOND, ends=T0 + 6 * DAY)
    assert company.results()["C2 7"] == "FAIL"


def test_an_exemption_that_is_void_by_a_change_ahead_of_log_time_dates_the_failure_by_it_from_the_first_evaluation_on():
    company = leaver()
    ahead = LOG + 20 * DAY
    company.staff("77", JO, at=ahead, ends=T0 + 6 * DAY)
    company.add(Exempting().granted())
    first = company.states()["acme|C2|ws1|7|" + person_of("77")]
    company.tick(LOG + DAY)
    assert (first["result"], first["since"]) == ("FAIL", ahead)
    assert company.states()["acme|C2|ws1|7|" + person_of("77")] == first


def test_an_exemption_of_c2_is_void_once_a_decision_moves_the_end():
    company = leaver()
    company.staff("77", JO, source="idp", at=T0 + DAY, ends=T0 + 7 * DAY)
    company.add(Exempting().granted())
    company.add(chosen("77", "idp"))
    assert company.results()["C2 7"] == "FAIL"


def test_an_exemption_of_c4_is_void_once_the_staff_role_changes():
    company = Company()
    company.policy(roles("Sales"))
    company.staff("77", JO, roles=("Support",))
    company.added("7", JO)
    company.add(Exempting(check="C4").granted())
    assert company.results()["C4 7"] == "EXEMPT"
    company.staff("77", JO, at=SOON, roles=("Finance",))
    assert company.results()["C4 7"] == "FAIL"


def test_an_exemption_is_void_once_the_account_is_classified():
    company = leaver()
    company.add(Exempting().granted())
    company.decided("account.classified", "7", as_="service")
    assert company.results()["C2 7"] == "FAIL"  # C2 applies to a classified account that names somebody who left


def test_an_exemption_for_an_owner_is_void_once_a_link_names_another_also_when_it_is_taken_back():
    company = leaver()
    company.staff("88", "al@acme.example", ends=T0 + 5 * DAY)
    company.add(Exempting().granted(staff=person_of("77")))
    assert company.results()["C2 7"] == "EXEMPT"
    company.decided("account.linked", "7", staff=person_of("88"))
    assert company.results()["C2 7"] == "FAIL"
    company.decided("account.linked", "7", derived("account.linked", "7", None, person_of("88"), None), staff=person_of("77"))
    assert company.results()["C2 7"] == "FAIL"


def test_an_exemption_for_an_owner_is_void_once_a_record_shows_that_a_link_behind_it_named_another():
    company = Company()
    company.added("7", JO)
    links: list[str] = []
    for record in ("88", "88", "77"):
        replaces, staff = links[-1] if links else None, person_of(record)
        company.decided("account.linked", "7", replaces, staff=staff)
        links.append(derived("account.linked", "7", replaces, staff, None))
        if len(links) == 1:
            company.add(Exempting(check="C1").granted(staff=person_of("77")))
    assert company.results()["C1 7"] == "EXEMPT"  # whether the two are one person is not known yet
    company.staff("88", "al@acme.example")
    assert company.results()["C1 7"] == "UNKNOWN"


def test_an_exemption_for_somebody_whom_no_address_names_is_void_once_the_end_of_their_employment_moves():
    company = leaver()
    company.staff("78", JO, employee="e78")
    company.staff("88", "al@acme.example", ends=T0 + 5 * DAY)
    company.add(Exempting().granted(staff=person_of("88")))
    assert (company.results()["C1 7"], company.results()["C2 7"]) == ("FAIL", "EXEMPT")
    company.staff("88", "al@acme.example", at=SOON, ends=T0 + 6 * DAY)
    assert company.results()["C2 7"] == "UNKNOWN"


def test_a_change_of_policy_voids_nothing():
    company = Company()
    company.policy(roles("Sales"))
    company.staff("77", JO, roles=("Support",))
    company.added("7", JO)
    company.add(Exempting(check="C4").granted())
    company.policy(roles("Finance"))
    assert company.results()["C4 7"] == "EXEMPT"


@pytest.mark.parametrize(
    "how",
    [
        {"reason": ""},
        {"reason": "  "},
        {"reason": None},
        {"approver": None},
        {"approver": " "},
        {"approver": "Pat "},
        {"expires": LOG},
        {"starts": LATER, "expires": LATER},
        {"account": None},
        {"app_id": None},
    ],
    ids=str,
)
def test_a_grant_that_cannot_hold_is_void(how):
    company = leaver()
    assert company.add(Exempting().granted(**how)) == []
    assert outcome(company) == "void"
    assert company.results()["C2 7"] == "FAIL"


@pytest.mark.parametrize(("check", "account"), [("C99", "7"), ("C3", "7"), ("C2", None)])
def test_a_grant_for_no_check_of_its_subject_is_void(check, account):
    company = leaver()
    company.add(Exempting(check=check, account=account).granted())
    assert outcome(company) == "void"


def test_an_id_that_is_taken_is_void_and_free_again_once_it_is_revoked():
    company, exempting = leaver(), Exempting()
    first = exempting.granted()
    company.add(first)
    company.add(exempting.granted(expires=None))
    assert outcome(company) == "void"
    exempting.replaces = first.id
    company.add(exempting.revoked())
    assert (outcome(company), company.results()["C2 7"]) == ("applied", "FAIL")
    company.add(exempting.granted(expires=None))
    assert (outcome(company), company.results()["C2 7"]) == ("applied", "EXEMPT")


def test_two_who_decide_about_one_grant_at_once_do_not_undo_each_other():
    company, exempting = leaver(), Exempting()
    first = exempting.granted()
    company.add(first)
    company.add(Exempting().granted(expires=None))  # by somebody who does not know of the first
    assert (outcome(company), company.results()["C2 7"]) == ("stale", "EXEMPT")
    company.add(Exempting().revoked())
    assert (outcome(company), company.results()["C2 7"]) == ("stale", "EXEMPT")


def test_the_revocation_of_no_exemption_is_void():
    company = leaver()
    company.add(Exempting(id="nothing").revoked())
    assert outcome(company) == "void"


def test_an_exemption_of_c5_is_void_once_another_answers_for_the_account():
    company = Company()
    company.policy(everyone())
    company.added("7", JO)
    shared = Fact(
        id="class 1", tenant=TENANT, kind="account.classified", source="operator", basis="decided", app_id=APP, account="7",
        classification=Classification(kind="shared"),
    )  # fmt: skip
    company.add(shared)
    company.add(Exempting(check="C5").granted())
    assert company.results()["C5 7"] == "EXEMPT"
    content = Classification(kind="shared", owner=person_of("77"))
    company.staff("77", "al@acme.example", ends=T0 + DAY)
    company.add(
        Fact(
            id="class 2",
            tenant=TENANT,
            kind="account.classified",
            source="operator",
            basis="decided",
            app_id=APP,
            account="7",
            classification=content,
            replaces="class 1",
        )
    )
    assert company.results()["C5 7"] == "FAIL"
