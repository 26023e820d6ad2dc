"""Who is one person and one organisation: sentences of docs/profiles.md and docs/privacy.md, each over a history that proves it, in several orders and with repetitions."""

import pytest

from schemas.profiles.identity import BLOCKED, COMPANY_ID, DOMAIN
from tests.support.profile_laws.inputs import Erased
from tests.support.profiles.scenarios import (
    AT,
    attached,
    company,
    ended,
    event,
    item,
    key,
    merged,
    opted,
    outcomes,
    person_id,
    read,
    rules,
    saved,
    tagged,
    together,
)

X, Y = "ada@x.org", "ada@y.org"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), ("a1", "a2 b1")),  # b1 has an id, which nobody shares: its address does not count
        ((saved("b1", 5, external_id="7"),), ("a1 b1", "a2")),
        ((saved("b1", 5, external_id="0"),), ("a1", "a2 b1")),
        ((saved("b1", 5, external_id=""),), ("a1", "a2 b1")),
    ],
)
def test_with_next_a_key_counts_once_those_before_it_are_empty_or_blocked_and_no_longer(given, expected):
    people = (saved("a1", external_id="7", email=X), saved("a2", email=X), saved("b1", email=X))
    for found in outcomes([rules(mode="next"), *people, *given]):
        assert found.together() == together(*expected)


def test_a_value_that_is_blocked_while_it_links_two_parts_them_and_joins_them_again_as_they_were():
    people = [saved("a1", email="team@x.org", created_at=AT - 9), saved("b1", email="team@x.org", created_at=AT - 3)]
    blocking = rules(blocked=(*BLOCKED, "email:team@"))
    for found in outcomes([*people, blocking], in_order=True):
        assert (found.together(), found.agents.latest("people.aliases")) == (together("a1", "b1"), {})
    for found in outcomes([*people, blocking, rules()], in_order=True):
        assert [*found.people] == [person_id("a1")]


@pytest.mark.parametrize(
    ("after", "sizes"),
    [
        ((), [1] * 51),
        ((saved("a50", 9, email=Y),), [1, 50]),
        ((saved("a50", 9, email=Y), saved("a50", 12, email=X)), [1] * 51),
        ((ended("deleted", "a50", 9),), [1] * 51),
        ((merged("a0", "a50", 9, email=X),), [1] * 49 + [2]),
        ((Erased(key("a50")),), [50]),
    ],
)
def test_claimants_are_counted_whether_deleted_or_merged_away_and_erased_ones_not(after, sizes):
    (found, *_) = outcomes([*(saved(f"a{at}", email=X) for at in range(51)), *after])
    assert sorted(map(len, found.together())) == sizes


def test_a_contact_that_was_merged_away_is_connected_by_its_merges_alone():
    bridge = [saved("a1", email=X, created_at=AT - 9), saved("b1", email=X, external_id="7"), saved("a2", external_id="7")]
    for found in outcomes([*bridge, merged("b2", "b1", 5, external_id="7")]):
        assert found.together() == together("a1", "a2 b1 b2")
        assert found.statuses("b1") == {"a2": "active", "b1": "merged", "b2": "active"}


def test_what_intercom_says_of_a_contact_after_its_merge_is_superseded_whatever_it_is():
    late = [
        saved("a1", 9, name="late", email=Y, external_id="5"),
        tagged("a1", "t1", 9),
        attached("a1", "k1", 9),
        opted("a1", "s1", 9),
        ended("deleted", "a1", 9),
    ]
    others = [saved("b2", email=Y), saved("b3", external_id="5")]
    for found in outcomes([saved("a1", email=X, name="old"), merged("a2", "a1", 1, name="new"), *late, *others]):
        person = found.person("a1")
        assert found.together() == together("a1 a2", "b2", "b3")
        assert [person[name] for name in ("name", "email", "tags", "companies", "unsubscribed", "status")] == [
            "new", None, [], [], [], "active",
        ]  # fmt: skip
        assert found.agents.latest("memberships") == {}


def test_a_survivor_of_which_nothing_is_known_connects_and_founds_the_person_once_it_is_known():
    merges = [read(name, 0, 9, "merged", merged_at=AT + 1)._replace(successor="a9") for name in ("a1", "a2")]
    people = [saved("a1", created_at=AT - 9, name="1"), saved("a2", created_at=AT - 5), *merges]
    for found in outcomes(people):
        person = found.person("a1")
        assert (found.together(), person["id"], person["status"], person["name"]) == (
            together("a1 a2"),
            person_id("a1"),
            "merged",
            None,
        )
    for found in outcomes([*people, saved("a9", 3, created_at=AT - 20, name="9")]):
        assert (found.person("a1")["id"], found.person("a1")["name"]) == (person_id("a9"), "9")


def test_a_lead_that_becomes_a_user_claims_its_id_from_then_on_and_no_longer_once_it_is_a_lead_again():
    lead = [saved("a1", role="lead", external_id="made-up"), saved("b1", external_id="9"), saved("b2", external_id="made-up")]
    signed_up = event("contact.lead.signed_up", "a1", 2, item("a1", 2, role="user", external_id="9"))
    for found in outcomes([*lead, signed_up]):
        assert found.together() == together("a1 b1", "b2")
    for found in outcomes([*lead, signed_up, saved("a1", 4, role="lead")]):
        assert found.together() == together("a1", "b1", "b2")
    for found in outcomes([saved("a1", role=None, external_id="9"), saved("b1", external_id="9")]):
        assert found.together() == together("a1", "b1")


def test_organisations_join_by_id_and_by_domain_where_rules_have_it_and_never_by_a_value_that_means_none():
    sites = (
        "https://www.X-Works.org/about",
        "x-works.org:8080",
        "https://sub.x-works.org",
        "facebook.com/x",
        "https://facebook.com/y",
    )
    companies = [company(f"ak{at}", website=site) for at, site in enumerate(sites)]
    ids = [
        company("ak7", company_id=77),
        company("bk7", company_id=" 77 "),
        company("ak8", company_id="Undefined"),
        company("bk8", company_id="undefined"),
    ]
    for found in outcomes([rules("org", keys=(COMPANY_ID, DOMAIN)), *companies, *ids]):
        joined = {frozenset(each["key"].partition(":")[2] for each in value["records"]) for value in found.orgs.values()}
        assert joined == together("ak0 ak1", "ak2", "ak3", "ak4", "ak7 bk7", "ak8", "bk8")
