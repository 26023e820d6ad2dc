"""No event is on a public topic twice: not what one event gives a person again after it moved away and back, or expired and was restored."""

import random

import pytest

from schemas.activities.messages import PATCH, RECORD, ActivityRecord, MarksPatch
from schemas.activities.records import PersonActivity, TimeBasis
from schemas.activities.retention import RETENTION, RetentionMessage, RetentionPolicy
from schemas.message import RecordValue
from schemas.profiles.registers import PatchCause
from schemas.topics import DAY_MS
from streams.agents.activities import agent as module
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
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
@pytest.mark.parametrize("is_late", [False, True])
def test_a_contact_that_is_moved_away_and_back_by_the_event_that_its_activity_is_of(seed, is_late):
    chance = random.Random(seed)
    merged = {**contact(LEE, updated=(AT + 50) * 1000), "merged_from": {"type": "contact", "id": ADA}}
    posts = [created(ADA, 1), created(LEE, 2), posted("contact.merged", merged, at=AT + 50, number=3)]
    posts += chance.choices(posts, k=2)
    chance.shuffle(posts)
    pipeline = LaggingPipeline(TENANCY, chance)
    if is_late:
        pipeline.wake(AT // DAY_S + 200)
    for body in posts:
        pipeline.post(body)
        pipeline.run(chance.randrange(6))
    pipeline.run()
    for topic in ("activities", "people.engagement"):
        assert len(ids(pipeline, topic)) == len(set(ids(pipeline, topic))), topic


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


def test_a_reading_that_shows_what_is_known_is_no_event_of_its_conversation():
    item = replied(part(1), updated=AT)
    story = Story().read(item, requested=AT + 50).read(item, requested=AT + 60)
    assert len(ids(story, "conversations")) == 1
    story.read(replied(part(1), updated=AT + 70), requested=AT + 80)
    assert len(ids(story, "conversations")) == len(set(ids(story, "conversations"))) == 2


def test_what_one_event_lets_expire_before_and_after_it_was_restored(monkeypatch):
    """The event says that the note is older than was known. It comes once more when the limit is shorter again and no purge has come that far."""
    monkeypatch.setattr(module, "_AT_A_TIME", 1)
    agent = module.activities(TENANCY)
    table, sent = MemoryTable(agent.codec), []

    def feed(topic, record):
        out = ListOutbox()
        agent.step(Batch(topic, 0, [record]), table, out)  # the rest of the work, which is a purge, waits
        table.commit()
        sent.extend(out.sent)

    def observe(time, basis, event, contact=b"c1"):
        noted = PersonActivity(id="a1", type="conversation.noted", time=time, basis=basis)
        message = RECORD.encode(ActivityRecord(noted, PatchCause(event, 0)))
        feed("activity.records", RecordValue(b"abc12345:%s|a1" % contact, message))

    def retain(days, version):
        policy = RETENTION.encode(RetentionMessage(version, "e", 0, None, RetentionPolicy(days)))
        feed("activity.policies", RecordValue(b"acme", policy))

    day = AT // DAY_S
    feed("contact.wakes", RecordValue(b"", b"", timestamp=day * DAY_MS))
    observe(day * DAY_MS, TimeBasis.PART, "other", contact=b"c0")  # where a purge begins
    observe(day * DAY_MS, TimeBasis.NOTIFICATION, "first")
    observe((day - 200) * DAY_MS, TimeBasis.PART, "second")
    retain(400, 1)
    observe(day * DAY_MS, TimeBasis.NOTIFICATION, "first")
    retain(30, 2)
    observe((day - 200) * DAY_MS, TimeBasis.PART, "second")
    patches = [each for each in sent if each.topic == "activity.patches"]
    expired = [each for each in map(PATCH.decode, (each.value for each in patches)) if isinstance(each, MarksPatch)]
    assert [each.expired for each in expired] == [expired[0].expired] * 2
    assert len({each.cause.event for each in expired}) == 2, "of which the ids on `activities` are made"
    assert len({dict(each.headers)["ce_id"] for each in patches}) == len(patches)
