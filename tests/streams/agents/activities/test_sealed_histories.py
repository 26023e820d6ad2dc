"""Conversations that are sealed amid all that happens to them: what comes once more changes no count, also of those who have joined since."""

import random
from collections import Counter

import pytest

from schemas.activities.messages import ASSIGNMENTS_TOPIC, RECORDS_TOPIC, ContactActivityRow
from schemas.activities.retention import UNLIMITED, RetentionPolicy
from schemas.cloudevents import replay_headers
from schemas.intercom.envelope import envelope
from schemas.intercom.rest_objects import READ_AS
from schemas.message import header
from schemas.profiles.checkpoints import FROM_HEADER
from streams.agents.activities import agent as module
from streams.agents.activities import mark_set
from streams.core.conversations.sealing import SEALED_AFTER_S
from tests.laws.test_activity_retention import DAY_S
from tests.streams.agents.activities.test_activity_records import kept, recorded
from tests.streams.agents.activities.test_flows import LEE, Story, replied
from tests.streams.agents.activities.test_rough_histories import any_policy
from tests.streams.agents.conversations.test_sealing import DUE, after_a_round
from tests.support.activities.rough_world import RARE, RoughWorld
from tests.support.conversations.bodies import CUSTOMER, ENTITY, INES, conversation, part
from tests.support.identity.lagging_pipeline import PARTITIONS, LaggingPipeline
from tests.support.intercom_bodies import ADA, AT
from tests.support.tenancy import TENANCY

YEARS = (1, 60, 20 * DAY_S, 400 * DAY_S)
LATER = AT + SEALED_AFTER_S + 30 * DAY_S
FOUND = (30004, 30115, 30994, 30904, 10100039, 10200035, 10701887)
"""Once a checkpoint of before a seal gave its parts back, a reading that was too late counted in a rebuild, and a sealed redaction changed types and records."""
SOURCE = {"type": "conversation", "id": "900", "author": CUSTOMER, "subject": "a secret", "body": "a secret question"}
RATING = {"rating": 5, "created_at": AT + 7, "remark": "fine"}
CLOSED = (part(1, kind=RARE), part(2, INES, kind="note", at=AT + 5), part(3, INES, kind="close", at=AT + 9))


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(module, "_AT_A_TIME", 3)
    monkeypatch.setattr(mark_set, "_LEAF", 2)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("seed", [*range(24), *FOUND])
def test_what_comes_again_after_years_changes_no_count(seed):
    check_sealed(seed, 40)


def check_sealed(seed, size):
    """Assert that a history over years leaves the same after all of it came twice more, and that the records give its counts back."""
    chance, world = random.Random(seed + 7), RoughWorld(seed, YEARS)
    records = world.history(size)
    policies = [any_policy(chance) for _ in range(chance.randint(1, 3))]
    pipeline = grown(records, policies, world.second, chance)
    check(pipeline, world.secrets())
    before = counted(pipeline)
    assert counted(rebuilt(pipeline, policies, world.second)) == before
    for rounds in range(3):
        assert conversations_behind(pipeline, rounds) == lasting(pipeline)
    for number in range(2):
        again = records if number == 0 else chance.sample(records, len(records))
        for topic, key, value, headers in again:
            pipeline._append(topic, key, value, replay_headers(headers, f"r{number}") if chance.random() < 0.5 else headers)
            pipeline.run(chance.randrange(4))
        pipeline.run()
        check(pipeline, world.secrets())
        assert counted(pipeline) == before


