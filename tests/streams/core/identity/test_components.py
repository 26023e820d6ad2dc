"""Who is one person: by histories, and against the naive oracle over random claims."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.activities.messages import VALUE_KIND
from schemas.profiles.identity import Claim, IdentityRules, Key, Merge
from streams.core.identity.components import Linker
from streams.core.identity.rules import LinkingKeys
from tests.support.identity.claim_sets import EVERYBODY, RULES, ClaimSet, random_claim, version
from tests.support.identity.oracle import people

DEFAULT = IdentityRules()


def mail(address, **fields):
    return Claim(keys=(Key("email", address),), **fields)


def groups(claims, rules=DEFAULT):
    """Return the people as lists of records."""
    return [list(component.records) for component in Linker(LinkingKeys(rules), ClaimSet(claims)).components(claims)]


def founders(claims, rules=DEFAULT):
    return {
        record: (component.founder, component.ignored.get(record, ()))
        for component in Linker(LinkingKeys(rules), ClaimSet(claims)).components(claims)
        for record in component.records
    }


def test_a_shared_address_makes_one_person_over_several_workspaces():
    assert groups({"ws1:a": mail("ada@a.org"), "ws2:b": mail("ada@a.org"), "ws1:c": mail("bo@a.org")}) == [
        ["ws1:a", "ws2:b"],
        ["ws1:c"],
    ]


def test_links_reach_over_others():
    both = Claim(keys=(Key("external_id", "7"), Key("email", "ada@a.org")))
    claims = {"w:a": mail("ada@a.org"), "w:b": both, "w:c": Claim(keys=(Key("external_id", "7"),))}
    assert groups(claims) == [["w:a", "w:b", "w:c"]]


def test_with_the_mode_next_only_the_first_key_there_is_links():
    both = Claim(keys=(Key("external_id", "7"), Key("email", "ada@a.org")))
    claims = {"w:a": mail("ada@a.org"), "w:b": both, "w:c": Claim(keys=(Key("external_id", "7"),)), "w:d": mail("ada@a.org")}
    assert groups(claims, IdentityRules(mode="next")) == [["w:a", "w:d"], ["w:b", "w:c"]]


def test_a_blocked_value_is_as_if_it_were_not_there():
    claims = {f"w:{at}": Claim(keys=(Key("external_id", "null"), Key("email", "ada@a.org"))) for at in "ab"}
    rules = IdentityRules(mode="next", blocked=("external_id:null",))
    assert groups(claims, rules) == [["w:a", "w:b"]]
    assert groups({name: Claim(keys=claim.keys[:1]) for name, claim in claims.items()}, rules) == [["w:a"], ["w:b"]]


@pytest.mark.parametrize("entry", ["email:test@a.org", "email:test@", "email:@a.org"])
def test_addresses_are_blocked_by_value_by_name_and_by_domain(entry):
    claims = {"w:a": mail("test@a.org"), "w:b": mail("test@a.org")}
    assert groups(claims, IdentityRules(blocked=())) == [["w:a", "w:b"]]
    assert groups(claims, IdentityRules(blocked=(entry,))) == [["w:a"], ["w:b"]]


def test_an_address_of_51_records_links_nobody_and_one_of_50_all():
    claims = {f"w:{number:02}": mail("ada@a.org") for number in range(51)}
    assert len(groups(claims)) == 51
    del claims["w:33"]
    assert len(groups(claims)) == 1


def test_a_merge_links_and_takes_the_keys_of_the_contact_merged_away_out_of_play():
    merged = mail("ada@a.org", merges=(Merge("w:u", version(1)),))
    claims = {"w:l": merged, "w:u": mail("bo@a.org"), "w:x": mail("ada@a.org")}
    assert groups(claims) == [["w:l", "w:u"], ["w:x"]]


def test_contacts_merged_into_one_that_is_not_known_yet_are_one_person():
    claims = {name: Claim(merges=(Merge("w:u", version(1)),)) for name in ("w:a", "w:b")}
    assert groups(claims) == [["w:a", "w:b"]]


def test_a_chain_of_merges_is_one_person():
    claims = {"w:a": Claim(merges=(Merge("w:b", version(1)),)), "w:b": Claim(merges=(Merge("w:c", version(2)),)), "w:c": Claim()}
    assert groups(claims) == [["w:a", "w:b", "w:c"]]


def test_a_cycle_of_merges_ignores_its_newest_edge_and_that_record_lives_on():
    claims = {
        "w:a": mail("ada@a.org", merges=(Merge("w:b", version(1)),)),
        "w:b": mail("bo@a.org", merges=(Merge("w:a", version(2)),)),
        "w:x": mail("ada@a.org"),
        "w:y": mail("bo@a.org"),
    }
    assert groups(claims) == [["w:a", "w:b", "w:y"], ["w:x"]]
    assert founders(claims)["w:b"] == ("w:a", ("w:a",))


def test_a_contact_merged_into_itself_is_not_merged_away():
    claims = {"w:a": mail("ada@a.org", merges=(Merge("w:a", version(1)),)), "w:b": mail("ada@a.org")}
    assert groups(claims) == [["w:a", "w:b"]]


def test_the_oldest_record_founds_the_person_then_the_key_decides_and_no_time_comes_last():
    claims = {"w:a": mail("ada@a.org"), "w:b": mail("ada@a.org", created=2000), "w:c": mail("ada@a.org", created=2000)}
    assert {founder for founder, _ in founders(claims).values()} == {"w:b"}


@pytest.mark.parametrize("created", [None, 1000])
def test_what_activities_name_by_a_value_parts_nobody_and_names_nobody(created):
    records = {f"{app}:z": mail("ada@a.org", created=created) for app in ("a", "b")}
    for number in (1, 2, 3):
        named = {f"a:@email:{at}": mail("ada@a.org", answer_to=VALUE_KIND) for at in range(number)}
        found = founders(records | named, IdentityRules(limit=2))
        assert {found[record][0] for record in records} == {"a:z"}
        assert {found[each][0] for each in named} == ({"a:z"} if number < 3 else {*named})


def test_a_newer_record_that_joins_never_changes_the_founder():
    claims = {"w:b": mail("ada@a.org", created=1000), "w:a": mail("ada@a.org", created=2000)}
    assert {founder for founder, _ in founders(claims).values()} == {"w:b"}


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 1_000_000), st.sampled_from(RULES), st.integers(1, len(EVERYBODY)))
def test_the_oracle_agrees_on_any_set_of_claims(seed, rules, size):
    chance = Random(seed)
    claims = {record: random_claim(record, chance) for record in chance.sample(EVERYBODY, size)}
    assert founders(claims, rules) == people(claims, rules)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1_000_000), st.sampled_from(RULES), st.integers(1, 25))
def test_placing_only_who_is_touched_gives_the_same_as_looking_at_everybody(seed, rules, length):
    chance = Random(seed)
    claims, placed = {}, {}
    for _ in range(length):
        record = chance.choice(EVERYBODY)
        claim = random_claim(record, chance)
        touched = Linker(LinkingKeys(rules), ClaimSet(dict(claims))).touched(record, claims.get(record), claim)
        claims[record] = claim
        for component in Linker(LinkingKeys(rules), ClaimSet(claims)).components(touched):
            placed |= {each: (component.founder, component.ignored.get(each, ())) for each in component.records}
        assert placed == people(claims, rules)
