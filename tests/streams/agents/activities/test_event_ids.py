"""No event is on a public topic twice: not what one event gives a person again after it moved away and back, or expired and was restored."""

import random

import pytest

from schemas.activities.retention import RetentionPolicy
from tests.streams.agents.activities.test_flows import LEE, Story, replied
from tests.streams.agents.activities.test_retention import DAY_S, replay
from tests.support.conversations.bodies import CUSTOMER, part
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.intercom_bodies import ADA, AT, contact, posted
from tests.support.tenancy import TENANCY


def ids(pipeline, topic="activities"):
    return [dict(record.headers)["ce_id"] for record in pipeline.topics[topic]]


def created(identifier, number):
    return posted(
        "contact.user.created", contact(identifier, role="user", created_at=AT, external_id=f"u{number}"), number=number
    )


@pytest.mark.parametrize("seed", range(40))
def test_a_contact_that_is_moved_away_and_back_by_the_event_that_its_activity_is_of(seed):
    chance = random.Random(seed)
    merged = {**contact(LEE, updated=(AT + 50) * 1000), "merged_from": {"type": "contact", "id": ADA}}
    posts = [created(ADA, 1), created(LEE, 2), posted("contact.merged", merged, at=AT + 50, number=3)]
    posts += chance.choices(posts, k=2)
    chance.shuffle(posts)
    pipeline = LaggingPipeline(TENANCY, chance)
    for body in posts:
        pipeline.post(body)
        pipeline.run(chance.randrange(6))
    pipeline.run()
    assert len(ids(pipeline)) == len(set(ids(pipeline)))


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_activity_that_two_events_made_and_the_same_two_restore(order):
    begun = replied(created_at=AT, source={"type": "conversation", "id": "9", "author": CUSTOMER, "body": "<p>Hello</p>"})
    later = replied(part(2, at=AT + 5), created_at=AT, updated=AT + 5)
    posts = [
        posted("conversation.user.created", begun, number=1),
        posted("conversation.user.replied", later, at=AT + 5, number=2),
    ]
    pipeline = LaggingPipeline(TENANCY, random.Random(1))
    for place in order:
        pipeline.post(posts[place])
        pipeline.run()
    before = pipeline.latest("activities")
    pipeline.wake(AT // DAY_S + 200)
    pipeline.run()
    pipeline.retain(RetentionPolicy(400))
    pipeline.run()
    replay(pipeline)
    pipeline.run()
    assert pipeline.latest("activities") == before
    assert len(ids(pipeline)) == len(set(ids(pipeline)))


@pytest.mark.parametrize("seed", range(12))
def test_counts_that_one_event_moves_in_several_parts(seed):
    chance = random.Random(seed)
    pipeline = LaggingPipeline(TENANCY, chance)
    pipeline.post(created(ADA, 1), created(LEE, 2))
    for number, kind in enumerate(("comment", "note", "close"), 3):
        item = replied(part(number, kind=kind), contacts=(ADA, LEE), created_at=AT)
        pipeline.post(posted("conversation.user.replied", item, number=number))
    pipeline.run()
    pipeline.wake(AT // DAY_S + 200)
    pipeline.run()
    for second, email in ((10, "both@a.org"), (20, "lee@a.org")):
        known = {**contact(ADA, updated=(AT + second) * 1000), "role": "user", "email": "both@a.org"}
        pipeline.post(posted("contact.user.updated", known, at=AT + second, number=second))
        also = {**contact(LEE, updated=(AT + second) * 1000), "role": "user", "email": email}
        pipeline.post(posted("contact.user.updated", also, at=AT + second, number=second + 1))
        pipeline.run()
    for topic in ("activities", "people.engagement", "conversations"):
        assert len(ids(pipeline, topic)) == len(set(ids(pipeline, topic))), topic
    counts = [
        {name: each["count"] for name, each in value["types"].items()} for value in pipeline.values("people.engagement").values()
    ]
    assert counts == [counts[0]] * 2


def test_a_reading_under_two_requests_is_two_events_of_its_conversation():
    item = replied(part(1), updated=AT)
    story = Story().read(item, requested=AT + 50).read(item, requested=AT + 60)
    assert len(ids(story, "conversations")) == len(set(ids(story, "conversations"))) == 2
