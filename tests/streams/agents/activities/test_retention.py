"""Details expire by the policy that the log has, and come back when it is longer and the raw topics are read again; counts never move."""

import random
import re
from pathlib import Path

import pytest

import schemas
from schemas.activities.retention import RETENTION, RetentionMessage, RetentionPolicy
from schemas.errors import InvalidRecord
from schemas.message import RecordValue
from streams.agents.activities import agent as module
from streams.agents.activities import mark_set
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.laws.test_activity_retention import PAUSES, TENANCY, World, rows
from tests.streams.agents.activities.test_flows import Story, replied
from tests.support.conversations.bodies import INES, part, reading
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.intercom_bodies import ADA, APP, AT

ROOT = Path(schemas.__file__).parent.parent
DAY_S = 86_400
TODAY = AT // DAY_S + 100
RAW = ("intercom.conversations", "intercom.activities")


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(module, "_AT_A_TIME", 2)
    monkeypatch.setattr(mark_set, "_LEAF", 2)


def replay(pipeline):
    """Append the raw topics again, as `activities restore` does."""
    for topic in RAW:
        for record in list(pipeline.topics[topic]):
            if record.value and dict(record.headers).get("ce_origin") in {b"webhook", "webhook", b"backfill", "backfill"}:
                headers = [(name, value) for name, value in record.headers if name != "ce_origin"]
                pipeline._append(topic, record.key, record.value, [*headers, ("ce_origin", b"replay")])


def history(seed, policy=None, count=30):
    pipeline = LaggingPipeline(TENANCY, random.Random(seed))
    if policy is not None:
        pipeline.retain(policy)
    for body in World(seed, PAUSES).history(count):
        pipeline.post(body)
    pipeline.run()
    return pipeline


def ids(pipeline):
    return [dict(record.headers)["ce_id"] for record in pipeline.topics["activities"]]


