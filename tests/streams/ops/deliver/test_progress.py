from hypothesis import given
from hypothesis import strategies as st

from streams.ops.deliver.progress import MOST_METADATA, PartitionProgress, decoded, encoded

OFFSETS = st.sets(st.integers(0, 10**12), max_size=60)


@given(position=st.integers(0, 10**9), behind=OFFSETS)
def test_done_offsets_come_back_from_their_text(position, behind):
    done = {position + each for each in behind}
    assert decoded(position, encoded(position, done)) == done


@given(text=st.text(max_size=40))
def test_a_text_of_another_form_names_nothing_and_breaks_nothing(text):
    decoded(0, text)
    assert decoded(0, "2:1,2") == set()


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
    wide = encoded(0, range(0, 500 * 1000, 1000))  # 500 events, a thousand offsets apart
    assert len(wide) < MOST_METADATA < 4096 - 500
