"""The records a post becomes: topic, key, headers, and the bytes as received."""

import gzip

import pytest

from connectors.intercom.ingress.routing import AuthenticPost, Quarantine, Router, WrongApp
from schemas.cloudevents import context
from schemas.ids import derived
from schemas.intercom.envelope import TooLarge, body
from schemas.message import RecordValue, header
from tests.support.posts import TENANCY, notification

ROUTER = Router(TENANCY, lambda name: f"x.{name}")
NOW = 1_772_090_550_123
SUPPORT = frozenset({"support"})


def webhook(data: bytes, signers: frozenset[str] = SUPPORT, **more: bytes):
    return ROUTER.webhook(AuthenticPost(data, signers, **more), NOW)


def test_a_post_becomes_a_record_with_the_bytes_as_received_and_its_context_in_headers() -> None:
    data = notification(7)
    routed = webhook(data, content_type=b"application/json; charset=utf-8", trace_parent=b"00-abc-def-01")
    (record,) = routed.records
    assert (record.topic, record.key, record.timestamp) == ("x.intercom.contacts", b"ws1:c7", NOW)
    assert record.value is data
    assert context(record.headers) == {
        "specversion": "1.0",
        "id": "notif_7",
        "source": "/intercom/ws1",
        "type": "intercom.contact.user.updated",
        "subject": "c7",
        "origin": "webhook",
        "time": "2026-02-26T07:22:28.000Z",
        "recordedtime": "2026-02-26T07:22:30.123Z",
        "partitionkey": "ws1:c7",
        "datacontenttype": "application/json; charset=utf-8",
    }
    assert header(record.headers, "traceparent") == "00-abc-def-01"
    assert (routed.name, routed.quarantine) == ("contact.user.updated", None)


def test_a_twin_names_the_event_it_follows_from() -> None:
    item = {"contact": {"id": "c1"}, "company": {"id": "o1"}}
    first, second, _ = webhook(notification(topic="company.contact.attached", item=item)).records
    assert second.value is first.value
    assert header(second.headers, "ce_id") == derived("notif_1", "company")
    assert header(second.headers, "ce_causationid") == "notif_1"
    assert header(first.headers, "ce_causationid") is None


@pytest.mark.parametrize(
    ("data", "reason", "name", "key"),
    [
        (notification(app_id="nobody"), Quarantine.WRONG_APP, "nobody", b"nobody:notif_1"),
        (notification(app_id="no body!"), Quarantine.WRONG_APP, "unreadable", b"no body!:notif_1"),
        (notification(topic="ping"), Quarantine.SET_ASIDE, "ping", b"ws1:notif_1"),
        (notification(topic="surprise.created"), Quarantine.UNKNOWN, "surprise.created", b"ws1:notif_1"),
        (notification(topic="company.created", item={}), Quarantine.NO_ID, "company.created", b"ws1:notif_1"),
    ],
)
def test_what_no_agent_reads_is_kept_apart_and_counted_by_name(data: bytes, reason: Quarantine, name: str, key: bytes) -> None:
    routed = webhook(data)
    (record,) = routed.records
    assert (record.topic, record.key, record.value) == ("x.intercom.other", key, data)
    assert (routed.quarantine, routed.name) == (reason, name)


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"not json", b"[" * 99_999])
def test_bytes_that_cannot_be_read_are_kept_under_an_id_of_their_own(data: bytes) -> None:
    routed = webhook(data)
    (record,) = routed.records
    assert record.value == data
    assert (record.topic, routed.quarantine) == ("x.intercom.other", Quarantine.UNREADABLE)
    assert record.key == b"unreadable:" + (header(record.headers, "ce_id") or "").encode()
    assert webhook(data).records[0].key == record.key


def test_a_workspace_takes_no_post_of_another_app() -> None:
    with pytest.raises(WrongApp):
        webhook(notification(), frozenset({"sales"}))
    assert webhook(notification(), frozenset({"sales", "support"})).quarantine is None
    assert webhook(notification(app_id="ws2"), frozenset({"sales"})).quarantine is None


def test_a_compressed_post_stays_compressed_and_says_so() -> None:
    packed = gzip.compress(notification(3))
    (record,) = webhook(packed, encoding=b"gzip").records
    assert record.key == b"ws1:c3"
    assert record.value == packed
    assert body(RecordValue(record.key, record.value, record.headers)) == notification(3)


def test_a_compressed_post_that_is_damaged_is_kept_and_one_that_is_a_bomb_is_not() -> None:
    assert webhook(b"no gzip", encoding=b"gzip").quarantine is Quarantine.UNREADABLE
    assert webhook(notification(), encoding=b"br").quarantine is Quarantine.UNREADABLE
    with pytest.raises(TooLarge):
        webhook(gzip.compress(b"0" * (5 << 20)), encoding=b"gzip")


def test_callbacks_are_kept_apart_under_the_workspace_they_name() -> None:
    routed = ROUTER.callback(AuthenticPost(b'{"app_id": "ws1", "workspace_id": "ws1"}', SUPPORT), NOW)
    assert (routed.records[0].topic, routed.quarantine, routed.name) == ("x.intercom.other", Quarantine.CALLBACK, "callback")
    assert ROUTER.callback(AuthenticPost(b"not json", SUPPORT), NOW).quarantine is Quarantine.CALLBACK
    with pytest.raises(WrongApp):
        ROUTER.callback(AuthenticPost(b'{"app_id": "ws2"}', SUPPORT), NOW)


def test_a_health_check_names_its_workspace_in_another_field() -> None:
    routed = ROUTER.callback(AuthenticPost(b'{"workspace_id": "ws1"}', SUPPORT), NOW)
    assert (routed.records[0].key[:4], routed.configured) == (b"ws1:", True)
    assert header(routed.records[0].headers, "ce_source") == "/intercom/ws1"
    assert not ROUTER.callback(AuthenticPost(b'{"workspace_id": "ws9"}', SUPPORT), NOW).configured
    assert not ROUTER.callback(AuthenticPost(b'{"workspace_id": "\\ud800"}', SUPPORT), NOW).configured
    with pytest.raises(WrongApp):
        ROUTER.callback(AuthenticPost(b'{"workspace_id": "ws2"}', SUPPORT), NOW)


@pytest.mark.parametrize("strange", [b"x" * 300, b"\xff\xfe", b"a\x00b"])
def test_headers_from_outside_the_signature_are_taken_over_only_where_they_are_plain(strange: bytes) -> None:
    (record,) = webhook(notification(), trace_parent=strange, content_type=strange).records
    assert header(record.headers, "traceparent") is None
    assert header(record.headers, "content-type") == "application/json"
