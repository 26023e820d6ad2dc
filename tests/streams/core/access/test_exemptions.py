"""Exemptions: what they change, and when they begin and end."""

from tests.streams.core.access.deadlines import grace
from tests.streams.core.access.exempting import JO, LATER, LOG, SOON, Exempting, leaver
from tests.support.company import DAY, T0, Company, admin, everyone, person_of, staff, story

SUPPRESSED, NEW, RESOLVED = 3, 1, 4


def test_a_failing_check_is_exempt_and_its_finding_is_open_and_suppressed():
    company = leaver()
    (finding,) = company.add(Exempting().granted())
    row = company.states()["acme|C2|ws1|7|" + person_of("77")]
    assert story([finding]) == ["C2 7 updated"]
    assert (finding["status_id"], finding["status"], finding["compliance"]["status_id"]) == (SUPPRESSED, "Suppressed", 99)
    assert (finding["unmapped"]["result"], finding["unmapped"]["reason"]) == ("EXEMPT", "employment_ended")
    assert finding["unmapped"]["exemption"] == {
        "id": "x1",
        "starts": company.clock,
        "expires": LATER,
        "approver": "security lead",
    }
    assert finding["comment"] == "they hand over until then"
    assert (row["result"], row["reason"], row["exemption"], row["finding"]) == (
        "EXEMPT", "employment_ended", "x1", finding["finding_info"]["uid"],
    )  # fmt: skip


def test_case_14_an_exemption_that_expires_reopens_its_finding_at_that_instant_in_the_same_episode():
    company = leaver()
    (suppressed,) = company.add(Exempting().granted(expires=LATER))
    (reopened,) = company.tick(LATER + DAY)
    assert reopened["finding_info"]["uid"] == suppressed["finding_info"]["uid"]
    assert (reopened["time"], reopened["activity_id"], reopened["status_id"]) == (LATER, 2, NEW)
    assert (reopened["unmapped"]["result"], "exemption" in reopened["unmapped"]) == ("FAIL", False)
    assert company.states()["acme|C2|ws1|7|" + person_of("77")]["since"] == LATER


def test_case_14_nothing_is_told_at_the_expiry_where_the_condition_is_over():
    company = leaver()
    company.add(Exempting().granted(expires=LATER))
    company.removed("7", at=LOG)
    assert company.tick(LATER + DAY) == []


def test_a_condition_that_begins_during_an_exemption_creates_its_finding_suppressed():
    company = Company()
    company.policy(everyone())
    company.staff("77", JO)
    company.added("7", JO)
    company.staff("77", JO, at=LOG - DAY, ends=SOON)
    assert company.add(Exempting().granted()) == []
    (created,) = company.tick(SOON + DAY)
    assert story([created]) == ["C2 7 opened"]
    assert (created["time"], created["status_id"], created["unmapped"]["result"]) == (SOON, SUPPRESSED, "EXEMPT")


def test_an_exemption_that_begins_later_suppresses_the_finding_at_that_instant():
    company = leaver()
    assert company.add(Exempting().granted(starts=SOON)) == []
    (finding,) = company.tick(SOON + DAY)
    assert (finding["time"], finding["unmapped"]["result"]) == (SOON, "EXEMPT")


def test_an_exemption_begins_and_ends_each_at_its_instant_also_where_no_fact_comes_between():
    company = leaver()
    company.add(Exempting().granted(starts=SOON, expires=LATER))
    begun, ended = company.tick(LATER + DAY)
    assert [(each["time"], each["unmapped"]["result"]) for each in (begun, ended)] == [(SOON, "EXEMPT"), (LATER, "FAIL")]


