"""Who owns an account, and which leavers it names: which rule comes first, and when none of several candidates is picked."""

import pytest

from streams.core.access.checks.matching import Match, match, named_leavers
from streams.core.access.state.addresses import forms, related, translated, untagged
from streams.core.access.state.directory import Directory
from streams.core.access.state.tenant import TenantState
from streams.core.normal_forms.addresses import normal
from tests.support.company import APP, DAY, T0, TENANT, Company, person_of, settings

ALIASES = {"b.example": "a.example"}


def company_with(address: str, **staff_addresses: tuple[str, ...]) -> Company:
    company = Company()
    for record, addresses in staff_addresses.items():
        company.staff(record.removeprefix("r"), *addresses)
    company.added("7", address)
    return company


def match_of(company: Company) -> Match:
    state = TenantState(company.table, TENANT)
    account = state.accounts.get(APP, "7")
    assert account is not None
    return match(account, Directory(state), state.log.now)


def leavers_of(company: Company) -> list[str]:
    state = TenantState(company.table, TENANT)
    account = state.accounts.get(APP, "7")
    assert account is not None
    return [person.id for person in named_leavers(account, Directory(state), state.log.now)]


def found(of: Match) -> tuple[str, list[str]]:
    return of.by, [candidate.person.id for candidate in of.candidates]


def test_an_exact_address_comes_before_an_alias_domain():
    company = company_with("jo@b.example", r1=("jo@a.example",))
    assert found(match_of(company)) == ("none", [])
    company.add(settings(aliases=ALIASES))
    assert found(match_of(company)) == ("alias", [person_of("1")])
    company.staff("3", "jo@b.example")
    assert found(match_of(company)) == ("address", [person_of("3")])


def test_aliases_translate_the_directorys_address_too():
    company = company_with("jo@a.example", r1=("jo@b.example",))
    company.add(settings(aliases=ALIASES))
    assert found(match_of(company)) == ("alias", [person_of("1")])


def test_several_candidates_are_listed_and_none_is_picked():
    of = match_of(company_with("jo@a.example", r1=("jo@a.example",), r0=("jo@a.example",)))
    assert of.owner is None
    assert set(found(of)[1]) == {person_of("0"), person_of("1")}


def test_an_account_keeps_its_owner_when_either_address_is_renamed():
    company = company_with("jo@a.example", r1=("jo@a.example",))
    company.seen("7", "jo.new@a.example", at=T0 + DAY)
    assert found(match_of(company)) == ("former", [person_of("1")])
    company.staff("1", "j.smith@a.example", at=T0 + 2 * DAY)
    assert found(match_of(company)) == ("former", [person_of("1")])
    company.staff("2", "jo.new@a.example")
    assert found(match_of(company)) == ("address", [person_of("2")])


def test_a_plus_tag_is_a_hint_and_no_match():
    of = match_of(company_with("jo+x@a.example", r1=("jo@a.example",)))
    assert (found(of), [person.id for person in of.hints]) == (("none", []), [person_of("1")])


def test_nobody_matches_an_account_without_an_address():
    company = Company()
    company.staff("1", "jo@a.example")
    company.seen("7")
    assert found(match_of(company)) == ("none", [])


def test_a_leaver_is_named_by_every_address_that_either_side_ever_had():
    company = company_with("jo@a.example", r1=("jo@a.example",))
    company.staff("1", "jo@a.example", at=T0 + DAY, ends=T0 + DAY)
    assert leavers_of(company) == [person_of("1")]
    company.seen("7", "jo.new@a.example", at=T0 + 2 * DAY)
    company.staff("1", "j.smith@a.example", at=T0 + 2 * DAY, ends=T0 + DAY)
    assert leavers_of(company) == [person_of("1")]
    company.staff("1", "j.smith@a.example", at=T0 + 3 * DAY)
    assert leavers_of(company) == []


def test_addresses_are_related_when_they_share_a_form():
    assert translated("jo@b.example", ALIASES) == "jo@a.example"
    assert forms("jo@b.example", ALIASES) == {"jo@b.example", "jo@a.example"}
    assert related("jo@a.example", ALIASES) == related("jo@b.example", ALIASES) == {"jo@b.example", "jo@a.example"}
    assert related("jo@c.example", ALIASES) == {"jo@c.example"}


@pytest.mark.parametrize(
    ("address", "form"),
    [
        (" Jo.Lind@Acme.Example ", "jo.lind@acme.example"),
        ("jo@Bücher.example", "jo@xn--bcher-kva.example"),
        ("JO+Tag@acme.example", "jo+tag@acme.example"),
        ("jo@intranet", "jo@intranet"),
        ("jo@acme.test", "jo@acme.test"),
        ("e\u0301@acme.example", "é@acme.example"),
        ("", None), ("jo", None), ("jo@", None), ("@acme.example", None), ("a b@acme.example", None), ("jo@@acme.example", None),
    ],
)  # fmt: skip
def test_an_address_has_one_comparable_form_or_none(address: str, form: str | None):
    assert normal(address) == form


def test_an_untagged_address_is_the_one_before_the_plus():
    assert untagged("jo+x+y@acme.example") == "jo@acme.example"
    assert untagged("jo@acme.example") is None
    assert untagged("+x@acme.example") is None
