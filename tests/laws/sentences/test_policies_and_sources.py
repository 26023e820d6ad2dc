"""Policies, other systems and erasures: sentences of docs/profiles.md and docs/privacy.md, each over a history that proves it, in several orders and with repetitions."""

import pytest

from schemas.profiles.policies import FieldPolicy, SourceStrategy
from tests.support.profile_laws.inputs import Erased, Withdrawal
from tests.support.profiles.scenarios import (
    AT,
    ended,
    key,
    merged,
    outcomes,
    person_id,
    policy,
    read,
    record,
    saved,
    together,
)

X, Y = "ada@x.org", "ada@y.org"


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        ("attributes.a?c", {"abc", "a.c", "a*c", "a\nc", "ac", "Ac"}),
        ("attributes.[a]*", {"abc", "a.c", "a*c", "a\nc", "ac", "Ac"}),
        ("attributes.a.c", {"abc", "a*c", "a\nc", "ac", "Ac"}),
        ("attributes.a*c", {"Ac"}),
    ],
)
def test_a_star_stands_for_any_characters_and_no_other_character_is_special(pattern, kept):
    attributes = dict.fromkeys(("abc", "a.c", "a*c", "a\nc", "ac", "Ac"), 1)
    for found in outcomes([policy(deny=(pattern,)), saved("a1", custom_attributes=attributes)]):
        assert found.person("a1")["attributes"].keys() == kept


def test_the_exact_name_counts_then_the_longest_pattern_and_each_has_its_own_order_of_sources():
    fields = (
        FieldPolicy("*.plan*", priority=("crm",)),
        FieldPolicy("attributes.*", priority=("billing",)),
        FieldPolicy("attributes.plan", priority=("other999",)),
    )
    attributes = ("plan", "tier", "planet")
    given = [
        saved("a1", 9, email=X, name="a", custom_attributes=dict.fromkeys(attributes, "a")),
        saved("b1", 99, email=X, name="b", custom_attributes=dict.fromkeys(attributes, "b")),
        *(
            record(f"{source}:p1", fields={"email": X, "name": source}, attributes=dict.fromkeys(attributes, source))
            for source in ("crm", "billing")
        ),
    ]
    for found in outcomes([policy(priority=("crm",), fields=fields), *given]):
        person = found.person("a1")
        assert (person["name"], person["attributes"]) == ("crm", {"plan": '"b"', "tier": '"billing"', "planet": '"billing"'})


def test_a_profile_exists_by_a_record_that_creates_deleted_or_not_and_by_none_that_was_merged_away():
    adding = policy(sources=(SourceStrategy("billing", "append_existing"), SourceStrategy("crm", "overwrite_existing")))
    alone = [record("billing:p1", fields={"email": Y}), record("crm:p1", fields={"email": Y})]
    of_deleted = [saved("a1", email=X), ended("deleted", "a1", 5), record("crm:p2", fields={"email": X})]
    for found in outcomes([adding, *alone, *of_deleted]):
        assert found.together() == together("a1 crm:p2")
    for found in outcomes([adding, saved("a1", email=X), merged("a2", "a1", 1), record("crm:p2", fields={"email": X})]):
        assert found.together() == together("a1 a2")


def test_who_enters_and_leaves_the_selection_has_one_change_for_each_however_often_an_event_comes():
    plans = [None, "pro", "pro", "free", "free", "pro"]
    given = [saved("a1", at, name=f"n{at}", custom_attributes={"plan": plan}) for at, plan in enumerate(plans)]
    selecting = policy(select='has(person.attributes.plan) && person.attributes.plan == "pro"')
    for found in outcomes([selecting, *given], in_order=True):
        flags = [(change["selection"], change["created"]) for change in found.agents.changes()]
        assert flags == [("entered", False), (None, False), ("left", False), ("entered", False)]


def test_a_denied_address_links_nobody_and_links_again_once_it_is_allowed_and_comes_again():
    people = [saved("a1", email=X, created_at=AT - 9), saved("b1", email=X, created_at=AT - 3)]
    for found in outcomes([*people, policy(1, deny=("email",)), policy(2)], in_order=True):
        assert (found.together(), found.person("a1")["email"]) == (together("a1", "b1"), None)
    again = [saved("a1", 5, email=X), saved("b1", 5, email=X)]
    for found in outcomes([*people, policy(1, deny=("email",)), policy(2), *again], in_order=True):
        assert (found.together(), [*found.people]) == (together("a1 b1"), [person_id("a1")])


def test_a_withdrawn_source_counts_nowhere_and_a_record_that_is_sent_again_has_all_it_ever_asserted():
    given = [
        saved("a1", email=X),
        saved("b1", external_id="7"),
        record(
            "crm:p1", fields={"email": X, "external_id": "7", "city": "Ulm", "unsubscribed_from_emails": True}, orgs=["crm:o1"]
        ),
        record("crm:o1", kind="org", fields={"name": "O"}),
        Withdrawal("crm", 1),
    ]
    for found in outcomes(given, in_order=True):
        assert (found.together(), found.orgs, found.agents.latest("memberships")) == (together("a1", "b1"), {}, {})
        assert (found.person("a1")["city"], found.person("a1")["email_allowed"]) == (None, True)
    for found in outcomes([*given, record("crm:p1", -99, fields={"phone": "1"})], in_order=True):
        person = found.person("a1")
        assert found.together() == together("a1 b1 crm:p1")
        assert (person["city"], person["phone"], person["email_allowed"]) == ("Ulm", "1", False)


def test_an_erased_contact_names_nobody_links_nobody_and_its_address_may_come_again_as_somebody_else():
    old = [
        saved("a1", email=X, name="old", unsubscribed_from_emails=True, created_at=AT - 99),
        saved("a2", email=X, created_at=AT + 99),
    ]
    again = [Erased(key("a1")), read("a1", 0, 9, "listed", name="old", email=X), merged("a2", "a1", 3, email=X)]
    for found in outcomes([*old, *again]):
        person = found.person("a2")
        assert (found.together(), person["id"], found.agents.latest("people.aliases")) == (together("a2"), person_id("a2"), {})
        assert (person["name"], person["email_allowed"]) == (None, True)
    for found in outcomes([saved("a1"), merged("a9", "a1", 1), merged("a9", "a3", 2), saved("a3"), Erased(key("a9"))]):
        assert (found.together(), found.person("a1")["status"]) == (together("a1 a3"), "merged")
