"""What a contact claims, from events as Intercom posts them."""

import pytest

from schemas.intercom.envelope import envelope
from schemas.profiles.identity import Claim, Key, Merge
from schemas.profiles.version import Rank, Version
from streams.core.identity.claims import COMPANIES, FOREIGN, changed_claim, claim
from streams.core.identity.claims import CONTACTS as CONTACTS_CLAIM
from streams.core.records.intercom.translate import translate
from streams.core.records.intercom.webhook_topics import COMPANIES as COMPANY_RULES
from streams.core.records.intercom.webhook_topics import CONTACTS, MERGED_AWAY
from streams.core.records.registers import NOTHING, edge_registers, join
from tests.support.intercom_bodies import ADA, APP, AT, company, contact, posted

RECORD = f"{APP}:{ADA}"


def registers(number=1, **fields):
    body = posted("contact.user.updated", contact(updated=AT * 1000 + number, **fields), number=number)
    return translate(CONTACTS["contact.user.updated"], envelope(body), f"e{number}")


def keys(**fields):
    return claim(RECORD, registers(**fields)).keys


def test_a_user_claims_its_id_its_address_and_its_number_in_normal_form():
    found = keys(role="user", external_id=" Ab-7 ", email=" Ada@Example.ORG ", phone="+353 86 123 4567")
    assert found == (Key("external_id", "Ab-7"), Key("email", "ada@example.org"), Key("phone", "+353861234567"))


@pytest.mark.parametrize("role", ["lead", None])
def test_only_a_user_claims_its_external_id(role):
    assert keys(role=role, external_id="65f0", email="ada@example.org") == (Key("email", "ada@example.org"),)


@pytest.mark.parametrize("fields", [{"email": None}, {"email": "no address"}, {"external_id": "  "}, {"phone": "0861234567"}])
def test_what_is_empty_or_has_no_normal_form_is_no_claim(fields):
    assert keys(role="user", **fields) == ()


def test_an_address_that_was_emptied_is_claimed_no_longer():
    both = join(registers(1, email="ada@example.org"), registers(2, email=None))
    assert claim(RECORD, both).keys == ()


def test_the_creation_time_is_cut_to_the_second():
    assert claim(RECORD, registers(created_at="2026-01-10T04:39:55.240Z")).created == 1768019995000


def test_a_merge_is_claimed_with_the_time_at_which_it_was_first_said():
    parts = []
    for number, at in ((5, AT + 9), (6, AT + 2)):
        survivor = contact("new", merged_from={"type": "contact", "id": ADA})
        parts.append(translate(MERGED_AWAY, envelope(posted("contact.merged", survivor, at=at)), f"e{number}"))
    first = Version(AT + 2, Rank.MERGE, 0, (AT + 2) * 1000, "e6")
    assert claim(RECORD, join(*parts)).merges == (Merge(f"{APP}:new", first),)


def test_a_claim_is_sent_at_first_sight_and_then_only_where_it_changed():
    first = registers(1, name="Ada")
    assert changed_claim(RECORD, NOTHING, first) == Claim()
    assert changed_claim(RECORD, first, join(first, registers(2, name="Bo"))) is None
    second = join(first, registers(2, email="ada@example.org"))
    assert changed_claim(RECORD, first, second) == Claim(keys=(Key("email", "ada@example.org"),))
    merged = translate(MERGED_AWAY, envelope(posted("contact.merged", contact("new"))), "m")
    assert changed_claim(RECORD, second, join(second, merged)) == claim(RECORD, join(second, merged))


@pytest.mark.parametrize("form", [CONTACTS_CLAIM, COMPANIES, FOREIGN["person"], FOREIGN["org"]])
def test_a_record_of_which_nothing_is_left_claims_not_even_that_it_exists(form):
    marked = edge_registers(Version(AT, 0, 0, 0, "e"), ["archived"], on=True)
    for before in (registers(email="ada@example.org"), marked):
        assert changed_claim(RECORD, before, NOTHING, form) == Claim.none(form.kind)
    assert changed_claim(RECORD, NOTHING, marked, form) == Claim(answer_to=form.kind), "a mark is something"


def company_claim(**fields):
    body = posted("company.updated", company(**fields))
    return claim(RECORD, translate(COMPANY_RULES["company.updated"], envelope(body), "e1"), COMPANIES)


def test_a_company_claims_its_own_id_and_the_domain_of_its_site():
    claimed = company_claim(
        company_id=" C-7 ", website="https://www.Engines.example.com/x", created_at="2026-01-10T04:39:55.240Z"
    )
    assert claimed.keys == (Key("company_id", "C-7"), Key("domain", "engines.example.com"))
    assert (claimed.created, claimed.answer_to) == (1768019995000, "company")


@pytest.mark.parametrize(
    "fields", [{}, {"company_id": "  "}, {"company_id": None, "website": "none"}, {"website": "http://10.0.0.1"}]
)
def test_a_company_without_id_and_site_claims_only_that_it_exists(fields):
    assert company_claim(**fields).keys == ()
