import pytest

from schemas.cloudevents import Event, Origin
from schemas.contract import FILE, HEADERS, written
from schemas.dead_letters import dead_letter, shortened
from schemas.message import Given
from schemas.topics import TOPICS

WHOLE = Event(
    id="1", source="2", type="3", origin=Origin.DERIVED, time=4, recorded=5, subject="6", partition_key="7", sequence=8,
    data_schema="9", causation_id="10", trace_parent="11",
)  # fmt: skip


def test_the_tables_of_the_document_are_the_ones_of_the_code():
    text = FILE.read_text()
    assert written(text) == text, "run `python -m schemas.contract`"


@pytest.mark.parametrize("name", TOPICS)
def test_each_topic_is_in_the_document(name):
    assert f"| `{name}` |" in FILE.read_text()


def test_every_header_we_write_is_in_the_table_and_no_other():
    letter = shortened(dead_letter("people", 0, Given(None, None, WHOLE.headers()), "why", "people"))
    assert {name for name, _ in letter.headers} == set(HEADERS)
