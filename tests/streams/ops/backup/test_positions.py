"""Where a reader continues in a restored log: behind the same records as before."""

from hypothesis import given
from hypothesis import strategies as st

from connectors.backup.record_file import StoredRecord
from streams.ops.backup.positions import PositionTranslation


@given(st.sets(st.integers(0, 50)), st.sets(st.integers(0, 60), min_size=1))
def test_a_position_has_the_same_records_behind_it(offsets: set[int], wanted: set[int]):
    records = [StoredRecord(offset, 0, None, None, ()) for offset in sorted(offsets)]
    translation = PositionTranslation(wanted)
    written = list(translation.observe(records))
    assert written == records
    for position in wanted:
        assert [each.offset for each in written[translation[position] :]] == [
            each for each in sorted(offsets) if each >= position
        ]
