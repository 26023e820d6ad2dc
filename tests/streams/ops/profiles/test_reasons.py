"""Why a profile has each of its values: of one record whose policy does not take its latest value, and of an end."""

import pytest

from schemas.profiles.policies import FieldPolicy, ProfilePolicy
from streams.core.profiles.offers import offers_of
from streams.ops.profiles.reasons import field_reasons
from tests.support.profiles.registers import edges, fields, joined, keyed, person

RECORD = joined(fields(1, name="First", role="user"), fields(2, name="Last"))


def reasons(policy, **records):
    value = person(policy, **records)
    return {each.field: (each.value, each.reason) for each in field_reasons(value, keyed(records), offers_of(policy))}


def test_the_latest_value_of_the_only_record_is_said_to_be_its_latest():
    value, reason = reasons(ProfilePolicy(), abc_1=RECORD)["name"]
    assert (value, reason.startswith("the record's latest value")) == ("Last", True)


@pytest.mark.parametrize(
    "policy",
    [
        ProfilePolicy(strategy="append_only"),
        ProfilePolicy(strategy="ignore"),
        ProfilePolicy(fields=(FieldPolicy("name", locked=("*",)),)),
    ],
)
def test_an_earlier_value_of_the_only_record_is_said_to_be_the_policys_choice(policy):
    value, reason = reasons(policy, abc_1=RECORD)["name"]
    assert (value, reason) == ("First", "chosen by a policy from the values of all records, earlier ones too")


def test_what_says_that_a_profile_has_ended_is_no_choice_of_a_policy():
    found = reasons(ProfilePolicy(), abc_1=joined(RECORD, edges(3, "archived")))
    assert {found[name][1] for name in ("status", "archived_at", "archived_because")} == {
        "all records have ended, and this was the last one"
    }


def test_a_record_that_was_merged_away_decides_neither_a_value_nor_consent_of_those_that_are_deleted():
    deleted = joined(fields(1, name="First", unsubscribed_from_emails=True), edges(9, "deleted"))
    found = reasons(ProfilePolicy(), abc_1=deleted, abc_2=joined(fields(5, name="Merged"), edges(6, "merged:abc:1")))
    assert (found["name"][0], found["name"][1].startswith("the only value")) == ("First", True)
    assert found["email_allowed"] == (False, "the most restrictive consent of 1 record")


def test_of_deleted_records_alone_the_older_value_is_older_and_not_that_of_a_deleted_record():
    records = {
        "abc_1": joined(fields(1, name="Old"), edges(9, "deleted")),
        "abc_2": joined(fields(5, name="New"), edges(8, "deleted")),
    }
    (name,) = [each for each in field_reasons(person(**records), keyed(records)) if each.field == "name"]
    assert (name.value, name.reason) == ("New", "the latest of 2 records that have a value")
    assert [(other.value, other.note) for other in name.others] == [("Old", "older")]
