from hypothesis import given
from hypothesis import strategies as st

from streams.engine.agent import Batch


@given(st.integers(0, 300))
def test_chunks_are_all_records_of_a_batch_in_order(count):
    chunks = list(Batch("topic", 0, range(count)).chunks())
    assert [record for chunk in chunks for record in chunk] == list(range(count))
    assert all(chunks)