@pytest.mark.parametrize("seed", range(8))
def test_a_longer_policy_and_the_raw_topics_bring_all_back_with_equal_counts_and_no_id_twice(seed):
    pipeline = history(seed)
    before = {topic: pipeline.latest(topic) for topic in ("activities", "people.engagement", "orgs.engagement")}
    pipeline.wake(AT // DAY_S + 300)
    pipeline.run()
    assert pipeline.latest("activities") == {}
    assert pipeline.latest("people.engagement") == before["people.engagement"]
    published = len(pipeline.topics["people.engagement"])
    pipeline.retain(RetentionPolicy(400))
    pipeline.run()  # `activities restore` waits until every partition has the policy
    replay(pipeline)
    pipeline.run()
    assert {topic: pipeline.latest(topic) for topic in before} == before
    assert len(pipeline.topics["people.engagement"]) == published, "counts never moved"
    assert len(ids(pipeline)) == len(set(ids(pipeline)))


@pytest.mark.parametrize("seed", range(8))
def test_a_policy_that_is_shortened_and_lengthened_within_a_purge_loses_no_count(seed):
    chance, pipeline = random.Random(seed), history(seed, RetentionPolicy(400))
    pipeline.wake(TODAY + 200)
    pipeline.run()
    before = {topic: pipeline.latest(topic) for topic in ("activities", "people.engagement", "orgs.engagement")}
    pipeline.retain(RetentionPolicy(1), version=2)
    pipeline.run(chance.randrange(2, 12))
    pipeline.retain(RetentionPolicy(400), version=3)
    pipeline.run()
    assert pipeline.latest("activities").keys() <= before["activities"].keys()
    assert pipeline.latest("people.engagement") == before["people.engagement"]
    replay(pipeline)
    pipeline.run()
    assert {topic: pipeline.latest(topic) for topic in before} == before
    assert len(ids(pipeline)) == len(set(ids(pipeline)))


@pytest.mark.parametrize("seed", range(8))
def test_the_records_give_the_table_back_also_after_expiry(seed):
    pipeline = history(seed)
    pipeline.wake(TODAY)
    pipeline.run()
    rebuilt = LaggingPipeline(TENANCY, random.Random(seed))
    for topic in ("activity.records", "activity.assignments"):
        for key, value in pipeline.latest(topic).items():
            rebuilt._append(topic, key.encode(), value, [("ce_id", b"x")])
    rebuilt.wake(TODAY)
    rebuilt.run()
    assert rows(rebuilt, "activities") == rows(pipeline, "activities")
    assert {**rows(rebuilt, "timelines")} == rows(pipeline, "timelines")


def test_an_older_version_of_a_policy_changes_nothing():
    story = Story()
    story.retain(RetentionPolicy(400), version=2)
    story.report("conversation.user.replied", replied())
    story.wake(TODAY)
    story.run()
    story.retain(RetentionPolicy(1), version=1)  # of a worker, or an operator, of before
    story.run()
    assert len(story.activities()) == 1


def test_nothing_expires_before_a_wake_says_what_day_it_is():
    story = Story()
    story.retain(RetentionPolicy(1))
    story.report("conversation.user.replied", replied())
    assert len(story.activities()) == 1
    story.wake(TODAY)
    story.run()
    assert story.activities() == []


def test_what_arrives_beyond_its_limit_counts_and_leaves_no_detail_and_no_words():
    story = Story()
    story.wake(TODAY)
    story.run()
    story.report("conversation.user.replied", replied(part(1, body="secret")))
    assert story.activities() == []
    assert story.topics["activities"] == [], "it was never there"
    assert b"secret" not in b"".join([*story.latest("activity.records").values(), *story.rows("activities").values()])
    assert [count["conversation.contact_replied"] for count in story.counts().values()] == [1]


def test_a_tombstone_says_why_under_the_names_that_the_page_has():
    story = Story().contact()
    story.report("conversation.user.replied", replied(part(7)), number=2)
    story.report(
        "conversation.contact.detached",
        {"conversation": {"model": {"id": 215}, "parts": []}, "contact": {"id": ADA}},
        at=AT + 9,
        number=3,
    )
    story.wake(TODAY)
    story.run()
    names = {dict(record.headers)["ce_type"].decode() for record in story.topics["activities"] if record.value is None}
    page = (ROOT / "docs" / "activities.md").read_text()
    assert names == set(re.findall(r"`(activity\.[a-z]+\.v1)`", page)) == {"activity.expired.v1", "activity.removed.v1"}


def test_a_detail_that_comes_back_is_live_as_it_was():
    story = Story().report("conversation.user.replied", replied())
    story.wake(TODAY)
    story.run()
    story.retain(RetentionPolicy(400))
    story.run()
    replay(story)
    story.run()
    assert story.one("conversation.contact_replied")["live"] is True


def test_a_detail_that_only_a_backfill_showed_comes_back_too():
    item = replied(part(1), part(2, INES), statistics={"count_conversation_parts": 3})
    record = reading(item)
    story = Story()
    headers = [(name, value) for name, value in record.headers if name != "ce_origin"]
    story._append(RAW[0], record.key, record.value, [*headers, ("ce_origin", b"backfill")])
    story.run()
    before = story.latest("activities")
    story.wake(TODAY)
    story.run()
    assert story.activities() == []
    story.retain(RetentionPolicy(400))
    story.run()
    replay(story)
    story.run()
    assert story.latest("activities") == before


def test_an_erased_contact_takes_its_marks_along():
    story = Story().report("conversation.user.replied", replied(part(1, body="secret")))
    story.wake(TODAY)
    story.run()
    assert story.counts()
    story._append("activity.assignments", f"{APP}:{ADA}".encode(), None, [("ce_type", b"record.erased.v1")])
    story.run()
    assert (story.counts(), story.latest("activity.records")) == ({}, {})
    assert [key for key in story.rows("activities") if ADA in key] == [f"{APP}:{ADA}"]
    assert story.rows("timelines") == {}


def test_a_piece_that_is_lost_with_its_worker_is_done_again():
    story = Story().report("conversation.user.replied", replied(*(part(number) for number in range(1, 8))))
    again = Story().report("conversation.user.replied", replied(*(part(number) for number in range(1, 8))))
    again.wake(TODAY)
    again.run()
    story.wake(TODAY)
    while story._ready():
        for (name, at), work in list(story.pending.items()):
            if work and name == "activities":  # a transaction that is never committed
                story.agents[name].resume(work[0], copied(story.tables[name, at], story.agents[name].codec), ListOutbox())
        story.run(1)
    assert story.latest("people.engagement") == again.latest("people.engagement")
    assert rows(story, "activities") == rows(again, "activities")


def copied(table, codec):
    other = MemoryTable(codec)
    other.store.apply(table.rows())
    return other


@pytest.mark.parametrize(
    ("key", "policy"),
    [
        (b"", RetentionPolicy(1)),
        (b"acme|x", RetentionPolicy(1)),
        (b"acme", RetentionPolicy(-1)),
        (b"acme", RetentionPolicy(1, (("", 3),))),
    ],
)
def test_what_is_no_policy_is_a_clear_error(key, policy):
    agent = module.activities(TENANCY)
    value = RETENTION.encode(RetentionMessage(1, "e", 0, None, policy))
    with pytest.raises(InvalidRecord):
        agent.step(Batch("activity.policies", 0, [RecordValue(key, value)]), MemoryTable(agent.codec), ListOutbox())


def test_words_that_were_redacted_while_they_had_expired_do_not_come_back_with_a_longer_policy():
    begun = replied(created_at=AT, source={"type": "conversation", "id": "8", "body": "secret", "subject": "secret"})
    redacted = replied(created_at=AT, source={"type": "conversation", "id": "8", "body": None, "redacted": True})
    story = Story()
    story.wake(TODAY)
    story.report("conversation.user.created", begun).report("conversation_part.redacted", redacted, at=AT + 9, number=2)
    assert story.activities() == []
    story.retain(RetentionPolicy(400))
    story.report("conversation.user.created", begun, number=3)
    activity = story.one("conversation.started")
    assert (activity["text"], activity["redacted"], activity["attributes"]) == (None, True, {})
