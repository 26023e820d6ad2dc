"""Envelopes in every shape that Intercom posts, and in invalid ones."""

import gzip
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import InvalidRecord
from schemas.intercom.envelope import CONTENT_ENCODING, TooLarge, body, envelope, inflate, seconds, untyped_envelope
from schemas.message import RecordValue


def notification(**fields: Any) -> bytes:
    return json.dumps({"type": "notification_event", "id": "notif_1", "app_id": "ws1", "topic": "ping", **fields}).encode()


def test_the_envelope_is_read_and_the_item_is_left_raw() -> None:
    data = (
        b'{"id": "notif_1", "topic": "contact.deleted", "app_id": "ws1", "created_at": 1772091469, "data": {"item": {"id" : 5}}}'
    )
    note = envelope(data)
    assert (note.id, note.topic, note.app_id, note.created_at) == ("notif_1", "contact.deleted", "ws1", 1_772_091_469)
    assert bytes(note.item) == b'{"id" : 5}'


def test_a_notification_without_id_gets_one_that_follows_from_its_bytes() -> None:
    first, again = envelope(notification(id=None)), envelope(notification(id=None))
    assert first.id == again.id
    assert first.id != envelope(notification(id=None, app_id="ws2")).id


@pytest.mark.parametrize("strange", [True, 1.5, [], {}, "", "a\u0000b", "x" * 256, 10**300])
def test_an_id_that_is_no_id_counts_as_none(strange: Any) -> None:
    assert envelope(notification(id=strange)).id == envelope(notification(id=strange)).id
    assert envelope(notification(app_id=strange, topic=strange)).app_id == ""


def test_ids_are_texts_even_where_the_wire_has_numbers() -> None:
    assert envelope(notification(id=17, app_id=4)).id == "17"
    assert envelope(notification(app_id=4)).app_id == "4"


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ("1772091469", 1_772_091_469),
        ('"1772091469"', 1_772_091_469),
        ("1772091469.9", 1_772_091_469),
        ('"2026-02-26T07:37:49.735+00:00"', 1_772_091_469),
        ('"2026-02-26T07:37:49.000Z"', 1_772_091_469),
        ("null", None), ("0", None), ("-5", None), ("true", None), ("1e999", None), ("99999999999999", None), ('"soon"', None),
        ("[]", None), ('"' + "9" * 5000 + '"', None),
    ],
)  # fmt: skip
def test_an_instant_is_read_in_every_spelling_or_is_none(spelled: str, expected: int | None) -> None:
    assert seconds(msgspec.Raw(spelled.encode())) == expected


@pytest.mark.parametrize("data", ["null", "5", "[]", '"text"', '{"item": null}', "{}", '{"item": [1]}'])
def test_an_envelope_about_nothing_is_still_an_envelope(data: str) -> None:
    note = envelope(f'{{"id": "n", "topic": "ping", "app_id": "ws1", "data": {data}}}'.encode())
    assert (note.id, note.topic) == ("n", "ping")


def test_of_a_key_given_twice_the_last_counts() -> None:
    assert envelope(b'{"id": "a", "id": "b", "topic": "x", "topic": "ping"}').id == "b"


def test_half_a_surrogate_pair_is_read_as_a_replacement_character_and_the_rest_as_it_stands() -> None:
    """A text truncated by length may end in half an emoji; its contact must not be rejected for that."""
    text = rb'{"id":"n","data":{"item":{"cut":"x \ud83d","whole":"\ud83d\ude00","low":"\udc00y","backslash":"\\ud800"}}}'
    item = msgspec.json.decode(envelope(text).item)
    assert item == {"cut": "x \ufffd", "whole": "\U0001f600", "low": "\ufffdy", "backslash": "\\ud800"}


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\x00", b"[]", b"5", b'"text"', b"{", b'{"id": "a"} {"id": "b"}', b"\xff\xfe{}", b'{"id": "\xff"}',
        b'{"data": {"item": {"name": "\xff"}}}', b"[" * 100_000, b'{"x":' * 100_000, b'{"x":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"data":{"item":' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
    ],
    ids=range(14),
)  # fmt: skip
def test_bytes_that_are_no_object_are_unusable_and_the_reason_does_not_show_them(data: bytes) -> None:
    with pytest.raises(InvalidRecord) as raised:
        envelope(data)
    assert "\\x" not in str(raised.value)
    assert len(str(raised.value)) < 100


def test_a_compressed_post_is_kept_as_received_and_read_inflated() -> None:
    data = notification()
    packed = gzip.compress(data)
    assert body(RecordValue(None, packed, [(CONTENT_ENCODING, b"gzip")])) == data
    assert body(RecordValue(None, data)) == data
    assert inflate(packed + packed) == data + data


def test_what_inflates_beyond_the_limit_is_refused_without_inflating_it_all() -> None:
    with pytest.raises(TooLarge):
        inflate(gzip.compress(b"0" * 5_000_000), limit=1000)
    with pytest.raises(TooLarge):
        inflate(gzip.compress(b"0" * 600) * 2, limit=1000)
    assert inflate(gzip.compress(b"0" * 1000), limit=1000) == b"0" * 1000


@pytest.mark.parametrize(
    "damaged", [b"no gzip", gzip.compress(b"x" * 100)[:-3], gzip.compress(b"x")[:5]], ids=["other", "cut", "head"]
)
def test_gzip_that_is_damaged_or_cut_is_unusable(damaged: bytes) -> None:
    with pytest.raises(InvalidRecord):
        inflate(damaged)


def test_an_encoding_we_do_not_know_is_unusable() -> None:
    with pytest.raises(InvalidRecord):
        body(RecordValue(None, b"...", [(CONTENT_ENCODING, b"br")]))


def test_an_envelope_shows_no_payload() -> None:
    assert "secret" not in repr(envelope(notification(data={"item": {"email": "secret@example.com"}})))


_ANYTHING = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(), max_size=8) | st.just([])
)
_NAMES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=8)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": _NAMES | _ANYTHING,
            "topic": _NAMES | _ANYTHING,
            "app_id": _NAMES | _ANYTHING,
            "created_at": st.integers(0, 1 << 40) | _ANYTHING,
            "data": st.dictionaries(st.sampled_from(["item", "type"]), _ANYTHING) | _ANYTHING,
        },
    ),
    st.booleans(),
)
def test_a_body_whose_fields_have_the_usual_types_gives_the_envelope_that_any_body_does(fields: Any, ascii_only: bool) -> None:
    data = json.dumps(fields, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert _read(envelope, data) == _read(untyped_envelope, data)


def _read(reader: Any, data: bytes) -> Any:
    try:
        return reader(data)
    except InvalidRecord as error:
        return str(error)