def grown(records, policies, last, chance):
    """Return the pipeline after the records in their order, with rounds of checkpoints, wakes and policies at any place."""
    pipeline, second = LaggingPipeline(TENANCY, chance), AT
    places = sorted(chance.sample(range(len(records)), len(policies)))
    for at, record in enumerate(records):
        second = max(second, second_of(record))
        if at in places:
            pipeline.retain(policies[places.index(at)], version=places.index(at) + 1)
        if chance.random() < 0.2:
            begin_round(pipeline, second)
        if chance.random() < 0.3:
            pipeline.wake(second // DAY_S, *([chance.randrange(PARTITIONS)] if chance.random() < 0.5 else []))
        pipeline._append(*record)
        pipeline.run(None if chance.random() < 0.5 else chance.randrange(6))
    pipeline.wake(last // DAY_S)
    begin_round(pipeline, last)
    pipeline.run()
    return pipeline


def second_of(record):
    _, _, value, headers = record
    return 0 if header(headers, READ_AS) is not None else envelope(value).created_at


def begin_round(pipeline, second):
    for at in range(PARTITIONS):
        pipeline._append("intercom.conversations", b"", b"", DUE, at, timestamp=second * 1000)


def rebuilt(whole, policies, last):
    """Return what `activity.records` gives back alone."""
    pipeline = LaggingPipeline(TENANCY, whole.chance, only={"activities", "timelines"})
    pipeline.retain(policies[-1], version=len(policies))
    for topic in (ASSIGNMENTS_TOPIC, RECORDS_TOPIC):
        for key, value in whole.latest(topic).items():
            pipeline.append(topic, key, value)
            pipeline.run(pipeline.chance.randrange(4))
    pipeline.wake(last // DAY_S)
    pipeline.run()
    return pipeline


def conversations_behind(whole, rounds):
    """Return the conversations that the inbound topic gives back, whole or from where so many of a partition's last rounds of checkpoints began."""
    log, partitions = whole.topics["intercom.conversations"], whole.partitions["intercom.conversations"]
    began = [[] for _ in range(PARTITIONS)]
    for record, at in zip(log, partitions, strict=True):
        if (first := header(record.headers, FROM_HEADER)) is not None:
            began[at].append(int(first))
    starts = [[0, *each][-rounds:][0] if rounds else 0 for each in began]
    pipeline = LaggingPipeline(TENANCY, whole.chance, only={"conversations"})
    for record, at in zip(log, partitions, strict=True):
        if record.key and record.offset >= starts[at]:
            pipeline._append("intercom.conversations", record.key, record.value, record.headers)
    pipeline.run()
    return lasting(pipeline)


def lasting(pipeline):
    return pipeline.values("conversations")


def counted(pipeline):
    return pipeline.values("people.engagement")


def check(pipeline, secrets):
    """Assert that the topic has what the tables have, that nobody has words that are gone, and that no id came twice."""
    assert recorded(pipeline) == kept(pipeline)
    left = [*pipeline.latest("activities").values(), *pipeline.latest(RECORDS_TOPIC).values()]
    left += [row for agent in ("activities", "timelines", "conversations") for row in pipeline.rows(agent).values()]
    assert not [words for words in secrets if words.encode() in b"".join(left)]
    ids = [dict(record.headers)["ce_id"] for record in pipeline.topics["activities"]]
    assert len(ids) == len(set(ids))
    check_numbers(pipeline)


def check_numbers(pipeline):
    """Assert that each contact counts what it has, in each conversation and in all: details and marks."""
    codec = pipeline.agents["activities"].codec
    rows = [(key.split("|"), codec.decode(row)) for key, row in pipeline.rows("activities").items()]
    details = Counter((key[0], row.activity.type, key[2]) for key, row in rows if isinstance(row, ContactActivityRow))
    parts = {(key[0], key[2], key[3]): row for key, row in rows if key[1:2] == ["s"]}
    assert {place: row.number for place, row in parts.items()} == {
        place: details[place] + row.expired for place, row in parts.items()
    }
    whole = Counter()
    for (contact, type_, _), row in parts.items():
        whole[contact, type_] += row.number
    for key, row in rows:
        if key[1:2] == ["z"]:
            whole[key[0], key[2]] += row.number
    assert {(key[0], key[2]): row.number for key, row in rows if key[1:2] == ["t"]} == dict(+whole)


def a_sealed_conversation(days=90):
    """Return a conversation that was rated and closed, and is sealed."""
    story = Story()
    story.retain(RetentionPolicy(days))
    closed = replied(*CLOSED, updated=AT + 9, created_at=AT, source=SOURCE, conversation_rating=RATING)
    story.report("conversation.admin.closed", closed, at=AT + 9)
    return after_a_round(story, LATER)


def joined(story, second, number):
    item = {"conversation": {"model": {"id": int(ENTITY)}, "parts": []}, "contact": {"id": LEE}}
    return story.report("conversation.contact.attached", item, at=second, number=number)


def test_a_redaction_after_the_seal_counts_nothing_of_another_type():
    story = a_sealed_conversation()
    before = counted(story)
    hidden = part(1, kind=RARE, body=None, redacted=True)
    story.report("conversation_part.redacted", replied(hidden, updated=LATER + 5), at=LATER + 5, number=2)
    assert counted(story) == before


def test_who_joins_after_the_seal_is_given_nothing_of_before_it_by_what_shows_it_again():
    story = joined(a_sealed_conversation(), LATER + 1, 2)
    shown = replied(
        part(4, at=LATER + 9), updated=LATER + 9, created_at=AT, source=SOURCE, conversation_rating=RATING, contacts=(ADA, LEE)
    )
    story.report("conversation.user.replied", shown, at=LATER + 9, number=3)
    hidden = replied(
        part(1, kind=RARE, redacted=True),
        updated=LATER + 20,
        created_at=AT,
        source={**SOURCE, "redacted": True},
        contacts=(ADA, LEE),
    )
    story.report("conversation_part.redacted", hidden, at=LATER + 20, number=4)
    (lee,) = {each["person"] for each in story.activities() if each["contacts"] == [f"abc12345:{LEE}"]}
    assert story.counts()[lee] == {"conversation.contact_joined": 1, "conversation.contact_replied": 1}


def test_who_came_or_read_before_the_seal_is_too_late_once_it_is_sealed():
    """Neither moves `updated_at`."""
    story = Story()
    story.report("conversation.admin.closed", replied(*CLOSED, updated=AT + 9), at=AT + 9)
    read = conversation(updated=AT + 9, read=True)
    story.report("conversation.read", read, at=AT + 50, number=2)
    after_a_round(story, LATER)
    joined(story, LATER + 1, 3)
    before = counted(story)
    story.report("conversation.read", read, at=AT + 50, number=2)
    assert counted(story) == before


def test_a_redaction_of_what_began_a_sealed_conversation_takes_its_words_though_updated_at_is_of_before():
    story = a_sealed_conversation(UNLIMITED)
    hidden = conversation(updated=AT + 9, created_at=AT, source={**SOURCE, "body": None, "subject": None, "redacted": True})
    story.report("conversation_part.redacted", hidden, at=LATER + 5, number=2)
    (begun,) = story.activities("conversation.started")
    assert (begun["text"], begun["redacted"], begun["attributes"]) == (None, True, {})


def test_what_is_new_is_not_sealed_with_details_that_outlived_the_seal():
    """They expire together; who joins afterwards has what is new, whether it comes once more or not."""
    story = a_sealed_conversation(UNLIMITED)
    shown = replied(part(4, at=LATER + 9), updated=LATER + 9)
    story.report("conversation.user.replied", shown, at=LATER + 9, number=2)
    story.retain(RetentionPolicy(30), version=2)
    story.wake(LATER // DAY_S + 40)
    story.run()
    joined(story, LATER + 50 * DAY_S, 3)
    before = counted(story)
    story.report("conversation.user.replied", shown, at=LATER + 9, number=2)
    assert counted(story) == before
