"""What several events say of one activity, joined."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.activities.records import PersonActivity
from streams.core.activities.join import for_company, join, join_mark, without_author, without_words

SHOWN = st.builds(
    PersonActivity,
    id=st.just("a"),
    type=st.sampled_from(("conversation.noted", "conversation.closed", "conversation.rated", "conversation.other")),
    time=st.integers(1, 3),
    basis=st.integers(1, 3),
    conversation=st.sampled_from(("", "w:1")),
    author=st.sampled_from(("", "contact:1", "bot:2")),
    text=st.sampled_from(("", "x", "yy", "xy")),
    cut=st.booleans(),
    redacted=st.booleans(),
    live=st.booleans(),
    attributes=st.dictionaries(st.sampled_from(("a", "b", "subject", "part_type")), st.sampled_from("xy"), max_size=3),
    event=st.sampled_from(("", "e1", "e2")),
)
ACTIVITIES = SHOWN | SHOWN.map(without_words)


@given(ACTIVITIES, ACTIVITIES, ACTIVITIES)
def test_any_order_grouping_and_repetition_give_the_same(a, b, c):
    one = join(join(join(None, a), b), c)
    assert one == join(join(None, c), join(join(None, b), a)) == join(one, a) == join(one, one)


@given(ACTIVITIES, ACTIVITIES)
def test_a_redaction_takes_the_words_whenever_it_comes_and_live_is_never_lost(a, b):
    joined = join(join(None, a), b)
    assert not (joined.redacted and joined.text)
    assert joined.live == (a.live or b.live)


@given(ACTIVITIES, ACTIVITIES)
def test_nothing_of_what_was_in_a_deleted_conversation_comes_back_from_another_contact_of_the_person(a, b):
    left = join(join(None, without_words(a)), b)
    assert (left.text, left.redacted) == ("", True)
    assert left.attributes.keys() <= {"part_type"}


def test_what_is_left_of_a_deleted_conversation_has_no_words():
    left = without_words(PersonActivity(id="a", type="conversation.noted", time=1, text="secret", attributes={"a": "secret"}))
    assert (left.text, left.attributes, left.redacted, left.type) == ("", {}, True, "conversation.noted")


@given(SHOWN, st.sampled_from(("quick_reply", "comment")))
def test_what_says_nothing_without_its_words_is_what_its_mark_says_that_it_was(activity, kind):
    shown = msgspec.structs.replace(activity, attributes={**activity.attributes, "part_type": kind})
    mark = PersonActivity(id="a", type="conversation.contact_replied", time=2, basis=1)
    other = shown.type == "conversation.other"
    assert join_mark(mark, shown).type == ("conversation.contact_replied" if other else shown.type)


@given(SHOWN, st.booleans())
def test_a_company_has_the_same_of_a_rating_whether_its_author_is_erased_before_or_after(activity, is_deleted):
    rating = msgspec.structs.replace(activity, type="conversation.rated", redacted=False, author="contact:1")
    rating = without_words(rating) if is_deleted else rating
    erased = without_author(rating, ["1"])
    assert (erased.author, erased.text, erased.redacted) == ("contact:~", "", True)
    assert for_company(erased) == for_company(msgspec.structs.replace(rating, attributes=erased.attributes))
    assert for_company(erased).redacted == is_deleted
