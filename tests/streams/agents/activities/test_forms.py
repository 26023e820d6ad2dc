"""What webhooks and readings say of one activity in different forms is joined whatever came first."""

import itertools

import pytest

from schemas.intercom.conversations import ConversationRow, Part
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


def test_a_mark_of_a_form_says_nothing_about_words():
    codec = Story().agents["conversations"].codec

    def marks(body):
        item = replied(part(1, body=body), created_at=AT, source=source(body=body))
        rows = [
            codec.decode(row) for key, row in after(("", item)).rows("conversations").items() if key.startswith("abc12345:215")
        ]
        return [row.shown for row in rows if isinstance(row, Part)], [
            row.began for row in rows if isinstance(row, ConversationRow)
        ]

    assert marks("<p>yes</p>") == marks("<p>nay</p>") != marks("<p>perhaps</p>")


def test_who_began_a_conversation_is_learnt_after_its_deletion_too():
    posts = [
        ("conversation.deleted", {"type": "conversation", "conversation_id": "215"}),
        ("conversation.user.replied", replied(part(1, INES), created_at=AT, source=None)),
        ("conversation.admin.closed", replied(part(2, INES, kind="close"), created_at=AT, source=source())),
    ]
    found = [after(*order).latest("activities") for order in itertools.permutations(posts)]
    assert found == [found[0]] * len(found)
