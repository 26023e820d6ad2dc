"""What webhooks and readings say of one activity in different forms is joined whatever came first, and nothing is left of words that go."""

import itertools

import pytest

from schemas.intercom.conversations import Part
from tests.streams.agents.activities.test_flows import Story, replied
from tests.support.conversations.bodies import CUSTOMER, INES, part, reading
from tests.support.intercom_bodies import AT, posted

PLAIN, HTML = "write <b>bold</b> like this", "<p>write &lt;b&gt;bold&lt;/b&gt; like this</p>"


def source(**fields):
    return {"type": "conversation", "id": "900", "author": CUSTOMER, "body": "<p>Hello</p>", **fields}


def after(*steps):
    """Return the activities, and the parts of the conversations, after posts and readings, each processed to the end."""
    story = Story()
    for topic, item in steps:
        if topic:
            story.post(posted(topic, item, at=AT + 6, number=sum(map(ord, topic))))
        else:
            record = reading(item, requested=AT + 100)
            story._append("intercom.conversations", record.key, record.value, record.headers)
        story.run()
    return story


@pytest.mark.parametrize(
    "steps",
    [
        [("conversation.user.replied", replied(part(1, body=PLAIN))), ("", replied(part(1, body=HTML)))],
        [("conversation.user.replied", replied(part(1))), ("", replied(part(1, event_details={"workflow": {"name": "w"}})))],
        [
            ("conversation.user.created", replied(created_at=AT, source=source(url="http://x"))),
            ("", replied(created_at=AT, source=source(delivered_as="customer_initiated"))),
            (
                "conversation.user.replied",
                replied(part(1), created_at=AT, source=source(subject="Hi", body="<p>Hello there</p>")),
            ),
        ],
    ],
    ids=["plain and HTML", "details", "beginning"],
)
def test_what_is_known_of_an_activity_does_not_depend_on_what_came_first(steps):
    found = [after(*order).latest("activities") for order in itertools.permutations(steps)]
    assert found == [found[0]] * len(found)


def test_the_words_are_those_that_were_written_whatever_tags_they_name():
    for order in itertools.permutations(
        [("conversation.user.replied", replied(part(1, body=PLAIN))), ("", replied(part(1, body=HTML)))]
    ):
        assert after(*order).one("conversation.contact_replied")["text"] == PLAIN


def test_a_reading_sends_nothing_again_that_it_has_sent_before():
    item = replied(*(part(number) for number in range(1, 9)), created_at=AT, source=source())
    story = after(("", item))
    sent = len(story.topics["activity.records"])
    record = reading(
        replied(*(part(number) for number in range(1, 10)), created_at=AT, updated=AT + 9, source=source()), requested=AT + 200
    )
    story._append("intercom.conversations", record.key, record.value, record.headers)
    story.run()
    assert len(story.topics["activity.records"]) == sent + 1, "the ninth part"


@pytest.mark.parametrize(
    ("topic", "item"),
    [
        ("conversation.deleted", {"type": "conversation", "conversation_id": "215"}),
        (
            "conversation_part.redacted",
            replied(part(1, redacted=True), part(2, INES, redacted=True), source=source(redacted=True), updated=AT + 9),
        ),
    ],
)
@pytest.mark.parametrize("comes_first", [False, True])
def test_no_mark_is_left_of_words_that_are_deleted_or_redacted(topic, item, comes_first):
    written = ("", replied(part(1), part(2, INES), created_at=AT, source=source()))
    steps = [(topic, item), written] if comes_first else [written, (topic, item)]
    story = after(*steps)
    codec = story.agents["conversations"].codec
    rows = [codec.decode(row) for key, row in story.rows("conversations").items() if key.startswith("abc12345:215")]
    assert [row.shown for row in rows if isinstance(row, Part)] == [b"", b""]
    assert [row.began for row in rows if hasattr(row, "began")] == [b""]
