"""Choice of fields and objects in the agents: what a policy denies is stored nowhere, and what was stored goes."""

import msgspec
import pytest

from schemas.errors import MustStop
from schemas.message import RecordValue
from schemas.profiles.policies import POLICY, PolicyMessage, ProfilePolicy
from schemas.tenancy import ProfileSettings, Secret, Tenancy
from tests.support.intercom_bodies import AT
from tests.support.oracle import Pipeline
from tests.support.profiles.two_people import (
    ADDRESS,
    BO,
    NAME,
    PERSON,
    attached,
    snapshot,
    stored,
    two_people,
)
from tests.support.tenancy import TENANCY

WITH_KEY = Tenancy.of(
    TENANCY.apps.values(),
    [msgspec.structs.replace(tenant, profiles=ProfileSettings(hash_key=Secret("k" * 32))) for tenant in TENANCY.tenants.values()],
)


@pytest.fixture
def pipeline():
    return two_people()


def test_denied_fields_are_taken_out_of_every_table_and_latest_value_and_new_ones_are_never_stored(pipeline):
    pipeline.post(attached(3))
    assert ADDRESS.encode() in stored(pipeline)
    pipeline.apply(ProfilePolicy(deny=("email", "attributes.*", "companies")))
    assert ADDRESS.encode() not in stored(pipeline)
    assert b'"pro"' not in stored(pipeline, "contacts", "people")
    assert pipeline.latest("memberships") == {}
    value = pipeline.values("people")[PERSON]
    assert (value["email"], value["attributes"], value["companies"], value["name"]) == (None, {}, [], NAME)
    sent = len(pipeline.sent)
    pipeline.post(snapshot(9, name="New", email=ADDRESS, custom_attributes={"plan": "pro"}))
    assert ADDRESS.encode() not in stored(pipeline)
    assert not any(ADDRESS.encode() in (record.value or b"") for record in pipeline.sent[sent:])
    assert pipeline.values("people")[PERSON]["name"] == "New"


def test_a_patch_that_was_sent_before_the_policy_is_stored_without_what_is_denied():
    pipeline, late = Pipeline(TENANCY), Pipeline(TENANCY)
    pipeline.post(snapshot(1, name=NAME, email=ADDRESS))
    patches = [
        RecordValue(record.key, record.value, record.headers) for record in pipeline.sent if record.topic == "person.patches"
    ]
    late.apply(ProfilePolicy(deny=("email",)))
    late.feed("person.patches", *patches)
    assert ADDRESS.encode() not in stored(late)
    assert late.values("people")[PERSON]["name"] == NAME


def test_who_shares_a_denied_address_is_one_person_no_longer():
    pipeline = Pipeline(TENANCY)
    pipeline.post(snapshot(1, email=ADDRESS, created_at=AT), snapshot(2, BO, email=ADDRESS, created_at=AT + 5))
    assert len(pipeline.latest("people")) == 1
    pipeline.apply(ProfilePolicy(deny=("email",)))
    assert len(pipeline.latest("people")) == 2


def test_a_hashed_field_is_kept_as_its_keyed_hash_and_claims_nothing():
    pipeline = Pipeline(WITH_KEY)
    pipeline.post(
        snapshot(1, email=ADDRESS, external_id="7", role="user"), snapshot(2, BO, email=ADDRESS, external_id="7", role="user")
    )
    assert len(pipeline.latest("people")) == 1
    pipeline.apply(ProfilePolicy(hash=("email", "external_id")))
    assert ADDRESS.encode() not in stored(pipeline)
    first, second = pipeline.values("people").values()
    assert first["email"] == second["email"]
    assert first["email"].startswith("hmac-sha256:")
    before = pipeline.latest("people")
    pipeline.apply(ProfilePolicy(hash=("email", "external_id"), strategy="append_only"), version=2)
    assert pipeline.latest("people") == before


def test_a_hash_that_comes_before_the_policy_does_is_no_second_value_of_its_moment():
    pipeline, together = Pipeline(WITH_KEY), Pipeline(WITH_KEY)
    policy = PolicyMessage(1, "policy", 0, ProfilePolicy(hash=("name",)))
    record = RecordValue(b"acme|person", POLICY.encode(policy))
    for each, topics in ((pipeline, ("contacts.policies",)), (together, ("contacts.policies", "people.policies"))):
        each.post(snapshot(1, name=NAME))
        for topic in topics:
            each.feed(topic, record)
        each.post(snapshot(2, phone="+15550100"))
    pipeline.feed("people.policies", record)
    assert pipeline.values("people")[PERSON]["unsettled"] == []
    assert pipeline.latest("people") == together.latest("people")
    assert NAME.encode() not in stored(pipeline)


def test_hashes_without_a_key_stop_the_worker_before_anything_is_changed(pipeline):
    with pytest.raises(MustStop, match=r"Set hash_key under \[tenants.profiles\]"):
        pipeline.apply(ProfilePolicy(hash=("email",)))


def test_an_object_that_is_off_is_not_stored_and_on_again_knows_nobody_until_events_come(pipeline):
    pipeline.apply(ProfilePolicy(enabled=False))
    assert pipeline.latest("people") == {}
    for text in (ADDRESS, NAME, "Bo"):
        assert text.encode() not in stored(pipeline)
    pipeline.post(snapshot(8, name=NAME))
    assert pipeline.latest("people") == {}
    pipeline.apply(ProfilePolicy(), version=2)
    assert pipeline.latest("people") == {}
    pipeline.post(snapshot(9, name=NAME))
    assert list(pipeline.values("people")) == [PERSON]


@pytest.mark.parametrize("policy", [ProfilePolicy(enabled=False), ProfilePolicy(deny=("*",))])
def test_who_was_part_of_another_person_is_nobodys_alias_once_nothing_is_stored_of_either(policy):
    pipeline = Pipeline(TENANCY)
    both = (snapshot(1, email=ADDRESS, created_at=AT), snapshot(2, BO, email=ADDRESS, created_at=AT + 5))
    pipeline.post(*both)
    before = pipeline.latest("people"), pipeline.latest("people.aliases")
    assert [len(each) for each in before] == [1, 1]
    pipeline.apply(policy)
    assert (pipeline.latest("people"), pipeline.latest("people.aliases")) == ({}, {})
    pipeline.apply(ProfilePolicy(), version=2)
    pipeline.post(*both)
    assert pipeline.latest("people").keys() == before[0].keys()
    assert pipeline.latest("people.aliases") == before[1]
