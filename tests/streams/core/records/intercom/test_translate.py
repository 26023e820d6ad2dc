import json

import pytest

from schemas.errors import InvalidRecord
from schemas.intercom.envelope import envelope
from schemas.intercom.routes import ROUTES
from schemas.profiles.version import Rank
from streams.core.records.intercom.objects import COMPANY, CONTACT
from streams.core.records.intercom.translate import Observation, observation, translate
from streams.core.records.intercom.webhook_topics import COMPANIES, CONTACTS, MERGED_AWAY
from streams.core.records.registers import active_edges, current, inactive_edges, version_of
from tests.support.intercom_bodies import ADA, AT, ENGINES, company, contact, listed, posted


def translated(topic, item, table=CONTACTS, **more):
    return translate(table[topic], envelope(posted(topic, item, **more)), "e1")


def fields(registers):
    return {name: value for name, value, _ in current(registers)}


def active(registers):
    return {name for name, _ in active_edges(registers)}


def test_every_topic_that_reaches_the_contacts_agent_has_a_meaning():
    assert {topic for topic, route in ROUTES.items() if route.topic == "intercom.contacts"} == set(CONTACTS)


def test_every_topic_that_reaches_the_companies_agent_has_a_meaning():
    direct = {topic for topic, route in ROUTES.items() if route.topic == "intercom.companies"}
    secondary = {topic for topic, route in ROUTES.items() if any(each.topic == "intercom.companies" for each in route.secondary)}
    assert direct | secondary == set(COMPANIES)


def test_a_snapshot_counts_at_its_own_milliseconds_and_shows_times_to_the_second():
    registers = translated("contact.user.updated", contact(updated=AT * 1000 + 91, created_at="2026-01-10T04:11:33.735+00:00"))
    ((version, values),) = registers.now
    assert (version.time, version.rank, version.event) == (AT * 1000 + 91, Rank.SNAPSHOT, "e1")
    assert values == {"created_at": 1768018293000}


@pytest.mark.parametrize("spelling", [1768018293, "1768018293", "2026-01-10T04:11:33.735+00:00", "2026-01-10T04:11:33.000Z"])
def test_a_time_is_the_same_in_every_spelling(spelling):
    assert fields(translated("contact.user.updated", contact(signed_up_at=spelling))) == {"signed_up_at": 1768018293000}


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("0", "0"), (0, "0"), (0.0, "0"), ("null", "null"), (7, "7"), (7.0, "7"), (" ", " "), ("", None), (None, None)],
)
def test_an_id_that_the_customer_has_chosen_is_kept_as_it_is(sent, kept):
    expected = {} if kept is None else {"external_id": kept}
    assert fields(translated("contact.user.updated", contact(external_id=sent))) == expected
    assert fields(translated("user.updated", contact(user_id=sent))) == expected
    own = fields(translated("company.updated", company(company_id=sent), COMPANIES))
    assert own == ({} if kept is None else {"company_id": kept})


def test_a_false_external_id_is_no_id_and_nobody_owns_what_zero_owns():
    found = fields(translated("contact.user.updated", contact(external_id=False, owner_id="0")))
    assert found == {"traits.external_id": "false"}


@pytest.mark.parametrize("updated", [None, "soon", {}])
def test_a_snapshot_without_a_time_of_its_own_counts_at_its_notification(updated):
    item = {**contact(name="Ada"), "updated_at": updated}
    assert translated("contact.user.updated", item).now[0][0].time == AT * 1000


def test_a_snapshot_without_any_time_is_unusable():
    with pytest.raises(InvalidRecord, match="time"):
        translated("contact.user.updated", {"id": ADA, "name": "Ada"}, at=None)


def test_null_empties_a_field_and_absence_says_nothing():
    assert translated("contact.user.updated", contact(name=None)).now[0][1] == {"name": None}


def test_odd_types_of_single_fields_are_kept_as_json_and_cost_nothing_else():
    item = contact(name={"first": "Ada"}, email="ada@example.com", owner_id=0, created_at="soon", has_hard_bounced="no")
    assert fields(translated("contact.user.updated", item)) == {
        "email": "ada@example.com",
        "traits.name": '{"first":"Ada"}',
        "traits.created_at": '"soon"',
        "traits.has_hard_bounced": '"no"',
    }


def test_a_field_nobody_told_us_about_is_kept():
    item = contact(shoe_size=43, nested={"b": 1, "a": [None]})
    assert fields(translated("contact.user.updated", item)) == {"traits.shoe_size": "43", "traits.nested": '{"a":[null],"b":1}'}


def test_custom_attributes_are_canonical_json_and_may_be_emptied():
    item = contact(custom_attributes={"plan": "pro", "seats": 3, "trial": False, "old": None})
    registers = translated("contact.user.updated", item)
    assert fields(registers) == {"attributes.plan": '"pro"', "attributes.seats": "3", "attributes.trial": "false"}
    assert registers.now[0][1]["attributes.old"] is None


