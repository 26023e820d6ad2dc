import pytest

from schemas.contract import FILE, HEADERS, document
from schemas.dead_letters import dead_letter, shortened
from schemas.message import RecordValue
from schemas.topics import TOPICS
from tests.support.event_contexts import FULL


def test_the_tables_of_the_document_are_the_ones_of_the_code():
    text = FILE.read_text()
    assert document(text) == text, "run `python -m schemas.contract`"


@pytest.mark.parametrize("name", TOPICS)
def test_each_topic_is_in_the_document(name):
    assert f"| `{name}` |" in FILE.read_text()


def test_every_header_we_write_is_in_the_table_and_no_other():
    record = shortened(dead_letter("people", 0, RecordValue(None, None, FULL.headers()), "why", "people"))
    assert {name for name, _ in record.headers} == set(HEADERS)
