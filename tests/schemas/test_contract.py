import pytest

from schemas.cloudevents import EventContext, Origin
from schemas.contract import FILE, HEADERS, document
from schemas.dead_letters import dead_letter, shortened
from schemas.message import RecordValue
from schemas.topics import TOPICS

WHOLE = EventContext(
    id="1", source="2", type="3", origin=Origin.DERIVED, time=4, recorded=5, subject="6", partition_key="7", sequence=8,
    data_schema="9", causation_id="10", trace_parent="11",
)  # fmt: skip


def test_the_tables_of_the_document_are_the_ones_of_the_code():
    text = FILE.read_text()
    assert document(text) == text, "run `python -m schemas.contract`"


@pytest.mark.parametrize("name", TOPICS)
def test_each_topic_is_in_the_document(name):
    assert f"| `{name}` |" in FILE.read_text()


def test_every_header_we_write_is_in_the_table_and_no_other():
    letter = shortened(dead_letter("people", 0, RecordValue(None, None, WHOLE.headers()), "why", "people"))
    assert {name for name, _ in letter.headers} == set(HEADERS)