@pytest.mark.parametrize("junk", [b"9" * 5000, b"[" * 600 + b"]" * 600, b"1e999999"])
def test_what_no_reader_can_hold_is_read_or_unusable_and_nothing_else(junk):
    body = posted("contact.user.updated", contact(name="Ada", odd="JUNK")).replace(b'"JUNK"', junk)
    try:
        assert fields(translate(CONTACTS["contact.user.updated"], envelope(body), "e1"))["name"] == "Ada"
    except InvalidRecord as error:
        assert "999" not in str(error)  # noqa: PT017 - either outcome is right, by the reader's own limits


@pytest.mark.parametrize("item", [None, [], "text", 7])
def test_an_event_about_nothing_is_unusable(item):
    with pytest.raises(InvalidRecord, match="no object"):
        translated("contact.user.updated", item)


def test_version_one_of_the_api_reads_the_same():
    item = {
        "type": "user",
        "id": ADA,
        "user_id": 53,
        "avatar": {"type": "avatar", "image_url": "https://img.example.com/a.png"},
        "location_data": {"city_name": "Dublin", "country_code": "IRL"},
        "companies": {"type": "company.list", "companies": [{"id": ENGINES}]},
        "updated_at": "2019-05-13T02:21:11.904+00:00",
    }
    registers = translated("user.created", item)
    assert fields(registers) == {
        "role": "user", "external_id": "53", "avatar_url": "https://img.example.com/a.png", "city": "Dublin", "country_code": "IRL",
    }  # fmt: skip
    assert active(registers) == {f"company:{ENGINES}"}
    assert registers.complete == ()


@pytest.mark.parametrize("topic", ["contact.archived", "contact.archive"])
def test_a_minimal_payload_touches_its_own_register_only(topic):
    registers = translated(topic, {"id": ADA, "external_id": "52", "type": "contact", "archived": True})
    assert registers.now == ()
    assert [(name, version.time, version.rank) for name, version in active_edges(registers)] == [
        ("archived", AT * 1000, Rank.ARCHIVE)
    ]


def test_unarchiving_takes_the_mark_away_and_carries_a_snapshot():
    registers = translated("contact.unarchived", contact(name="Ada"))
    assert fields(registers) == {"name": "Ada"}
    assert [name for name, _ in inactive_edges(registers)] == ["archived"]


def test_what_an_event_says_counts_at_the_notification_never_at_a_nested_time():
    registers = translated(
        "company.contact.attached", {"company": {"id": ENGINES}, "contact": contact(updated=(AT - 500) * 1000)}
    )
    assert version_of(registers.on, f"company:{ENGINES}").time == AT * 1000


def test_detaching_is_believed_against_the_list_beside_it():
    item = {"company": {"id": ENGINES}, "contact": contact(updated=AT * 1000 + 900, companies=listed(ENGINES, "other"))}
    registers = translated("company.contact.detached", item)
    assert active(registers) == set()
    assert [name for name, _ in inactive_edges(registers)] == [f"company:{ENGINES}"]


def test_the_list_an_event_adds_to_asserts_its_members_and_no_absence():
    item = {"company": {"id": ENGINES}, "contact": contact(companies=listed("other"), tags=listed())}
    registers = translated("company.contact.attached", item)
    assert active(registers) == {f"company:{ENGINES}", "company:other"}
    assert [dict(lists) for _, lists in registers.complete] == [{"tag": ""}]


@pytest.mark.parametrize(
    ("companies", "complete"),
    [
        (listed("a", "b"), True),
        (listed("a", "b", more=True), False),
        (listed("a", "b", total=12), False),
        ({**listed("a"), "data": [{"id": "a"}, {}], "total_count": 2}, False),
        ({"type": "list", "data": [{"id": "a"}]}, False),
        (None, False),
    ],
)
def test_an_embedded_list_asserts_absence_only_when_it_is_complete(companies, complete):
    registers = translated("contact.user.updated", contact(companies=companies))
    assert ("company" in dict(registers.complete[0][1] if registers.complete else {})) is complete


@pytest.mark.parametrize(
    ("companies", "count"),
    [
        (listed("a", more=True, total=12), 12),
        (listed("a", total=12), 12),
        ({"data": [], "has_more": True}, -1),
        (listed("a"), None),
    ],
)
def test_a_list_that_shows_a_part_says_how_many_there_are(companies, count):
    registers = translated("contact.user.updated", contact(companies=companies))
    assert registers.complete[0][1].get("#company") == count


def test_subscription_lists_never_assert_absence():
    item = contact(opted_in_subscription_types=listed("1"), opted_out_subscription_types=listed("2"))
    registers = translated("contact.user.updated", item)
    assert active(registers) == {"subscription:1"}
    assert [name for name, _ in inactive_edges(registers)] == ["subscription:2"]
    assert registers.complete == ()


@pytest.mark.parametrize("topic", ["granular.unsubscribe", "contact.unsubscribed"])
def test_an_unsubscription_names_its_types(topic):
    item = {"contact": contact(opted_in_subscription_types=listed("1")), "subscription_types": listed("1", "2")}
    assert {name for name, _ in inactive_edges(translated(topic, item))} == {"subscription:1", "subscription:2"}


