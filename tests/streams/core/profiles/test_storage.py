"""Choice of fields by allow and deny: what a policy denies is not stored, or kept as a keyed hash."""

import hmac

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.profiles.policies import ProfilePolicy, is_hash
from streams.core.profiles.people import PERSON
from streams.core.profiles.storage import Storage, names_consent, storage_of
from streams.core.records.registers import NOTHING, field_registers, join
from tests.support.profiles.registers import HISTORIES, KEY, at, edges, fields, joined

PATTERNS = [
    "email",
    "name",
    "attributes.*",
    "attributes.plan",
    "traits.*",
    "*",
    "companies",
    "t*s",
    "created_at",
    "attributes.a.b",
]
POLICIES = st.builds(
    ProfilePolicy,
    allow=st.none() | st.lists(st.sampled_from(PATTERNS), max_size=3).map(tuple),
    deny=st.lists(st.sampled_from(PATTERNS), max_size=2).map(tuple),
    hash=st.lists(st.sampled_from(PATTERNS), max_size=2).map(tuple),
    enabled=st.sampled_from([True] * 9 + [False]),
)


def stored(registers, **policy):
    return Storage(ProfilePolicy(**policy), texts=PERSON.texts, key=KEY).stored(registers)


def names(registers):
    return {name for layers in (registers.now, registers.last, registers.first) for _, values in layers for name in values}


def edge_names(registers):
    return {name for layers in (registers.on, registers.off, registers.since) for _, each in layers for name in each}


RECORD = joined(
    fields(1, name="Old", email="old@example.com", attributes__plan='"free"'),
    fields(2, name="Ada", email=None, phone="+1", attributes__plan='"pro"', attributes__a__b="1", traits__email='["x"]', unsubscribed_from_emails=True),
    edges(2, "company:x", "tag:7", "subscription:s", "archived"),
    edges(3, "company:x", on=False),
)  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "kept"),
    [
        ({"deny": ("email",)}, {"name", "phone", "attributes.plan", "attributes.a.b"}),
        ({"deny": ("attributes.*",)}, {"name", "email", "phone", "traits.email"}),
        ({"deny": ("attributes.plan",)}, {"name", "email", "phone", "attributes.a.b", "traits.email"}),
        ({"allow": ("name", "attributes.*"), "deny": ("attributes.p*",)}, {"name", "attributes.a.b"}),
        ({"allow": ("*",), "deny": ("*na*", "*ail")}, {"phone", "attributes.plan", "attributes.a.b"}),
        ({"allow": ()}, set()),
        ({"deny": ("Email",)}, {"name", "email", "phone", "attributes.plan", "attributes.a.b", "traits.email"}),
        ({"deny": ("emai.",)}, {"name", "email", "phone", "attributes.plan", "attributes.a.b", "traits.email"}),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_choose_fields_by_allow_and_deny_with_patterns_and_consent_stays(policy, kept):
    assert names(stored(RECORD, **policy)) == kept | {"unsubscribed_from_emails"}


@pytest.mark.parametrize("denied", ["last_request_at", "last_seen_at", "traits.last_request_at"])
def test_a_value_of_another_type_is_denied_by_the_name_it_was_sent_with_and_by_the_newer_one(denied):
    """To an organisation `last_request_at` is a field, to a person the older name of one."""
    sent = fields(1, traits__last_request_at='"soon"', name="Engines")
    assert names(stored(sent, deny=(denied,))) == {"name"}


def test_choose_objects_and_nothing_of_a_kind_that_is_off_is_stored():
    assert stored(RECORD, enabled=False) == NOTHING


def test_a_denied_list_leaves_no_trace_and_subscriptions_and_marks_stay():
    registers = join(RECORD, joined(edges(4, "company:y")))
    assert edge_names(stored(registers, deny=("companies",))) == {"tag:7", "subscription:s", "archived"}
    assert edge_names(stored(registers, deny=("*",))) == {"subscription:s", "archived"}
    assert edge_names(stored(registers, hash=("tags",))) == {"company:x", "company:y", "subscription:s", "archived"}


def test_a_value_of_the_wrong_type_and_an_older_name_are_denied_with_their_field():
    registers = fields(1, traits__email="[]", traits__user_id="{}", traits__user="1")
    assert names(stored(registers, deny=("email", "external_id"))) == {"traits.user"}
    assert is_hash(stored(registers, hash=("email",)).now[0][1]["traits.email"])


def test_a_hash_is_keyed_and_equal_for_equal_values_whatever_their_field():
    after = stored(fields(1, email="ada@example.com", attributes__mail='"ada@example.com"'), hash=("*mail",))
    digest = hmac.digest(KEY, b'"ada@example.com"', "sha256").hex()
    assert after.now[0][1] == {"email": f"hmac-sha256:{digest}", "attributes.mail": f'"hmac-sha256:{digest}"'}
    other = Storage(ProfilePolicy(hash=("email",)), texts=PERSON.texts, key=b"other").stored(fields(1, email="ada@example.com"))
    assert other.now[0][1]["email"] != after.now[0][1]["email"]


def test_an_empty_value_has_no_hash_and_a_field_that_is_no_text_is_left_out():
    assert stored(fields(1, email=None, created_at=5000, name="A"), hash=("email", "created_at")).now[0][1] == {
        "email": None,
        "name": "A",
    }


def test_a_field_that_is_denied_and_hashed_is_not_stored():
    assert names(stored(fields(1, email="a", name="b"), hash=("email",), deny=("e*",))) == {"name"}


def test_a_contradiction_about_a_denied_field_is_not_stored_either():
    contested = join(field_registers(at(1, event="a"), {"name": "A"}), field_registers(at(1, event="b"), {"name": "B"}))
    assert contested.contested == ("name",)
    assert stored(contested, deny=("name",)) == NOTHING


@pytest.mark.parametrize("name", ["unsubscribed_from_emails", "sms_consent", "subscribed", "unsubscribed"])
def test_consent_cannot_be_named_in_a_policy(name):
    assert names_consent(name)
    assert not names_consent("sms*")


def test_a_policy_that_denies_nothing_costs_nothing():
    assert storage_of(ProfilePolicy(strategy="ignore"), texts=PERSON.texts, key=b"") is None
    assert stored(RECORD, deny=("city",)) is RECORD


@given(HISTORIES, HISTORIES, POLICIES)
def test_what_is_stored_of_joined_registers_is_the_join_of_what_is_stored_of_each(some, others, policy):
    storage = Storage(policy, texts=PERSON.texts, key=KEY)
    a, b = joined(*some), joined(*others)
    assert storage.stored(join(a, b)) == join(storage.stored(a), storage.stored(b))


@given(HISTORIES, POLICIES)
@example([RECORD], ProfilePolicy(hash=("*",)))
def test_what_is_stored_stays_as_it_is_when_the_policy_is_applied_again(history, policy):
    storage = Storage(policy, texts=PERSON.texts, key=KEY)
    once = storage.stored(joined(*history))
    assert storage.stored(once) == once
