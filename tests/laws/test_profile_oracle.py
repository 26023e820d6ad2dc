"""The agents of people and organisations against an oracle that recomputes everything from the set of inputs (tests/support/profile_laws)."""

import random

import pytest

from schemas.profiles.identity import DEFAULT_RULES
from schemas.profiles.policies import ProfilePolicy
from tests.support.profile_laws import product
from tests.support.profile_laws.answers import answers
from tests.support.profile_laws.campaign import (
    campaign,
    compare,
    disagreements,
    disagreements_denied,
    disagreements_read_meanwhile,
    length,
)
from tests.support.profile_laws.faults import FAULTS
from tests.support.profile_laws.history import START, history
from tests.support.profile_laws.inputs import PERSON, Applied, Foreign, History, Post

HISTORIES, GROUPS = 500, 10
READ_MEANWHILE, STORED_NOTHING, HISTORIES_OF_GROUP = 60, 80, 20
REDUCED = {  # seed of a history by which the oracle found a fault, once
    "a contact that was merged away and deleted contributes nothing": 16,
    "archived_at is never that of a record that was merged away": 13,
    "a company that was recreated and deleted again has the later deletion": 378,
    "merges of one second are in the order of their contacts": 181,
    "people of merged records alone exist under any policy": 167,
    "an erased contact names nobody's person": 139,
    "no alias is left of people of whom nothing may be stored": 124,
    "a record of another system that is sent again within the second of its deletion exists": 8,
}

NOTICED = {  # the first history that notices a fault
    "the field external_id is lost": 3,
    "the field role is lost": 3,
    "the field email is lost": 5,
    "the field phone is lost": 3,
    "the field name is lost": 2,
    "the field owner_id is lost": 3,
    "the field language_override is lost": 3,
    "the field region is lost": 3,
    "the field city is lost": 3,
    "the field has_hard_bounced is lost": 3,
    "the field unsubscribed_from_emails is lost": 3,
    "the field unsubscribed_from_sms is lost": 3,
    "the field sms_consent is lost": 3,
    "the field created_at is lost": 3,
    "the field signed_up_at is lost": 3,
    "the field last_seen_at is lost": 3,
    "the field attributes.plan is lost": 2,
    "the field traits.utm_source is lost": 3,
    "the field company_id is lost": 2,
    "the field website is lost": 2,
    "the field industry is lost": 2,
    "the field size is lost": 2,
    "the field monthly_spend is lost": 2,
    "the field session_count is lost": 2,
    "the field user_count is lost": 2,
    "the field remote_created_at is lost": 2,
    "the field plan_id is lost": 5,
    "the field plan_name is lost": 4,
    "the mark archived is lost": 5,
    "the mark deleted is lost": 2,
    "the mark merged is lost": 1,
    "edges to company are lost": 2,
    "edges to tag are lost": 2,
    "edges to subscription are lost": 3,
    "a complete list of company asserts no absence": 2,
    "a complete list of tag asserts no absence": 7,
    "rank does not decide": 2,
    "milliseconds do not decide": 8,
    "now is the first value": 2,
    "first is the last value": 3,
    "last is forgotten where now is empty": 3,
    "edges are first seen when last seen": 3,
    "overwrite is append_only": 2,
    "append_only is overwrite": 3,
    "append_only is ignore": 3,
    "ignore is append_only": 3,
    "existing-only forms create": 1,
    "append_existing is overwrite_existing": 21,
    "overwrite_existing is append_existing": 53,
    "priority is ignored": 14,
    "rules of fields are ignored": 5,
    "nothing is denied": 1,
    "nothing is hashed": 5,
    "everybody is selected": 3,
    "deleted records are never archived": 2,
    "blocked values link": 1,
    "merges in a cycle count": 17,
    "a withdrawal withdraws nothing": 13,
    "the oldest record is the least key": 4,
}


@pytest.mark.parametrize("group", range(GROUPS))
def test_the_agents_agree_with_the_oracle_in_any_order_with_repetitions_and_in_any_batches(group):
    size = HISTORIES // GROUPS
    found = {seed: broken for seed, broken in campaign(0, group * size, histories=size) if broken}
    assert found == {}


@pytest.mark.parametrize("group", range(READ_MEANWHILE // HISTORIES_OF_GROUP))
def test_they_agree_where_objects_are_read_over_rest_rules_change_and_events_name_somebody_by_a_value_meanwhile(group):
    seeds = range(group * HISTORIES_OF_GROUP, (group + 1) * HISTORIES_OF_GROUP)
    assert {seed: broken for seed in seeds if (broken := disagreements_read_meanwhile(seed, length(seed)))} == {}


@pytest.mark.parametrize("group", range(STORED_NOTHING // HISTORIES_OF_GROUP))
def test_they_agree_where_policies_store_nothing_of_most_records_in_any_order_of_policies_events_and_readings(group):
    seeds = range(group * HISTORIES_OF_GROUP, (group + 1) * HISTORIES_OF_GROUP)
    assert {seed: broken for seed in seeds if (broken := disagreements_denied(seed))} == {}


@pytest.mark.parametrize("fault", REDUCED)
def test_a_history_that_showed_a_fault_shows_it_no_more(fault):
    assert disagreements(REDUCED[fault]) == []


@pytest.mark.parametrize("notified", [START, START + 1])
@pytest.mark.parametrize("millisecond", [0, 13])
@pytest.mark.parametrize(
    ("strategy", "name"), [("overwrite", "Of the contact"), ("append_only", "Of the CRM"), ("ignore", "Of the CRM")]
)
def test_a_contact_is_later_than_a_record_of_another_system_of_its_millisecond(strategy, name, millisecond, notified):
    item = {"type": "contact", "id": "a0", "updated_at": f"2026-01-01T00:00:00.{millisecond:03}Z"}
    item |= {"email": "ada@a.org", "name": "Of the contact"}
    body = {
        "app_id": "abc12345",
        "topic": "contact.user.updated",
        "id": "notif_1",
        "created_at": notified,
        "data": {"item": item},
    }
    value = {
        "source": "crm",
        "id": "p1",
        "updated_at": START * 1000 + millisecond,
        "created_at": None,
        "deleted": False,
        "orgs": None,
    }
    value |= {"fields": {"email": "ada@a.org", "name": "Of the CRM"}, "attributes": {}}
    inputs = [Post(body), Foreign(PERSON, value), Applied(PERSON, 1, ProfilePolicy(strategy=strategy))]
    given = History(inputs, dict(DEFAULT_RULES))
    agents = product.run(given, random.Random(0))
    assert [each["name"] for each in agents.values("people").values()] == [name]
    assert compare(answers(given), agents) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_a_register_a_strategy_or_a_rule_is_noticed(fault):
    with FAULTS[fault]():
        assert disagreements(NOTICED[fault], length(NOTICED[fault])) != []


@pytest.mark.parametrize("seed", range(20))
def test_the_oracle_itself_knows_no_order_but_that_of_withdrawals(seed):
    given = history(seed)
    expected = answers(given)
    moved = product.shuffled(given, random.Random(seed))
    assert answers(moved._replace(inputs=[*_foreign_in_order(given, moved)])) == expected


def _foreign_in_order(given, moved):
    """Yield the inputs of the second history, those of other systems and withdrawals where and as the first one has them."""
    ordered = (each for each in given.inputs if _is_ordered(each))
    rest = [each for each in moved.inputs if not _is_ordered(each)]
    return [*rest[: len(rest) // 2], *ordered, *rest[len(rest) // 2 :]]


def _is_ordered(given):
    return type(given).__name__ in ("Foreign", "Withdrawal")