def test_a_deadline_that_passes_during_an_exemption_moves_its_state_and_not_the_result():
    company = Company()
    company.policy(everyone(grace=grace(C2="24 hours")))
    company.staff("77", JO, ends=SOON)
    company.added("7", JO)
    company.add(Exempting().granted(expires=SOON + 5 * DAY))
    found = company.tick(SOON + 6 * DAY)
    assert [(each["time"], each["unmapped"]["result"], each["unmapped"]["sla_state"]) for each in found] == [
        (SOON, "EXEMPT", "due"),
        (SOON + DAY - DAY // 4, "EXEMPT", "critical"),
        (SOON + DAY, "EXEMPT", "failing"),
        (SOON + 5 * DAY, "FAIL", "failing"),
    ]


def test_an_exemption_that_ends_within_grace_is_due_again():
    company = Company()
    company.policy(everyone(grace=grace(C2="10 days")))
    company.staff("77", JO, ends=SOON)
    company.added("7", JO)
    company.add(Exempting().granted(expires=SOON + DAY))
    assert company.tick(SOON + 2 * DAY)[-1]["unmapped"]["result"] == "DUE"


def test_a_revocation_ends_an_exemption_at_its_date():
    company, exempting = leaver(), Exempting()
    company.add(exempting.granted())
    (finding,) = company.add(exempting.revoked(time=SOON))
    assert (finding["time"], finding["unmapped"]["result"]) == (SOON, "FAIL")


def test_it_is_exempt_while_any_of_several_grants_is_in_force_and_shows_the_one_that_ends_last():
    company = leaver()
    company.add(Exempting(id="x1").granted(expires=LATER))
    (finding,) = company.add(Exempting(id="x2").granted(expires=None))
    assert finding["unmapped"]["exemption"]["id"] == "x2"
    assert company.tick(LATER + DAY) == []
    assert company.results()["C2 7"] == "EXEMPT"


def test_pass_and_unknown_without_a_finding_stay_as_they_are():
    company = Company()
    company.added("7", JO)
    company.staff("77", JO)
    company.add(Exempting(check="C2").granted())
    company.add(Exempting(check="C4", id="x2").granted())
    assert (company.results()["C2 7"], company.results()["C4 7"]) == ("PASS", "UNKNOWN")


def test_a_check_that_passes_stays_so_beside_one_that_fails():
    company = leaver()
    company.add(Exempting(check="C1").granted())
    assert (company.results()["C1 7"], company.results()["C2 7"]) == ("PASS", "FAIL")


def test_a_workspace_without_a_policy_can_be_exempt():
    company = Company()
    company.added("7", JO)
    (finding,) = company.add(Exempting(check="C3", account=None).granted())
    assert (finding["unmapped"]["check"], finding["unmapped"]["result"], finding["comment"]) == (
        "C3", "EXEMPT", "they hand over until then",
    )  # fmt: skip
    (reopened,) = company.tick(LATER + DAY)
    assert (reopened["time"], reopened["unmapped"]["result"]) == (LATER, "FAIL")


def test_an_exemption_that_is_told_before_its_teammate_holds_when_they_come():
    company = Company()
    company.policy(everyone())
    company.staff("77", JO, ends=T0 + 5 * DAY)
    company.add(Exempting().granted())
    company.added("7", JO)
    assert company.results()["C2 7"] == "EXEMPT"


def test_an_exempt_finding_that_is_fixed_closes_as_any_other():
    company = leaver()
    company.add(Exempting().granted())
    (closed,) = company.removed("7", at=LOG)
    assert (closed["status_id"], closed["unmapped"]["closed_for"]) == (RESOLVED, "fixed")


def test_a_ledger_read_again_gives_the_same_bytes():
    company = leaver(role="Agent")
    exempting = Exempting()
    for fact in (
        exempting.granted(starts=SOON, expires=LATER),
        admin("admin.seen", "7", JO, at=SOON, role="Admin"),
        staff("9", JO),
    ):
        company.add(fact)
    company.tick(LATER + DAY)
    again = Company()
    again.process(company.log)
    assert [(each.topic, each.key, each.value) for each in again.sent] == [
        (each.topic, each.key, each.value) for each in company.sent
    ]
