import pytest

from schemas.cloudevents import replay_headers
from schemas.contract.page import FILE, HEADERS, document
from schemas.dead_letters import dead_letter, shortened
from schemas.message import RecordValue
from schemas.topics import TOPICS, Encoding
from schemas.webhooks.posted import REDELIVER_TO
from tests.support.event_contexts import FULL


def test_the_tables_of_the_document_are_the_ones_of_the_code():
    text = FILE.read_text()
    assert document(text) == text, "run `python -m schemas.contract`"


@pytest.mark.parametrize("topic", TOPICS.values(), ids=TOPICS)
def test_each_topic_but_the_internal_ones_is_in_the_document(topic):
    assert (f"| `{topic.name}` |" in FILE.read_text()) == (topic.encoding is not Encoding.INTERNAL)


def test_every_header_we_write_is_in_the_table_and_no_other():
    record = shortened(dead_letter("people", 0, RecordValue(None, None, replay_headers(FULL.headers(), "r-1")), "why", "people"))
    assert {*(name for name, _ in record.headers), REDELIVER_TO} == set(HEADERS)
