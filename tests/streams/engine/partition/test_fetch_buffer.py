"""Fetched records leave the buffer once, in order and in batches within the limits, however they were fetched."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.message import RecordValue
from streams.engine.limits import Limits
from streams.engine.partition.fetch_buffer import FetchBuffer, FetchedBatch

LIMITS = Limits(batch_records=4, batch_bytes=100, buffer_bytes=300)
NEXT = 7  # records of the next batch
FIRST, SECOND = "in", "in.second"
FETCHES = st.lists(
    st.tuples(st.sampled_from([FIRST, SECOND]), st.lists(st.integers(0, 150), max_size=9), st.integers(0, 2)), max_size=12
)


def fetched(topic: str, before: int, sizes: list[int], markers: int = 0) -> FetchedBatch:
    """Return records of those sizes, followed by so many offsets without a record."""
    records = [RecordValue(b"k", b"x" * size, offset=before + number) for number, size in enumerate(sizes)]
    after = before + len(sizes) + markers
    return FetchedBatch(topic, before, after, records, after, sum(sizes))


@given(FETCHES, st.integers(1, 6))
def test_all_that_was_put_comes_out_once_and_in_order_in_batches_within_the_limits(
    fetches: list[tuple[str, list[int], int]], most: int
) -> None:
    buffer, ends, put = FetchBuffer(LIMITS), {FIRST: 0, SECOND: 0}, {FIRST: [], SECOND: []}
    for topic, sizes, markers in fetches:
        batch = fetched(topic, ends[topic], sizes, markers)
        buffer.put(batch)
        ends[topic] = batch.after
        put[topic] += batch.records
    positions: dict[str, int] = {FIRST: 0, SECOND: 0}
    taken = {FIRST: [], SECOND: []}
    while buffer:
        batch = buffer.take(positions, most)
        assert batch is not None
        assert batch.before == positions[batch.topic]
        assert len(batch.records) <= most
        assert len(batch.records) <= 1 or sum(len(record.value) for record in batch.records) <= LIMITS.batch_bytes
        taken[batch.topic] += batch.records
        positions[batch.topic] = batch.after
    assert taken == put
    assert positions == ends
    assert (buffer.records, buffer.bytes) == (0, 0)


def test_a_few_large_records_leave_as_little_room_as_many_small_ones() -> None:
    buffer = FetchBuffer(LIMITS)
    buffer.put(fetched(FIRST, 0, [150]))
    assert buffer.has_room(NEXT)
    buffer.put(fetched(FIRST, 1, [150]))
    assert not buffer.has_room(NEXT)
    buffer.take({FIRST: 0}, 4)
    assert buffer.has_room(NEXT)


def test_what_is_cut_off_a_large_fetch_keeps_its_place_before_what_came_later() -> None:
    buffer = FetchBuffer(LIMITS)
    buffer.put(fetched(FIRST, 0, [1] * 6))
    buffer.put(fetched(FIRST, 6, [1] * 6))
    batches = [buffer.take({FIRST: position}, 4) for position in (0, 4, 8)]
    assert [(batch.before, batch.after) for batch in batches if batch] == [(0, 4), (4, 8), (8, 12)]


def test_fetches_a_little_larger_than_a_batch_leave_no_small_batches() -> None:
    buffer = FetchBuffer(LIMITS)
    for fetch in range(4):
        buffer.put(fetched(FIRST, 4 * fetch, [30] * 4))
    batches = [buffer.take({FIRST: position}, 4) for position in (0, 3, 6, 9, 12, 15)]
    assert [len(batch.records) for batch in batches if batch] == [3, 3, 3, 3, 3, 1]


def test_small_fetches_that_follow_each_other_become_one_batch() -> None:
    buffer = FetchBuffer(LIMITS)
    for offset in range(6):
        buffer.put(fetched(FIRST, offset, [1]))
    batch = buffer.take({FIRST: 0}, 4)
    assert batch is not None
    assert [record.offset for record in batch.records] == [0, 1, 2, 3]


def test_room_is_kept_for_what_is_on_its_way() -> None:
    buffer, arriving = FetchBuffer(LIMITS), fetched(FIRST, 0, [1] * 10)
    buffer.reserve(arriving)
    assert not buffer.has_room(NEXT)
    buffer.put(arriving)
    assert (buffer.records, buffer.has_room(NEXT)) == (10, False)
    buffer.take({FIRST: 0}, 4)
    assert (buffer.records, buffer.has_room(NEXT)) == (6, True)


def test_what_never_came_takes_no_room_after_a_new_beginning() -> None:
    buffer = FetchBuffer(LIMITS)
    buffer.reserve(fetched(FIRST, 0, [1] * 10))
    buffer.clear()
    assert buffer.has_room(NEXT)


def test_there_is_room_until_the_next_batch_is_here() -> None:
    buffer = FetchBuffer(LIMITS)
    buffer.put(fetched(FIRST, 0, [1] * 5))
    assert [buffer.has_room(records) for records in (4, 5, 6)] == [False, False, True]
