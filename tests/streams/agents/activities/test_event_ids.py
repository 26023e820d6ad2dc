"""No event is on `activities` twice: not what one event gives a person again after it moved away and back, or expired and was restored."""

import random

import pytest

from schemas.activities.retention import RetentionPolicy
from tests.streams.agents.activities.test_flows import LEE, replied
from tests.streams.agents.activities.test_retention import DAY_S, replay
from tests.support.conversations.bodies import CUSTOMER, part
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.intercom_bodies import ADA, AT, contact, posted
from tests.support.tenancy import TENANCY


def ids(pipeline):
    return [dict(record.headers)["ce_id"] for record in pipeline.topics["activities"]]


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
