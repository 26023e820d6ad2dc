from itertools import groupby

from hypothesis import given
from hypothesis import strategies as st

from schemas.message import RecordValue
from streams.engine.agent import Batch


@given(st.lists(st.sampled_from([None, b"", b"a", b"b", b"c"]), max_size=300))
def test_chunks_have_all_records_of_a_batch_those_of_one_key_in_offset_order_one_behind_the_other(keys):
    records = [RecordValue(key, None, offset=offset) for offset, key in enumerate(keys)]
    chunks = list(Batch("topic", 0, records).chunks())
    assert all(chunks)
    together = [record for chunk in chunks for record in chunk]
    by_key = [[record.offset for record in group] for _, group in groupby(together, lambda record: record.key or b"")]
    assert len(by_key) == len({key or b"" for key in keys})
    assert sorted(offset for offsets in by_key for offset in offsets) == list(range(len(keys)))
    assert all(offsets == sorted(offsets) for offsets in by_key)
