"""Requests to read are served once for all who ask, and their positions are committed in order."""

from hypothesis import given
from hypothesis import strategies as st

from streams.ops.sync.pending import LONGEST_WAIT_MS, PendingReads, Place, ReadTarget

TEAMMATES, CONTACT = ReadTarget("abc12345"), ReadTarget("abc12345", "c1", "list_truncated")


def test_several_requests_are_one_reading_at_the_latest_of_their_times():
    pending = PendingReads()
    for offset, not_before in enumerate((100, 300, 200)):
        pending.add(TEAMMATES, Place("p", offset), not_before, now=50)
    assert (pending.due(299), pending.due(300)) == ([], [TEAMMATES])
    pending.served(TEAMMATES, pending.places(TEAMMATES))
    assert (len(pending), pending.committable()) == (0, {"p": 3})


def test_what_is_asked_for_while_it_is_read_is_read_again():
    pending = PendingReads()
    pending.add(CONTACT, Place("p", 0), 0, now=0)
    begun_for = pending.places(CONTACT)
    pending.add(CONTACT, Place("p", 1), 0, now=0)
    pending.served(CONTACT, begun_for)
    assert (pending.due(1), pending.committable()) == ([CONTACT], {"p": 1})


def test_a_wrong_clock_does_not_put_a_reading_off_for_ever():
    pending = PendingReads()
    pending.add(CONTACT, Place("p", 0), not_before=10**15, now=1_000)
    assert pending.due(1_000 + LONGEST_WAIT_MS) == [CONTACT]


def test_what_another_process_serves_now_is_dropped():
    pending = PendingReads()
    pending.add(CONTACT, Place("p", 0), 0, now=0)
    pending.add(CONTACT, Place("q", 4), 0, now=0)
    pending.forget("p")
    assert (pending.due(0), pending.committable()) == ([CONTACT], {"q": 4})


steps = st.lists(
    st.tuples(st.sampled_from(["add", "pass", "serve"]), st.sampled_from("pq"), st.sampled_from([TEAMMATES, CONTACT]))
)


@given(steps)
def test_no_position_is_committed_before_all_that_is_before_it_is_served(history):
    pending, offsets, open_ = PendingReads(), dict.fromkeys("pq", 0), {}
    for step, partition, target in history:
        if step == "serve":
            pending.served(target, pending.places(target))
            open_ = {place: asked for place, asked in open_.items() if asked != target}
            continue
        place = Place(partition, offsets[partition])
        offsets[partition] += 1
        if step == "add":
            pending.add(target, place, 0, now=0)
            open_[place] = target
        else:
            pending.passed(place)
        for name, committed in pending.committable().items():
            waiting = [each.offset for each in open_ if each.partition == name]
            assert committed == min([*waiting, offsets[name]])
