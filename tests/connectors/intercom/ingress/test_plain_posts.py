"""A plain post becomes the record that the envelope's way makes of it, and any other post is left to the envelope."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.intercom.ingress.routing import AuthenticPost, Router, WrongApp
from schemas.intercom.envelope import envelope, name
from schemas.intercom.plain import plain_notification
from schemas.intercom.routes import ROUTES, destinations
from tests.support.posts import TENANCY, notification

ROUTER = Router(TENANCY, "x.".__add__)
NOW = 1_772_090_549_123
BOTH = frozenset({"support", "sales"})

IDS = st.one_of(
    st.sampled_from(["c1", "0", "", " ", "é", "\ud800", "a\x00b", "\u2028", "x" * 255, "x" * 256, "ws1"]),
    st.integers(), st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), st.just([]), st.just({"id": "c1"}), st.text(),
)  # fmt: skip
TIMES = st.one_of(
    st.integers(), st.integers(1, 253_402_300_800), st.just("1772090548"), st.just("2026-02-26T07:41:59Z"), st.just(1.0),
    st.just(1.5), st.none(), st.booleans(),
)  # fmt: skip
NAMES = st.one_of(
    st.sampled_from([*ROUTES, "conversation.user.created", "article.created", "admin.logged_in", "ping", "new"]), IDS
)
ITEMS = st.one_of(
    st.fixed_dictionaries({}, optional={"id": IDS, "contact": st.just({"id": "c9"}), "merged_from": st.just({"id": "c8"})}),
    st.none(), st.just([]), st.just("c1"),
)  # fmt: skip
BODIES = st.fixed_dictionaries({
    "id": st.one_of(st.just("notif_1"), IDS), "topic": st.one_of(st.just("contact.user.updated"), NAMES),
    "app_id": st.one_of(st.sampled_from(["ws1", "ws2", "ws3"]), IDS), "created_at": st.one_of(st.just(1_772_090_548), TIMES),
    "data": st.one_of(st.fixed_dictionaries({"item": st.fixed_dictionaries({"id": IDS})}), st.fixed_dictionaries({"item": ITEMS})),
})  # fmt: skip
EDGES = [
    "0",
    "",
    "conversation.a\x00b",
    "a\x00b",
    "\ud800",
    "x" * 255,
    "x" * 256,
    0,
    253_402_300_800,
    253_402_300_799,
    -1,
    1.0,
    True,
    None,
]
HEADERS = st.one_of(st.none(), st.sampled_from([b"", b"application/json", b"text/plain", b"\xff", b"x" * 300]))


@given(BODIES, HEADERS, HEADERS)
def test_both_ways_make_the_same_record_of_whatever_is_posted(
    fields: dict[str, Any], content_type: bytes | None, trace_parent: bytes | None
) -> None:
    body = json.dumps(fields).encode()
    post = AuthenticPost(body, BOTH, content_type, None, trace_parent)
    assert ROUTER.webhook(post, NOW) == ROUTER._by_envelope(post, NOW)


@pytest.mark.parametrize("place", ["id", "topic", "app_id", "created_at", "item", "data"])
@pytest.mark.parametrize("value", EDGES, ids=repr)
def test_both_ways_agree_on_one_odd_field_of_a_plain_post(place: str, value: object) -> None:
    fields = {"item": {"id": value}} if place == "item" else {place: value}
    post = AuthenticPost(notification(**fields), BOTH)
    assert ROUTER.webhook(post, NOW) == ROUTER._by_envelope(post, NOW)


@given(st.sampled_from(sorted(ROUTES)), st.integers(1, 253_402_300_799), IDS, IDS)
def test_a_plain_notification_says_what_the_envelope_says(topic: str, second: int, number: object, entity: object) -> None:
    body = notification(topic=topic, created_at=second, id=number, item={"id": entity})
    plain, read = plain_notification(body), envelope(body)
    if plain is not None:
        assert (plain.id, plain.topic, plain.app_id, plain.created_at) == (read.id, read.topic, read.app_id, read.created_at)
        assert name(json.dumps(plain.data.item.id)) == plain.data.item.id
        if topic.startswith(("contact.user.updated", "company.updated")):
            assert destinations(read)[0].entity == plain.data.item.id


def test_an_ordinary_post_takes_the_short_way() -> None:
    assert plain_notification(notification()) is not None
    assert ROUTER._plan("ws1", "contact.user.updated", b"application/json") is not None
    assert ROUTER._plan("ws1", "contact.user.created", b"application/json") is not None, (
        "its second record is about the same contact"
    )


@pytest.mark.parametrize(
    "topic", ["contact.merged", "company.contact.attached", "contact.user.tag.created", "admin.logged_in", "ping", "new"]
)
def test_topics_with_several_records_or_another_key_are_left_to_the_envelope(topic: str) -> None:
    assert ROUTER._plan("ws1", topic, None) is None


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff", b"[" * 100_000, notification() + b"x", notification(pad="\xe9").replace(b"\\u00e9", b"\xff"),
     notification(id=7), notification(id=None), notification(created_at="1"), notification(created_at=True), notification(item=None)],
)  # fmt: skip
def test_what_is_not_plain_is_none(body: bytes) -> None:
    assert plain_notification(body) is None


def test_a_plain_post_by_another_app_is_refused() -> None:
    with pytest.raises(WrongApp):
        ROUTER.webhook(AuthenticPost(notification(), frozenset({"sales"})), NOW)
