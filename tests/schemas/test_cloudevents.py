from datetime import UTC, datetime, timedelta

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from hypothesis import given
from hypothesis import strategies as st

from schemas.cloudevents import JSON, EventContext, Origin, context, sequence, timestamp
from schemas.message import header
from tests.support.event_contexts import FULL


def test_the_cloudevents_sdk_reads_every_attribute():
    seen = from_binary_event(KafkaMessage(headers=dict(FULL.headers()), key="p1", value=b"\x00\x00\x00\x00\xff\xfe"))
    assert (seen.get_id(), seen.get_source(), seen.get_type(), seen.get_specversion()) == (
        "e1", "/intercom-streams/people", "person.changed.v1", "1.0",
    )  # fmt: skip
    assert (seen.get_subject(), seen.get_dataschema(), seen.get_datacontenttype()) == ("p1", FULL.data_schema, "application/avro")
    assert seen.get_time().timestamp() == 1768018294.091
    assert {name: seen.get_extension(name) for name in ("origin", "causationid", "partitionkey", "sequence", "recordedtime")} == {
        "origin": "derived",
        "causationid": "e0",
        "partitionkey": "p1",
        "sequence": "00000000000000000007",
        "recordedtime": "2026-01-10T04:11:35.000Z",
    }
    assert seen.get_data() == b"\x00\x00\x00\x00\xff\xfe"


def test_absent_attributes_have_no_header():
    headers = EventContext(id="e1", source="/s", type="t", origin=Origin.WEBHOOK).headers()
    assert [name for name, _ in headers] == ["ce_specversion", "ce_id", "ce_source", "ce_type", "ce_origin", "content-type"]


def test_the_trace_goes_under_its_own_name():
    assert header(FULL.headers(), "traceparent") == FULL.trace_parent


def test_what_was_written_is_read_back_without_the_prefix():
    attributes = context(EventContext(id="é|1", source="/s", type="t", origin=Origin.REPLAY, time=0, content_type=JSON).headers())
    assert attributes == {
        "specversion": "1.0", "id": "é|1", "source": "/s", "type": "t", "origin": "replay",
        "time": "1970-01-01T00:00:00.000Z", "datacontenttype": "application/json",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1, "1970-01-01T00:00:00.001Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (253402300799999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_are_utc_with_milliseconds(ms, text):
    assert timestamp(ms) == text


def test_sequences_order_as_text():
    assert sorted(map(sequence, (10, 9, 2**62, 0))) == [sequence(number) for number in (0, 9, 10, 2**62)]


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_is_spelled_as_the_standard_library_does(moment):
    ms = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert timestamp(ms) == moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