@pytest.mark.parametrize(
    ("topic", "field"),
    [("contact.unsubscribed_from_sms", "unsubscribed_from_sms"), ("user.unsubscribed", "unsubscribed_from_emails")],
)
@pytest.mark.parametrize("shown", [{}, {"unsubscribed_from_sms": False, "unsubscribed_from_emails": False}])
def test_an_opt_out_is_believed_against_the_contact_beside_it(topic, field, shown):
    registers = translated(topic, contact(updated=AT * 1000 + 700, **shown))
    assert fields(registers)[field] is True
    assert [version.rank for name, _, version in current(registers) if name == field] == [Rank.REMOVE]


def test_an_opt_out_of_no_known_time_is_unusable():
    with pytest.raises(InvalidRecord, match="no created_at"):
        translated("contact.unsubscribed_from_sms", contact(), at=None)


@pytest.mark.parametrize("tag", [None, {}, {"id": 0}])
def test_a_tag_event_without_a_tag_is_unusable(tag):
    with pytest.raises(InvalidRecord, match="tag"):
        translated("contact.user.tag.created", {"tag": tag, "contact": contact()})


def test_a_merge_means_to_the_contact_merged_away_that_it_is_now_another():
    registers = translate(MERGED_AWAY, envelope(posted("contact.merged", contact("new", name="Ada"))), "e1")
    assert (registers.now, active(registers)) == ((), {"merged:new"})


def test_a_plan_of_null_says_nothing_and_an_empty_one_that_there_is_none():
    assert translated("company.updated", company(plan=None), COMPANIES).now == ()
    assert translated("company.updated", company(plan_id=None), COMPANIES).now == ()
    assert fields(translated("company.updated", company(plan_id=7), COMPANIES)) == {"plan_id": "7"}
    assert translated("company.updated", company(plan={}), COMPANIES).now[0][1] == {"plan_id": None, "plan_name": None}
    plan = {"type": "plan", "id": 7, "name": "Gold"}
    assert fields(translated("company.updated", company(plan=plan), COMPANIES)) == {"plan_id": "7", "plan_name": "Gold"}


@pytest.mark.parametrize(
    ("topic", "item", "asserted"),
    [
        ("contact.user.updated", contact(location={"city": False, "country": ""}), {"traits.city": "false", "country": None}),
        ("user.updated", contact(location_data={"city_name": [1]}), {"traits.city": "[1]"}),
        ("contact.user.updated", contact(avatar={"image_url": {"a": 1}}), {"traits.avatar_url": '{"a":1}'}),
        ("company.updated", company(plan={"id": [1], "name": "Gold"}), {"traits.plan_id": "[1]", "plan_name": "Gold"}),
        ("company.updated", company(plan_id=False), {"traits.plan_id": "false"}),
    ],
)
def test_a_part_that_its_type_cannot_be_is_a_trait_and_leaves_the_field_as_it_was(topic, item, asserted):
    table = CONTACTS if item["type"] == "contact" else COMPANIES
    assert dict(translated(topic, item, table).now[0][1]) == asserted


def test_a_company_seen_after_its_deletion_exists_again():
    assert [name for name, _ in inactive_edges(translated("company.updated", company(), COMPANIES))] == ["deleted"]


@pytest.mark.parametrize(
    ("how", "requested", "counts"),
    [
        (Observation.BY_ID, AT * 1000 + 2000, AT * 1000 + 999),
        (Observation.BY_ID, AT * 1000 + 1999, AT * 1000),
        (Observation.FROM_LIST, AT * 1000 + 60_000, AT * 1000),
    ],
)
def test_an_object_read_over_rest_counts_at_the_end_of_its_second_only_when_read_alone_and_after_it(how, requested, counts):
    assert observation(CONTACT, contact(name="Ada"), how, requested, "r1").now[0][0].time == counts


def test_an_object_read_alone_has_its_edges_and_is_not_archived_as_of_the_request():
    registers = observation(CONTACT, contact(companies=listed(ENGINES)), Observation.BY_ID, AT * 1000 + 5123, "r1")
    assert version_of(registers.on, f"company:{ENGINES}").time == AT * 1000 + 5123
    assert [(name, version.time) for name, version in inactive_edges(registers)] == [("archived", AT * 1000 + 5123)]


def test_a_company_in_a_list_has_its_tags_whole_although_nothing_says_so():
    registers = observation(COMPANY, company(tags={"type": "tag.list", "tags": []}), Observation.FROM_LIST, AT * 1000, "r1")
    assert [dict(lists) for _, lists in registers.complete] == [{"tag": ""}]


def test_numbers_too_large_for_their_field_are_kept_as_json():
    body = posted("company.updated", company(user_count=10**30, monthly_spend=10**30), number=2)
    values = fields(translate(COMPANIES["company.updated"], envelope(body), "e1"))
    assert {name: json.loads(value) for name, value in values.items()} == {
        "traits.user_count": pytest.approx(1e30), "traits.monthly_spend": pytest.approx(1e30),
    }  # fmt: skip
