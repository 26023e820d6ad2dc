"""Which record's value a field has under each strategy, protection and priority."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.profiles.policies import FieldPolicy, ProfilePolicy
from tests.support.profiles.registers import POLICIES, RECORDS, edges, fields, joined, of_sources, org, person

ALL = ("*",)


CRM = joined(fields(2, name="Crm", phone="2"), fields(5, name="Crm5", phone=None, email="crm@a.org"))
ABC = joined(fields(1, name="Abc", role="lead"), fields(7, name="Abc7", phone="7"))


def test_overwrite_takes_the_latest_value_whatever_its_source():
    value = person(ProfilePolicy(strategy="overwrite"), crm_1=CRM, abc_1=ABC)
    assert (value["name"], value["phone"], value["email"]) == ("Abc7", "7", "crm@a.org")


def test_append_only_fills_what_no_source_overwrites_and_keeps_what_it_filled():
    value = person(ProfilePolicy(sources=of_sources(abc="append_only")), crm_1=CRM, abc_1=ABC)
    assert (value["name"], value["phone"], value["role"]) == ("Crm5", "7", "lead")
    alone = person(ProfilePolicy(strategy="append_only"), crm_1=CRM)
    assert (alone["name"], alone["phone"]) == ("Crm", "2")


def test_ignore_gives_what_the_first_record_was_created_with_and_nothing_later():
    policy = ProfilePolicy(strategy="ignore")
    value = person(policy, crm_1=CRM, abc_1=ABC)
    assert (value["name"], value["role"]) == ("Abc", "lead")
    assert "phone" not in value
    assert "email" not in value
    assert person(policy, crm_1=CRM)["phone"] == "2"


def test_a_record_that_is_not_the_first_gives_nothing_under_ignore():
    value = person(ProfilePolicy(sources=of_sources(crm="ignore")), crm_1=CRM, abc_1=ABC)
    assert (value["name"], value.get("email")) == ("Abc7", None)
    assert person(ProfilePolicy(sources=of_sources(abc="ignore")), crm_1=CRM, abc_1=ABC)["role"] == "lead"


def test_of_two_records_that_one_event_began_the_one_with_the_lesser_key_is_the_first():
    records = {"abc_1": fields(1, name="A"), "abc_2": fields(1, name="B", phone="2")}
    value = person(ProfilePolicy(strategy="ignore"), **records)
    assert (value["name"], value.get("phone")) == ("A", None)


@pytest.mark.parametrize(("strategy", "phone"), [("append_existing", "7"), ("overwrite_existing", "7")])
def test_for_existing_records_only_creates_no_profile_and_counts_once_another_source_does(strategy, phone):
    policy = ProfilePolicy(sources=of_sources(abc=strategy))
    assert person(policy, abc_1=ABC) is None
    assert person(policy, abc_1=ABC, abc_2=CRM) is None
    value = person(policy, abc_1=ABC, crm_1=fields(3, name="Crm"))
    assert (value["phone"], value["name"]) == (phone, "Crm" if strategy == "append_existing" else "Abc7")


def test_a_deleted_record_still_makes_its_profile_exist_and_one_merged_away_does_not():
    policy = ProfilePolicy(sources=of_sources(abc="overwrite_existing"))
    assert person(policy, abc_1=ABC, crm_1=joined(CRM, edges(9, "deleted")))["name"] == "Abc7"
    assert person(policy, abc_1=ABC, crm_1=joined(CRM, edges(9, "merged:2"))) is None


def test_protection_only_empty_fills_a_field_and_never_changes_it():
    policy = ProfilePolicy(fields=(FieldPolicy("name", only_empty=("abc",)), FieldPolicy("phone", only_empty=ALL)))
    assert person(policy, crm_1=CRM, abc_1=ABC)["name"] == "Crm5"
    assert person(policy, abc_1=ABC)["name"] == "Abc"
    assert person(policy, crm_1=CRM, abc_1=ABC)["phone"] == "2"


def test_protection_locked_keeps_what_the_profile_was_created_with():
    policy = ProfilePolicy(fields=(FieldPolicy("name", locked=ALL), FieldPolicy("phone", locked=ALL)))
    value = person(policy, crm_1=CRM, abc_1=ABC)
    assert (value["name"], value.get("phone"), value["email"]) == ("Abc", None, "crm@a.org")


def test_a_field_locked_for_one_source_may_be_changed_by_another():
    policy = ProfilePolicy(fields=(FieldPolicy("name", locked=("abc",)),))
    assert person(policy, crm_1=CRM, abc_1=ABC)["name"] == "Crm5"
    assert person(policy, abc_1=ABC)["name"] == "Abc"


def test_source_priority_goes_before_time_and_an_empty_value_does_not_compete():
    policy = ProfilePolicy(priority=("crm", "abc"))
    value = person(policy, crm_1=CRM, abc_1=ABC)
    assert (value["name"], value["phone"]) == ("Crm5", "7")
    for_name = ProfilePolicy(priority=("crm",), fields=(FieldPolicy("name", priority=("billing", "abc")),))
    assert person(for_name, crm_1=CRM, abc_1=ABC)["name"] == "Abc7"


def test_sources_without_a_place_come_last_together():
    policy = ProfilePolicy(priority=("abc",))
    assert (
        person(policy, crm_1=fields(9, name="Crm"), billing_1=fields(8, name="Bill"), abc_1=fields(1, name="Abc"))["name"]
        == "Abc"
    )
    assert person(policy, crm_1=fields(9, name="Crm"), billing_1=fields(8, name="Bill"))["name"] == "Crm"


def test_priority_decides_between_offers_of_one_strategy_only():
    policy = ProfilePolicy(priority=("abc", "crm"), sources=of_sources(abc="append_only"))
    assert person(policy, crm_1=CRM, abc_1=ABC)["name"] == "Crm5"


def test_the_exact_name_counts_before_patterns_and_of_patterns_the_longer():
    policy = ProfilePolicy(
        fields=(
            FieldPolicy("*", strategy="overwrite"),
            FieldPolicy("n*", locked=ALL),
            FieldPolicy("attributes.*", strategy="append_only"),
            FieldPolicy("attributes.plan", strategy="overwrite"),
        )
    )
    history = joined(
        fields(1, name="A", attributes__plan='"a"', attributes__x="1"),
        fields(2, name="B", attributes__plan='"b"', attributes__x="2"),
    )
    value = person(policy, abc_1=history)
    assert (value["name"], value["attributes"]) == ("A", {"plan": '"b"', "x": "1"})


def test_every_value_still_names_its_origin():
    value = person(ProfilePolicy(sources=of_sources(abc="append_only")), crm_1=CRM, abc_1=ABC)
    assert value["sources"][value["provenance"]["role"]] == {"record": "abc:1", "event": "e1", "time": 1000}
    assert value["sources"][value["provenance"]["name"]] == {"record": "crm:1", "event": "e5", "time": 5000}


TAGS = joined(
    fields(1, name="A"),
    edges(1, "tag:first"),
    edges(3, "tag:gone"),
    edges(4, "tag:gone", "tag:first", on=False),
    edges(5, "tag:now"),
)


@pytest.mark.parametrize(
    ("strategy", "tags"),
    [("overwrite", ["abc:now"]), ("append_only", ["abc:first", "abc:gone", "abc:now"]), ("ignore", ["abc:first"])],
)
def test_lists_have_what_all_records_offer_together_by_strategy(strategy, tags):
    assert person(ProfilePolicy(strategy=strategy), abc_1=TAGS)["tags"] == tags
    assert person(ProfilePolicy(fields=(FieldPolicy("tags", strategy=strategy),)), abc_1=TAGS)["tags"] == tags
    later = joined(fields(2, name="B"), edges(2, "tag:9"))
    expected = tags if strategy == "ignore" else sorted([*tags, "crm:9"])
    assert person(ProfilePolicy(strategy=strategy), abc_1=TAGS, crm_1=later)["tags"] == expected


def test_policies_hold_for_organisations_too():
    records = {"abc_1": fields(1, name="A", size=3), "crm_1": fields(2, name="B", size=4)}
    assert org(ProfilePolicy(priority=("abc",)), **records)["size"] == 3
    assert org(ProfilePolicy(sources=of_sources(abc="overwrite_existing")), abc_1=records["abc_1"]) is None


@given(RECORDS, POLICIES, st.randoms(use_true_random=False))
def test_neither_the_order_of_events_nor_that_of_records_decides_anything(records, policy, chance):
    shuffled = {}
    for key in chance.sample(sorted(records), len(records)):
        history = [*records[key], *chance.sample(records[key], len(records[key]) // 2)]
        chance.shuffle(history)
        shuffled[key.replace(":", "_")] = joined(*history)
    in_order = {key.replace(":", "_"): joined(*history) for key, history in records.items()}
    assert person(policy, **in_order) == person(policy, **shuffled)


@given(RECORDS)
def test_the_default_strategy_spelled_out_is_the_same_as_no_policy(records):
    registers = {key.replace(":", "_"): joined(*history) for key, history in records.items()}
    spelled = ProfilePolicy(fields=(FieldPolicy("*", strategy="overwrite"),))
    assert person(spelled, **registers) == person(**registers)
