"""The destinations of notifications: every topic Intercom documents, in the shapes seen on the wire."""

import json
from typing import Any

import pytest

from schemas.ids import derived
from schemas.intercom.envelope import envelope
from schemas.intercom.routes import ACTIVITIES, OTHER, ROUTES, TOPICS, destinations, event_type, is_known_topic, route_of
from schemas.topics import TOPICS as ALL_TOPICS


def routed(topic: str | None, item: Any, **fields: Any) -> list[tuple[str, str]]:
    data = {"id": "notif_1", "app_id": "ws1", "topic": topic, "data": {"item": item}, **fields}
    return [(destination.topic, destination.key) for destination in destinations(envelope(json.dumps(data).encode()))]


@pytest.mark.parametrize(
    ("topic", "item", "where", "key"),
    [
        ("contact.user.created", {"type": "contact", "id": "c1"}, "intercom.contacts", "ws1:c1"),
        ("contact.lead.signed_up", {"type": "contact", "id": "c1"}, "intercom.contacts", "ws1:c1"),
        ("contact.deleted", {"id": "c1", "external_id": "8", "deleted": True}, "intercom.contacts", "ws1:c1"),
        ("contact.archived", {"id": "c1", "archived": True}, "intercom.contacts", "ws1:c1"),
        ("contact.unarchive", {"id": "c1"}, "intercom.contacts", "ws1:c1"),
        ("contact.unarchived", {"id": "c1"}, "intercom.contacts", "ws1:c1"),
        ("contact.lead.tag.created", {"tag": {"id": "t"}, "contact": {"id": "c1"}}, "intercom.contacts", "ws1:c1"),
        ("user.tag.created", {"type": "user_tag", "user": {"id": "c1"}, "tag": {"id": "t"}}, "intercom.contacts", "ws1:c1"),
        ("granular.unsubscribe", {"contact": {"id": "c1"}, "subscription_types": {}}, "intercom.contacts", "ws1:c1"),
        ("contact.unsubscribed", {"contact": {"id": "c1"}}, "intercom.contacts", "ws1:c1"),
        ("user.unsubscribed", {"type": "user", "id": "c1"}, "intercom.contacts", "ws1:c1"),
        ("visitor.signed_up", {"type": "user", "id": "c1", "user_id": "7"}, "intercom.contacts", "ws1:c1"),
        ("company.created", {"id": "o1", "company_id": "own"}, "intercom.companies", "ws1:o1"),
        ("company.deleted", {"id": "o1", "deleted": True}, "intercom.companies", "ws1:o1"),
        ("conversation.read", {"id": 123, "ticket": None}, "intercom.conversations", "ws1:123"),
        ("conversation.deleted", {"type": "conversation", "conversation_id": "9"}, "intercom.conversations", "ws1:9"),
        (
            "conversation.contact.attached",
            {"conversation": {"parts": [], "model": {"id": 77}}, "contact": {"id": "c1"}},
            "intercom.conversations", "ws1:77",
        ),
        ("conversation_part.redacted", {"type": "conversation", "id": "5"}, "intercom.conversations", "ws1:5"),
        ("ticket.created", {"type": "ticket", "id": "6", "ticket_id": "1"}, "intercom.conversations", "ws1:6"),
        ("ticket.closed", {"ticket": {"id": "6"}}, "intercom.conversations", "ws1:6"),
        ("admin.added_to_workspace", {"type": "admin", "id": 5512549}, "intercom.admins", "ws1"),
        ("admin.activity_log_event.created", {"id": "x", "performed_by": {"id": "1"}}, "intercom.admins", "ws1"),
        ("admin.something.new", None, "intercom.admins", "ws1"),
        ("article.published", {"id": "62"}, "intercom.articles", "ws1:62"),
        ("ping", {"type": "ping", "message": "hi"}, OTHER, "ws1:notif_1"),
        ("content_stat.email", {"contact": {"id": "c1"}}, ACTIVITIES, "ws1:c1"),
        ("content_stat.push", {"content_stat": {"id": 4}, "contact": {"id": "0", "external_id": "u1"}}, ACTIVITIES, "ws1:@external_id:u1"),
        ("event.created", {"event_name": "x"}, OTHER, "ws1:notif_1"),
        ("event.created", {"id": "e1", "event_name": "x", "user_id": "u|1:2"}, ACTIVITIES, "ws1:@external_id:u%7C1%3A2"),
        ("event.created", {"event_name": "x", "user_id": None, "email": " Ada@a.org "}, ACTIVITIES, "ws1:@email:Ada@a.org"),
        ("event.created", {"event_name": "x", "user_id": "u1", "intercom_user_id": "c1"}, ACTIVITIES, "ws1:c1"),
        ("event.created", {"event": {"user_id": 7}}, ACTIVITIES, "ws1:@external_id:7"),
        ("event.created", {"event_name": "x", "email": "e" * 400}, OTHER, "ws1:notif_1"),
        ("call.started", {"type": "call", "id": "1", "contact_id": "c1"}, ACTIVITIES, "ws1:c1"),
        ("call.ended", {"call": {"id": 1, "contact": {"id": "c1"}}}, ACTIVITIES, "ws1:c1"),
        ("call.ended", {"id": 1, "contacts": {"type": "contact.list", "contacts": [{"id": "c1"}]}}, ACTIVITIES, "ws1:c1"),
        ("call.ended", {"id": 1, "contacts": [{"id": "c1"}]}, ACTIVITIES, "ws1:c1"),
        ("call.ended", {"id": 1, "contacts": [{"id": "7"}, {"id": 7}]}, ACTIVITIES, "ws1:7"),
        ("call.ended", {"id": 1, "contacts": {"contacts": [{"id": "c1"}, {"id": "c2"}]}}, OTHER, "ws1:notif_1"),
        ("call.ended", {"id": 1, "contacts": [{"id": "c1"}, {"id": None}]}, OTHER, "ws1:notif_1"),
        ("call.ended", {"id": 1, "contacts": []}, OTHER, "ws1:notif_1"),
        ("call.ended", {"id": 1}, OTHER, "ws1:notif_1"),
        ("contact.invented.yesterday", {"id": "c1"}, OTHER, "ws1:notif_1"),
        (None, {"id": "c1"}, OTHER, "ws1:notif_1"),
    ],
)  # fmt: skip
def test_a_post_goes_where_its_entity_lives(topic: str | None, item: Any, where: str, key: str) -> None:
    assert routed(topic, item)[0] == (where, key)


