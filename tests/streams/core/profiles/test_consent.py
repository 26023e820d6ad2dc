"""Consent per channel with its source: the most restrictive of all records, whatever a policy says about values."""

import pytest

from schemas.profiles.policies import FieldPolicy, ProfilePolicy, SourceStrategy
from tests.support.profiles.registers import edges, fields, joined, org, person

OPTED_OUT = fields(1, unsubscribed_from_emails=True)
OPTED_IN = fields(5, unsubscribed_from_emails=False, sms_consent=True, unsubscribed_from_sms=False)


def allowed(value):
    return value["email_allowed"], value["sms_allowed"]


def source_of(value, name):
    return value["sources"][value["provenance"][name]]


def test_permissions_at_creation_are_email_yes_and_sms_no():
    assert allowed(person(abc_1=fields(1, name="A"))) == (True, False)


@pytest.mark.parametrize("email", [True, False])
@pytest.mark.parametrize("sms", [True, False])
def test_permissions_at_creation_are_the_policys_and_no_policy_changes_a_statement(email, sms):
    policy = ProfilePolicy(email=email, sms=sms)
    assert allowed(person(policy, abc_1=fields(1, name="A"))) == (email, sms)
    assert allowed(person(policy, abc_1=OPTED_IN)) == (True, True)
    assert allowed(person(policy, abc_1=joined(OPTED_OUT, fields(1, sms_consent=False)))) == (False, False)
    assert allowed(person(policy, abc_1=OPTED_IN, abc_2=fields(1, name="A"))) == (email, sms)


def test_the_most_restrictive_record_wins_and_is_named_as_the_source():
    value = person(abc_1=OPTED_IN, crm_1=OPTED_OUT)
    assert value["email_allowed"] is False
    assert source_of(value, "email_allowed")["record"] == "crm:1"


def test_a_statement_that_was_emptied_still_holds():
    assert allowed(person(abc_1=joined(OPTED_OUT, fields(9, unsubscribed_from_emails=None)))) == (False, False)
    assert allowed(person(abc_1=joined(OPTED_IN, fields(9, sms_consent=None)))) == (True, True)


def test_a_deleted_records_refusal_holds_and_that_of_one_merged_away_is_its_successors_business():
    assert person(abc_1=OPTED_IN, abc_2=joined(OPTED_OUT, edges(9, "deleted")))["email_allowed"] is False
    assert person(abc_1=OPTED_IN, abc_2=joined(OPTED_OUT, edges(9, "merged:1")))["email_allowed"] is True


def test_a_deleted_record_without_a_statement_does_not_forbid():
    assert allowed(person(abc_1=OPTED_IN, abc_2=joined(fields(1, name="A"), edges(9, "deleted")))) == (True, True)


@pytest.mark.parametrize("strategy", ["ignore", "append_existing", "overwrite_existing"])
def test_consent_counts_for_every_source_and_strategy(strategy):
    policy = ProfilePolicy(
        sources=(SourceStrategy("crm", strategy),), fields=(FieldPolicy("*", locked=("*",)),), deny=("*",), priority=("abc",)
    )
    assert person(policy, abc_1=OPTED_IN, crm_1=OPTED_OUT)["email_allowed"] is False


def test_a_subscription_opted_out_of_is_in_no_list_of_those_subscribed_to():
    value = person(abc_1=edges(5, "subscription:s", "subscription:t"), abc_2=edges(1, "subscription:s", on=False))
    assert (value["subscribed"], value["unsubscribed"]) == (["abc:t"], ["abc:s"])
    assert "subscribed.abc:s" not in value["provenance"]


def test_archive_on_delete_keeps_a_deleted_person_as_archived():
    records = {"abc_1": joined(fields(1, name="A"), edges(9, "deleted"))}
    kept = person(ProfilePolicy(archive_deleted=True), **records)
    assert (kept["status"], kept["archived_at"], kept["archived_because"], kept["name"]) == ("archived", 9000, "deleted", "A")
    assert "deleted_at" not in kept
    assert kept["records"] == [{"key": "abc:1", "status": "archived"}]
    assert person(**records)["status"] == "deleted"
    archived = person(ProfilePolicy(archive_deleted=True), abc_1=joined(fields(1, name="A"), edges(8, "archived")))
    assert (archived["archived_at"], archived["archived_because"]) == (8000, "archived")


def test_archive_on_delete_beside_a_live_record_lets_its_values_count():
    records = {"abc_1": joined(fields(5, name="Gone"), edges(9, "deleted")), "crm_1": fields(1, name="Here")}
    assert person(ProfilePolicy(archive_deleted=True), **records)["name"] == "Gone"
    assert person(**records)["name"] == "Here"


def test_archive_on_delete_holds_for_organisations():
    value = org(ProfilePolicy(archive_deleted=True), abc_1=joined(fields(1, name="A"), edges(9, "deleted")))
    assert (value["status"], value["archived_at"], value["archived_because"]) == ("archived", 9000, "deleted")
