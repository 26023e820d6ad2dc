import hashlib

from schemas.dead_letters import DeadLetterOrigin, dead_letter, origin_of, original_record, shortened
from schemas.message import RecordValue, header

RECORD = RecordValue(
    b"k", b"\xff\x00", (("ce_id", b"e1"), ("ce_type", b"contact.user.created")), offset=41, timestamp=1768018294091
)


def test_key_value_and_headers_stay_as_they_were():
    record = dead_letter("people", 3, RECORD, "it is not Avro", "profiles")
    assert (record.key, record.value) == (b"k", b"\xff\x00")
    assert record.headers[:2] == list(RECORD.headers)


def test_the_letter_says_where_it_lay_and_why_it_died():
    record = dead_letter("people", 3, RECORD, "it is not Avro", "profiles")
    assert origin_of(record.headers) == DeadLetterOrigin("people", 3, 41, 1768018294091, "it is not Avro", "profiles")


def test_a_tombstone_without_key_can_die_too():
    record = dead_letter("people", 0, RecordValue(None, None), "no key", "profiles")
    assert (record.key, record.value) == (None, None)


def test_brought_back_it_is_the_record_it_was():
    assert original_record(dead_letter("people", 3, RECORD, "why", "profiles").headers) == list(RECORD.headers)


def test_dying_again_replaces_what_was_said_the_first_time():
    first = dead_letter("people", 3, RECORD, "why", "profiles")
    again = dead_letter("orgs", 1, RECORD._replace(headers=first.headers), "other", "orgs")
    assert origin_of(again.headers) == DeadLetterOrigin("orgs", 1, 41, 1768018294091, "other", "orgs")
    assert len(again.headers) == len(first.headers)


def test_a_long_reason_is_cut_and_an_unspeakable_one_is_said_nevertheless():
    record = dead_letter("people", 3, RECORD, "\ud800" + "x" * 10_000, "profiles")
    assert len(header(record.headers, "dl_reason") or "") == 500


def test_any_time_a_producer_may_claim_is_written_down():
    record = dead_letter("people", 3, RECORD._replace(timestamp=2**62), "why", "profiles")
    origin = origin_of(record.headers)
    assert origin is not None
    assert origin.timestamp == 2**62


def test_another_record_is_no_dead_letter():
    assert origin_of(RECORD.headers) is None


def test_a_shortened_letter_says_what_is_missing_and_is_small_whatever_was_large():
    record = RecordValue(
        b"k" * 3_000_000, b"v" * 3_000_000, (("h" * 3_000, b"x" * 3_000_000),) * 3 + (("ce_id", b"e"),) * 5_000, offset=41
    )
    short = shortened(dead_letter("people", 3, record, "why", "profiles"))
    description = {name: header(short.headers, f"dl_{name}") for name in ("cut", "bytes", "sha256")}
    assert description == {
        "cut": "key, value, headers",
        "bytes": "3000000",
        "sha256": hashlib.sha256(record.value or b"").hexdigest(),
    }
    assert origin_of(short.headers) == DeadLetterOrigin("people", 3, 41, 0, "why", "profiles")
    assert len(short.key or b"") + len(short.value or b"") + sum(len(n) + len(v) for n, v in short.headers) < 400_000


def test_a_shortened_tombstone_stays_one():
    record = shortened(dead_letter("people", 3, RecordValue(None, None), "why", "profiles"))
    assert (record.key, record.value, header(record.headers, "dl_cut")) == (None, None, "")
