"""Who is meant: addresses, accounts, sources, roles and owners under several names."""

import json

import msgspec
import pytest

from schemas.access.facts import Admin, Classification, Fact, Rule
from schemas.ids import derived
from streams.core.access.state.row_kinds.rules_rows import ALL
from tests.streams.core.access.coincidences.histories import JO, LATE, S, answer, asserted, company_of, events, leaver
from tests.support.company import APP, DAY, T0, Company, admin, decision, person_of, roles, settings, story

AGENTS = Rule(app_id=APP, validity="intercom_roles", intercom_roles={"Support": ("Agent",)})


def test_another_account_of_the_same_address_is_another_subject():
    company = leaver()
    company.removed("7", at=T0 + 6 * DAY)
    found = company.added("8", JO, at=T0 + 7 * DAY)
    assert (story(found), found[0]["time"]) == (["C2 8 opened"], T0 + 7 * DAY)
    assert len({each["finding_info"]["uid_alt"] for each in company.findings() if each["unmapped"]["check"] == "C2"}) == 2


@pytest.mark.parametrize(
    ("address", "known"),
    [
        ("JO@ACME.Example", JO), (" jo@acme.example ", JO), ("jo@b\u00fccher.example", "jo@xn--bcher-kva.example"),
        ("jo@bu\u0308cher.example", "jo@B\u00dcCHER.example"), ("j\u00f6rg@acme.example", "jo\u0308rg@acme.example"),
    ],
)  # fmt: skip
def test_spellings_of_one_address_name_one_person(address: str, known: str):
    company = company_of()
    company.staff("77", known)
    company.added("7", address)
    assert company.results()["C1 7"] == "PASS"


def test_no_precedence_and_no_other_source_takes_an_end_back():
    company = Company()
    first = settings(workspaces=(APP,), further={"rules": json.dumps(ALL[-1])})
    assert first.settings is not None
    company.add(msgspec.structs.replace(first, settings=msgspec.structs.replace(first.settings, precedence=("idp", "hr"))))
    company.policy(roles("Support"))
    company.staff("77", JO, roles=("Support",))
    company.staff("a", JO, roles=("Sales",), source="idp")
    company.added("7", JO)
    assert answer(company, "C4")[:2] == ("FAIL", "role_not_valid")  # the role is that of the first source
    company.staff("77", JO, at=T0 + DAY, ends=T0 + 2 * DAY)
    company.staff("a", JO, at=T0 + 3 * DAY, status="active", source="idp")
    assert answer(company, "C2") == ("FAIL", "employment_ended", T0 + 2 * DAY)


def test_a_role_is_known_by_its_id_whatever_it_is_called_and_by_its_name_only_as_it_is_called_now():
    for allowed, result in (("r-1", "PASS"), ("Agent", "FAIL")):
        company = company_of(Rule(app_id=APP, validity="intercom_roles", intercom_roles={"Support": (allowed,)}))
        company.staff("77", JO, roles=("Support",))
        given = Admin(role_id="r-1", role_name="Agent"), Admin(role_id="r-1", role_name="Support Agent")
        company.add(msgspec.structs.replace(admin("admin.added", "7", JO), admin=given[0]))
        assert company.results()["C4 7"] == "PASS"
        company.add(msgspec.structs.replace(admin("admin.seen", "7", at=S), admin=given[1]))
        assert company.results()["C4 7"] == result


def test_a_payload_without_the_role_downgrades_nobody():
    company = company_of(AGENTS)
    company.staff("77", JO, roles=("Support",))
    company.added("7", JO, role="Admin")
    assert company.seen("7", JO, at=S) == []
    assert answer(company, "C4")[:2] == ("FAIL", "intercom_role_not_allowed")


def test_a_classification_of_another_kind_changes_the_reason_of_the_same_finding():
    company = company_of()
    company.added("7", "box@acme.example")
    made = [classified("shared", None)]
    made += [classified("external", made[0].id), classified("service", made[0].id)]
    made[2] = classified("service", made[1].id)
    shown = [story(company.add(fact)) for fact in made]
    assert shown == [["C1 7 closed fixed", "C5 7 opened"], ["C5 7 updated"], ["C5 7 closed fixed"]]


def test_an_owner_named_by_one_source_has_left_by_another():
    company = company_of()
    company.staff("77", JO)
    company.staff("a", JO, source="idp")
    company.added("7", "box@acme.example")
    owned = Classification(kind="shared", owner=person_of("a", "idp"))
    company.add(msgspec.structs.replace(decision("account.classified", "7"), classification=owned))
    company.add(asserted(S, ends=LATE))
    assert events(company.tick(LATE), "C5") == [(1, LATE, "FAIL")]


def classified(kind: str, replaces: str | None) -> Fact:
    made = decision("account.classified", "7", replaces)
    return msgspec.structs.replace(made, id=derived(kind, replaces), classification=Classification(kind=kind))
