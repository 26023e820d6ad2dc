from schemas.dead_letters import Origin, dead_letter, origin, revived
from schemas.message import Given, header

RECORD = Given(b"k", b"\xff\x00", (("ce_id", b"e1"), ("ce_type", b"contact.user.created")), offset=41, timestamp=1768018294091)


def test_key_value_and_headers_stay_as_they_were():
    letter = dead_letter("people", 3, RECORD, "it is not Avro", "profiles")
    assert (letter.key, letter.value) == (b"k", b"\xff\x00")
    assert letter.headers[:2] == list(RECORD.headers)


def test_the_letter_says_where_it_lay_and_why_it_died():
    letter = dead_letter("people", 3, RECORD, "it is not Avro", "profiles")
    assert origin(letter.headers) == Origin("people", 3, 41, 1768018294091, "it is not Avro", "profiles")


def test_a_tombstone_without_key_can_die_too():
    letter = dead_letter("people", 0, Given(None, None), "no key", "profiles")
    assert (letter.key, letter.value) == (None, None)


def test_brought_back_it_is_the_record_it_was():
    assert revived(dead_letter("people", 3, RECORD, "why", "profiles").headers) == list(RECORD.headers)


def test_dying_again_replaces_what_was_said_the_first_time():
    first = dead_letter("people", 3, RECORD, "why", "profiles")
    again = dead_letter("orgs", 1, RECORD._replace(headers=first.headers), "other", "orgs")
    assert origin(again.headers) == Origin("orgs", 1, 41, 1768018294091, "other", "orgs")
    assert len(again.headers) == len(first.headers)


def test_a_long_reason_is_cut_and_an_unspeakable_one_is_said_nevertheless():
    letter = dead_letter("people", 3, RECORD, "\ud800" + "x" * 10_000, "profiles")
    assert len(header(letter.headers, "dl_reason") or "") == 500


def test_any_time_a_producer_may_claim_is_written_down():
    letter = dead_letter("people", 3, RECORD._replace(timestamp=2**62), "why", "profiles")
    found = origin(letter.headers)
    assert found is not None
    assert found.timestamp == 2**62


def test_another_record_is_no_dead_letter():
    assert origin(RECORD.headers) is None
