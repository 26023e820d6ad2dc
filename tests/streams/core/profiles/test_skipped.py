"""Which values a policy keeps out of a profile, and by which rule."""

from collections import Counter

from hypothesis import given

from schemas.profiles.policies import FieldPolicy, ProfilePolicy, SourceStrategy
from streams.core.profiles.people import PERSON
from streams.core.profiles.public_value import counting_records, public_value
from streams.core.profiles.rules import rules_of
from streams.core.profiles.skipped import skipped_writes
from streams.core.profiles.storage import CONSENT_FIELDS
from streams.core.records.registers import current
from tests.support.profiles.registers import KEY, POLICIES, RECORDS, edges, fields, joined, keyed

CRM = joined(fields(2, name="Crm"), fields(5, name="Crm5", email="crm@example.com"))
ABC = joined(fields(1, name="Abc", role="lead"), fields(7, name="Abc7", phone="7"))


def skips(policy, **records):
    return Counter(skipped_writes(PERSON, "p", "acme", keyed(records), rules_of(policy, PERSON, KEY)))


def found(policy, **records):
    return {(each.record, each.field, str(each.reason)) for each in skips(policy, **records)}


def test_without_a_policy_an_older_value_is_not_skipped():
    assert found(ProfilePolicy(), crm_1=CRM, abc_1=ABC) == set()


def test_b8_do_not_modify_fields_that_already_have_a_value_and_each_skipped_write_is_named():
    policy = ProfilePolicy(fields=(FieldPolicy("name", only_empty=("abc",)),))
    assert found(policy, crm_1=CRM, abc_1=ABC) == {("abc:1", "name", "only_empty")}
    assert found(policy, abc_1=ABC) == {("abc:1", "name", "only_empty")}  # its own first value stands in place of its latest


def test_a_lock_a_strategy_and_a_priority_are_named_as_the_reason():
    locked = ProfilePolicy(fields=(FieldPolicy("*", locked=("*",)),))
    assert found(locked, crm_1=CRM, abc_1=ABC) == {
        ("abc:1", "name", "locked"), ("abc:1", "phone", "locked"), ("crm:1", "email", "locked"), ("crm:1", "name", "locked"),
    }  # fmt: skip
    ignoring = ProfilePolicy(sources=(SourceStrategy("abc", "ignore"),))
    assert ("abc:1", "phone", "ignore") not in found(ignoring, abc_1=fields(1, phone="7"))
    assert found(ignoring, abc_1=ABC) == {("abc:1", "name", "ignore"), ("abc:1", "phone", "ignore")}
    assert found(ProfilePolicy(priority=("crm",)), crm_1=CRM, abc_1=ABC) == {("abc:1", "name", "priority")}
    assert found(ProfilePolicy(priority=("abc",)), crm_1=CRM, abc_1=ABC) == set(), "the other name is older anyway"


def test_what_is_not_published_at_all_is_skipped_with_every_value():
    adding = ProfilePolicy(strategy="append_existing")
    assert found(adding, abc_1=ABC) == {("abc:1", name, "creates_no_profile") for name in ("name", "phone", "role")}
    assert found(ProfilePolicy(select="false"), abc_1=fields(1, name="A")) == {("abc:1", "name", "not_selected")}
    failing = ProfilePolicy(select="person.attributes.plan == 'pro'")
    assert found(failing, abc_1=fields(1, name="A")) == {("abc:1", "name", "condition_failed")}


def test_each_entry_of_a_list_that_came_after_the_birth_is_one():
    record = joined(fields(1, name="A"), edges(1, "tag:1"), edges(5, "tag:2", "tag:3"))
    policy = ProfilePolicy(fields=(FieldPolicy("tags", locked=("*",)),))
    assert sum(skips(policy, abc_1=record).values()) == 2
    assert found(policy, abc_1=record) == {("abc:1", "tags", "locked")}


@given(RECORDS, POLICIES)
def test_what_is_skipped_is_in_no_value_and_what_is_neither_skipped_nor_published_is_older(histories, policy):
    records = {key: joined(*history) for key, history in histories.items()}
    rules = rules_of(policy, PERSON, KEY)
    value = public_value(PERSON, profile="p", tenant="acme", records=records, rules=rules)
    skipped = {(each.record, each.field) for each in skipped_writes(PERSON, "p", "acme", records, rules)}
    for record, registers in counting_records(PERSON, records, rules).items():
        for name, own, version in current(registers):
            if name in CONSENT_FIELDS:
                continue
            if value is None:
                assert (record, name) in skipped
                continue
            published = _published(value, name)
            if (record, name) in skipped:
                assert published != own
                if published is not None:
                    source = value["sources"][value["provenance"][name]]
                    assert (source["time"] // 1000, source["record"]) <= (version.second, "~")
            elif published != own:
                source = value["sources"][value["provenance"][name]]
                assert (source["time"] // 1000, source["event"], source["record"]) >= (version.second, "", "")


def _published(value, name):
    group, dot, entry = name.partition(".")
    return value[group].get(entry) if dot else value.get(name)