ACTIVITIES_OF_CONTACTS = [
    ("contact.lead.created", {"id": "c1"}),
    ("contact.unarchive", {"id": "c1"}),
    ("contact.merged", {"id": "c1", "merged_from": {"id": "c2"}}),
    ("contact.user.tag.created", {"tag": {"id": "t"}, "contact": {"id": "c1"}}),
    ("contact.unsubscribed", {"type": "user", "id": "c1"}),
    ("granular.subscribe", {"contact": {"id": "c1"}}),
    ("company.contact.detached", {"company": {"id": "o1"}, "contact": {"id": "c1"}}),
    ("visitor.signed_up", {"type": "user", "id": "c1"}),
]


@pytest.mark.parametrize(("topic", "item"), ACTIVITIES_OF_CONTACTS)
def test_what_happens_to_a_contact_is_an_activity_too_with_an_id_of_its_own(topic: str, item: Any) -> None:
    data = {"id": "n", "app_id": "ws1", "topic": topic, "data": {"item": item}}
    found = [each for each in destinations(envelope(json.dumps(data).encode())) if each.topic == ACTIVITIES]
    assert [(each.key, each.id, each.causation) for each in found] == [("ws1:c1", derived("n", "activity"), "n")]


@pytest.mark.parametrize(
    "topic", ["contact.user.updated", "contact.deleted", "company.updated", "conversation.read", "ticket.created"]
)
def test_what_is_no_event_of_a_contact_is_sent_once(topic: str) -> None:
    assert len(routed(topic, {"id": "c1"})) == 1


@pytest.mark.parametrize(
    "item", [None, [], 5, "text", {}, {"id": None}, {"id": 0}, {"id": "0"}, {"id": {"a": 1}}, {"contact": []}]
)
def test_a_post_whose_entity_has_no_id_goes_to_other(item: Any) -> None:
    assert routed("contact.user.updated", item) == [(OTHER, "ws1:notif_1")]
    assert routed("granular.subscribe", item) == [(OTHER, "ws1:notif_1")]


@pytest.mark.parametrize("topic", ["company.contact.attached", "company.contact.detached"])
def test_an_edge_goes_to_the_contact_and_as_a_twin_to_the_company(topic: str) -> None:
    item = {"company": {"id": "o1"}, "contact": {"id": "c1"}}
    contact, company, _ = destinations(
        envelope(json.dumps({"id": "n", "app_id": "ws1", "topic": topic, "data": {"item": item}}).encode())
    )
    assert (contact.topic, contact.key, contact.id, contact.causation) == ("intercom.contacts", "ws1:c1", "n", None)
    assert (company.topic, company.key) == ("intercom.companies", "ws1:o1")
    assert (company.id, company.causation) == (derived("n", "company"), "n")


def test_a_merge_goes_to_the_survivor_and_where_it_is_named_to_the_merged_contact() -> None:
    assert routed("contact.merged", {"id": "c1"})[:-1] == [("intercom.contacts", "ws1:c1")]
    both = routed("contact.merged", {"id": "c1", "merged_from": {"type": "contact", "id": "c2"}})[:-1]
    assert both == [("intercom.contacts", "ws1:c1"), ("intercom.contacts", "ws1:c2")]


def test_an_edge_without_its_contact_is_kept_for_the_company_and_for_operators() -> None:
    assert routed("company.contact.attached", {"company": {"id": "o1"}}) == [
        (OTHER, "ws1:notif_1"),
        ("intercom.companies", "ws1:o1"),
    ]


def test_every_place_is_a_topic_of_the_table_with_the_key_it_promises() -> None:
    assert set(TOPICS) <= set(ALL_TOPICS)
    assert {route.topic for route in ROUTES.values()} <= set(TOPICS)
    assert all("ingress" in ALL_TOPICS[topic].written_by for topic in TOPICS)
    admins = route_of("admin.logged_in")
    assert admins is not None
    assert admins.by_app


def test_what_is_known_and_not_read_is_told_from_what_is_unknown() -> None:
    assert is_known_topic("content_stat.push")
    assert is_known_topic("ping")
    assert is_known_topic("contact.deleted")
    assert not is_known_topic("surprise.created")
    assert not is_known_topic("")


@pytest.mark.parametrize("strange", ["", "Ping", "a b", "../x", "x" * 101, "a..b", "ü", "a\u0000"])
def test_a_topic_that_is_no_name_has_the_type_of_the_unknown(strange: str) -> None:
    assert event_type(strange) == "intercom.unknown"


def test_a_topic_names_the_type_of_its_events() -> None:
    assert event_type("contact.user.created") == "intercom.contact.user.created"
