"""What compaction leaves of `activity.records` is what the tables have: nothing that has no limit there, and all that a rebuild needs."""

import random

import pytest

from schemas.activities.marks import mark_of
from schemas.activities.messages import ASSIGNMENTS_TOPIC, RECORD, RECORDS_TOPIC, ActivityRecord, ContactActivityRow
from schemas.activities.retention import RetentionPolicy
from schemas.partition import partition_of
from streams.agents.activities import agent as module
from streams.agents.activities import mark_set
from tests.laws.test_activity_retention import DAY_S, PAUSES, POLICY, run
from tests.support.activities.world import World
from tests.support.conversations.bodies import ENTITY, INES, conversation, part, reading
from tests.support.identity.lagging_pipeline import PARTITIONS, LaggingPipeline
from tests.support.intercom_bodies import AT, posted
from tests.support.tenancy import TENANCY


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(module, "_AT_A_TIME", 3)
    monkeypatch.setattr(mark_set, "_LEAF", 2)


def recorded(pipeline):
    """Return the activities on the topic by contact, conversation and mark."""
    messages = {key: RECORD.decode(value) for key, value in pipeline.latest(RECORDS_TOPIC).items()}
    return {
        (key.partition("|")[0], message.activity.conversation, mark_of(message.activity.id)): message.activity
        for key, message in messages.items()
        if isinstance(message, ActivityRecord)
    }


def kept(pipeline):
    """Return the details in the tables, likewise."""
    codec = pipeline.agents["activities"].codec
    rows = ((key.split("|"), codec.decode(data)) for key, data in pipeline.rows("activities").items())
    return {(key[0], key[2], key[3]): row.activity for key, row in rows if isinstance(row, ContactActivityRow)}


@pytest.mark.parametrize("seed", range(16))
def test_the_topic_has_the_details_of_the_tables_and_gives_activities_and_counts_back_alone(seed):
    last_day = AT // DAY_S + random.Random(seed).choice((20, 70, 200))
    whole = run(World(seed, PAUSES).history(40), seed, last_day)
    assert recorded(whole) == kept(whole)

    rebuilt = LaggingPipeline(TENANCY, random.Random(seed), only={"activities", "timelines"})
    rebuilt.retain(POLICY)
    for topic in (ASSIGNMENTS_TOPIC, RECORDS_TOPIC):
        for key, value in whole.latest(topic).items():
            rebuilt.append(topic, key, value)
            rebuilt.run(rebuilt.chance.randrange(4))
    rebuilt.run()
    rebuilt.wake(last_day)
    rebuilt.run()
    for topic in ("activities", "people.engagement", "orgs.engagement"):
        assert rebuilt.values(topic) == whole.values(topic)


BEGUN = posted("conversation.user.created", conversation(contacts=("c1",)))
JOINED = posted("conversation.admin.noted", conversation(updated=AT + 10, contacts=("c1", "c2")), at=AT + 10, number=2)
LEFT = posted("conversation.admin.closed", conversation(updated=AT + 20, contacts=("c1",)), at=AT + 20, number=3)
REPLIED = posted("conversation.user.replied", conversation(part(1, INES, body="secret"), contacts=("c1",)), number=4)
DELETED = posted("conversation.deleted", {"conversation_id": ENTITY}, at=AT + 30, number=5)


@pytest.mark.parametrize("seed", range(40))
def test_what_reaches_somebody_who_has_left_meanwhile_does_not_stay_on_the_topic(seed):
    """The first passes everything on to the second, in another partition, who learns before that they take part no more."""
    pipeline = LaggingPipeline(TENANCY, random.Random(seed))
    pipeline.post(REPLIED, BEGUN, JOINED, LEFT)
    pipeline.run()
    assert {contact for contact, _, _ in recorded(pipeline)} == {"abc12345:c1"}
    assert recorded(pipeline) == kept(pipeline)


@pytest.mark.parametrize("seed", range(40))
def test_what_reaches_a_contact_once_the_conversation_is_deleted_leaves_no_words_on_the_topic(seed):
    pipeline = LaggingPipeline(TENANCY, random.Random(seed))
    pipeline.post(REPLIED, BEGUN, JOINED, DELETED)
    pipeline.run()
    assert b"secret" not in b"".join(pipeline.latest(RECORDS_TOPIC).values())
    assert recorded(pipeline) == kept(pipeline)


TODAY = AT // DAY_S + 100


@pytest.mark.parametrize("seed", range(60))
def test_what_comes_back_twice_at_once_is_on_the_topic_though_what_took_it_away_is_behind_it(seed):
    """The first repetition finds it expired; the policy is longer when the second one comes, which was on the topic before the first one was forgotten."""
    pipeline = LaggingPipeline(TENANCY, random.Random(seed))
    pipeline.wake(TODAY)
    pipeline.run()
    pipeline.post(REPLIED, REPLIED)
    pipeline.run(3)
    pipeline.retain(RetentionPolicy(400))
    pipeline.run()
    assert recorded(pipeline) == kept(pipeline)


@pytest.mark.parametrize("seed", range(60))
def test_what_a_mark_says_of_an_activity_that_only_a_reading_showed_is_on_the_topic(seed):
    """The first contact has only the mark of the note, which was live; the second one joins, and the day has not come to its partition."""
    pipeline = LaggingPipeline(TENANCY, random.Random(seed))
    note = part(1, INES, kind="note")
    pipeline.post(posted("conversation.admin.noted", conversation(note, contacts=("c1",))))
    pipeline.run()
    pipeline.wake(TODAY, partition_of(b"abc12345:c1", PARTITIONS))
    pipeline.run()
    pipeline.post(JOINED)
    shown = reading(conversation({**note, "body": "Hello"}, updated=AT + 10, contacts=("c1", "c2")))
    pipeline._append("intercom.conversations", shown.key, shown.value, shown.headers)
    pipeline.run()
    assert recorded(pipeline) == kept(pipeline)
    assert {activity.live for (contact, _, _), activity in kept(pipeline).items() if contact == "abc12345:c2"} == {True}


@pytest.mark.parametrize("seed", range(60))
def test_what_a_contact_has_again_that_is_back_is_on_the_topic(seed):
    pipeline = LaggingPipeline(TENANCY, random.Random(seed))
    both = ("c1", "c2")
    pipeline.post(posted("conversation.user.created", conversation(part(1), part(2), part(3), part(4), contacts=both)))
    pipeline.run(pipeline.chance.randrange(12))
    for number, members in enumerate((("c1",), both, ("c1",), both), 2):
        at = AT + 10 * number
        pipeline.post(posted("conversation.admin.closed", conversation(updated=at, contacts=members), at=at, number=number))
        pipeline.run(pipeline.chance.randrange(12))
    pipeline.run()
    assert recorded(pipeline) == kept(pipeline)
    assert {len([1 for contact, _, _ in kept(pipeline) if contact == f"abc12345:{each}"]) for each in both} == {8}
