from hypothesis import given
from hypothesis import strategies as st

from streams.ops.deliver.progress import MOST_METADATA, PartitionProgress, StoredProgress, decoded, encoded

OFFSET, TIME = st.integers(0, 10**12), st.integers(0, 2**33)
OFFSETS = st.sets(OFFSET, max_size=60)


@given(
    position=st.integers(0, 10**9), behind=OFFSETS, failed=st.dictionaries(OFFSET, TIME, max_size=60), failing=st.none() | TIME
)
def test_what_is_done_and_what_failed_comes_back_from_its_text(position, behind, failed, failing):
    done = frozenset(position + each for each in behind)
    times = {position + each: at for each, at in failed.items()}
    stored = StoredProgress(done, times, failing if times else None)
    assert decoded(position, encoded(position, stored)) == stored


def test_where_nothing_failed_the_text_is_the_one_that_the_release_before_reads():
    assert encoded(10, StoredProgress(frozenset({12, 50}))) == "1:2,12"


@given(text=st.text(max_size=40) | st.from_regex(r"[12]:[0-9a-z,.;]{0,20}", fullmatch=True))
def test_a_text_of_another_form_names_nothing_and_breaks_nothing(text):
    decoded(0, text)
    assert decoded(0, "9:1,2") == StoredProgress()


def test_a_text_that_would_be_too_long_lacks_those_that_failed_last():
    failed = {offset: 1_800_000_000 + (offset * 7919) % 250_000 for offset in range(0, 900 * 100, 100)}
    text = encoded(0, StoredProgress(failed=failed))
    kept = decoded(0, text).failed
    assert 3_000 < len(text) <= 4_000
    assert 300 < len(kept) < len(failed)
    assert max(kept.values()) < min(at for offset, at in failed.items() if offset not in kept)


def test_an_offset_failed_first_when_it_failed_first_and_no_longer_once_it_is_done():
    progress = PartitionProgress(5)
    for offset in (5, 6):
        progress.begin(offset)
        progress.fail(offset, 100 + offset)
        progress.fail(offset, 200)
    again = PartitionProgress(5, decoded(*progress.commit(77)))
    assert decoded(*progress.commit(77)).failing_since == 77
    assert (again.failed_at(5), again.failed_at(6)) == (105, 106)
    progress.finish(5)
    assert decoded(*progress.commit()) == StoredProgress(failed={6: 106})
    progress.forget_failures()
    assert progress.commit(77) == (6, "")


@given(st.data())
def test_what_is_begun_and_not_done_is_begun_again_after_a_restart_and_nothing_else(data):
    """Any offsets concern us, any of them are done in any order, and a restart comes anywhere."""
    first = data.draw(st.integers(0, 1000))
    concern = sorted(first + each for each in data.draw(st.sets(st.integers(0, 200), max_size=40)))
    end = first + 201
    finished = set(data.draw(st.lists(st.sampled_from(concern), unique=True))) if concern else set()
    progress = PartitionProgress(first)
    for offset in concern:
        progress.begin(offset)
    progress.position = end
    for offset in finished:
        progress.finish(offset)
    at, text = progress.commit()

    again = PartitionProgress(at, decoded(at, text))
    assert {offset for offset in concern if offset >= at and not again.is_done(offset)} == set(concern) - finished
    assert all(offset in finished for offset in concern if offset < at)
    assert progress.open == len(set(concern) - finished)


def test_the_limit_of_the_text_leaves_room_below_what_brokers_take():
    wide = encoded(0, StoredProgress(frozenset(range(0, 500 * 1000, 1000))))  # 500 events, a thousand offsets apart
    assert len(wide) < MOST_METADATA < 4096 - 500
