"""C5: somebody answers for an account of no single person, and an external one has an end."""

import pytest

from schemas.access.facts import Classification, Fact
from schemas.ids import derived
from tests.support.company import APP, DAY, SECOND, T0, TENANT, Company, everyone, person_of, story

BOT = "bot@acme.example"
LOG = T0 + 10 * DAY
SOON = LOG + 60 * SECOND


def classified(kind: str, *, owner: str | None = None, expires: int | None = None, replaces: str | None = None) -> Fact:
    return Fact(
        id=derived("class", kind, owner, expires, replaces), tenant=TENANT, kind="account.classified", source="operator",
        basis="decided", app_id=APP, account="7", replaces=replaces,
        classification=Classification(kind=kind, owner=owner, expires=expires),
    )  # fmt: skip


def company_with(*facts: Fact) -> Company:
    company = Company()
    company.policy(everyone())
    company.staff("77", "jo@acme.example")
    company.added("7", BOT)
    for fact in facts:
        company.add(fact)
    return company


def row(company: Company) -> tuple[str, str] | None:
    """Return the result of C5 and its reason."""
    found = [each for each in company.states().values() if each["check"] == "C5"]
    assert len(found) <= 1
    return (found[0]["result"], found[0]["reason"]) if found else None


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"kind": "service"}, ("PASS", "governed")),
        ({"kind": "system"}, ("PASS", "governed")),
        ({"kind": "service", "owner": person_of("77")}, ("PASS", "governed")),
        ({"kind": "shared"}, ("FAIL", "shared_without_owner")),
        ({"kind": "shared", "owner": person_of("77")}, ("PASS", "governed")),
        ({"kind": "external"}, ("FAIL", "external_without_end")),
        ({"kind": "external", "expires": T0 + DAY}, ("FAIL", "external_ended")),
        ({"kind": "external", "expires": SOON}, ("PASS", "governed")),
        ({"kind": "external", "owner": person_of("unheard of")}, ("FAIL", "external_without_end")),
        ({"kind": "service", "owner": person_of("unheard of")}, ("UNKNOWN", "staff_not_known")),
        ({"kind": "person"}, None),
        ({"kind": "robot"}, None),
    ],
    ids=str,
)
def test_a_classified_account_has_an_owner_and_an_end_as_its_kind_needs(how, expected):
    assert row(company_with(classified(**how))) == expected


def test_an_account_that_is_not_classified_or_is_linked_has_no_answer():
    assert row(company_with()) is None
    company = company_with(classified("shared"))
    company.decided("account.linked", "7", staff=person_of("77"))
    assert row(company) is None


def test_a_persons_account_is_identified_as_if_it_were_not_classified():
    plain, company = company_with(), company_with(classified("person"))
    rows = [[each for each in one.states().values() if each["check"] == "C1"] for one in (plain, company)]
    assert rows[0] == rows[1]
    assert company_with(classified("robot")).ledger()[-1]["outcome"] == "void"


def test_case_8_an_account_whose_owner_leaves_raises_its_own_finding_at_that_instant():
    company = company_with(classified("service", owner=person_of("77")))
    company.staff("77", "jo@acme.example", at=LOG - DAY, ends=SOON)
    (finding,) = company.tick(SOON + DAY)
    assert story([finding]) == ["C5 7 opened"]
    assert (finding["time"], finding["unmapped"]["reason"], finding["unmapped"]["staff"]) == (SOON, "owner_left", person_of("77"))


def test_case_8_a_service_account_that_is_linked_to_a_person_later_is_that_persons():
    first = classified("shared")
    company = company_with(first)
    (closed,) = company.decided("account.linked", "7", staff=person_of("77"))
    assert story([closed]) == ["C5 7 closed not_applicable"]
    assert (company.results()["C1 7"], company.results()["C2 7"]) == ("PASS", "PASS")
    assert closed["evidences"][-1]["data"]["kind"] == "account.linked"  # the change of class is an event, and cited


def test_an_external_account_fails_at_the_instant_its_access_ends_and_passes_with_a_later_end():
    first = classified("external", expires=SOON)
    company = company_with(first)
    (finding,) = company.tick(SOON + DAY)
    assert (story([finding]), finding["time"], finding["unmapped"]["reason"]) == (["C5 7 opened"], SOON, "external_ended")
    assert story(company.add(classified("external", expires=SOON + 30 * DAY, replaces=first.id))) == ["C5 7 closed fixed"]


def test_an_end_that_moves_away_is_not_told_when_the_old_one_comes():
    first = classified("external", expires=SOON)
    company = company_with(first, classified("external", expires=SOON + 30 * DAY, replaces=first.id))
    assert company.tick(SOON + DAY) == []


def test_an_owner_decides_about_everything_again_when_their_record_arrives():
    company = company_with(classified("service", owner=person_of("88")))
    assert row(company) == ("UNKNOWN", "staff_not_known")
    company.staff("88", "al@acme.example", ends=T0 + DAY)
    assert row(company) == ("FAIL", "owner_left")


def test_the_first_of_several_failures_counts():
    company = company_with(classified("external", owner=person_of("77")))
    assert row(company) == ("FAIL", "external_without_end")
    company.staff("77", "jo@acme.example", at=T0 + DAY, ends=T0 + 2 * DAY)
    assert row(company) == ("FAIL", "owner_left")
