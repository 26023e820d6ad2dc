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
