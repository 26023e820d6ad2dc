"""Details expire by wakes alone; counts, first and last never change by it: whatever the order, the repetitions, the lags and the wakes between."""

import random
from collections import defaultdict

import pytest

from schemas.activities.retention import RetentionPolicy
from schemas.partition import partition_of
from streams.agents.activities import agent as module
from streams.agents.activities import mark_set
from streams.agents.rebuilt.activity_rows import comparable
from tests.support.activities.world import World, truth, truth_of_orgs
from tests.support.conversations.bodies import INES, conversation, part
from tests.support.identity.lagging_pipeline import PARTITIONS, LaggingPipeline
from tests.support.intercom_bodies import AT, posted
from tests.support.tenancy import TENANCY

SEEDS = (*range(12), 24, 41)  # in 24 a purge meets conversations that move, in 41 a policy walks while contacts move in the index
DAY_S = 86_400
PAUSES = (1, 60, DAY_S, 4 * DAY_S)
POLICY = RetentionPolicy(30, (("call.ended", 0), ("conversation.noted", 60)))


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(module, "_AT_A_TIME", 3)
    monkeypatch.setattr(mark_set, "_LEAF", 2)


def run(bodies, seed, last_day, policy=POLICY):
    """Return the pipeline after the posts in a random order, some twice, with wakes of any partition at any place, and the last day at the end."""
    chance = random.Random(seed)
    pipeline = LaggingPipeline(TENANCY, chance)
    pipeline.retain(policy)
    posts = [*bodies, *chance.choices(bodies, k=len(bodies) // 4)]
    chance.shuffle(posts)
    days = [AT // DAY_S] * PARTITIONS
    for body in posts:
        pipeline.post(body)
        if chance.random() < 0.3:
            at = chance.randrange(PARTITIONS)
            days[at] = chance.randint(days[at], last_day)
            pipeline.wake(days[at], at)
        pipeline.run(chance.randrange(4))
    pipeline.run()
    pipeline.wake(last_day)
    pipeline.run()
    return pipeline


def rows(pipeline, agent):
    """Return what two tables must have alike, by key: not whose a contact was once, nor when somebody joined a conversation."""
    codec = pipeline.agents[agent].codec
    found = {}
    for key, data in pipeline.rows(agent).items():
        group, _, item = key.partition("|")
        if item.partition("|")[0] not in ("", "r"):
            found[key] = comparable(group, item, codec.decode(data), tenancy=TENANCY)
    return {key: value for key, value in found.items() if value is not None}


def horizon(policy, type_, last_day):
    days = dict(policy.types).get(type_, policy.days)
    return (last_day - days) * DAY_S * 1000 if days else 0


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_left_is_what_a_plain_reading_says_in_any_order_and_with_wakes_anywhere(seed):
    bodies = World(seed, PAUSES).history(40)
    last_day = AT // DAY_S + random.Random(seed).choice((20, 70, 200))
    first, second = run(bodies, seed, last_day), run(bodies, seed + 1_000, last_day)
    for topic in ("activities", "people.engagement", "orgs.engagement"):
        assert first.latest(topic) == second.latest(topic)
    for agent in ("activities", "timelines"):
        assert rows(first, agent) == rows(second, agent)

    people, orgs = truth(bodies, first.values("people").values()), truth_of_orgs(bodies, first.values("orgs").values())
    values = list(first.values("activities").values())
    compare(people, [(each["person"], each) for each in values if not each["org"]], first.values("people.engagement"), last_day)
    compare(orgs, [(each["org"], each) for each in values if each["org"]], first.values("orgs.engagement"), last_day)


def compare(expected, values, engagement, last_day):
    """Assert that there are the details that a plain reading leaves, and that all is counted."""
    shown = sorted((profile, value["type"], value["time"], value["text"] or "") for profile, value in values)
    assert shown == sorted(
        (profile, type_, time, words)
        for (profile, _), (type_, time, words) in expected.items()
        if time >= horizon(POLICY, type_, last_day)
    )
    counts = defaultdict(list)
    for (profile, _), (type_, time, _words) in expected.items():
        counts[profile, type_].append(time)
    assert {
        (profile, type_): (each["count"], each["first_at"], each["last_at"])
        for profile, value in engagement.items()
        for type_, each in value["types"].items()
    } == {key: (len(times), min(times), max(times)) for key, times in counts.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_words_and_no_ids_of_expired_activities_are_left_and_no_id_is_written_twice(seed):
    bodies = World(seed, PAUSES).history(40)
    last_day = AT // DAY_S + 200
    pipeline = run(bodies, seed, last_day, RetentionPolicy(30))
    ids = [dict(record.headers)["ce_id"] for record in pipeline.topics["activities"]]
    assert len(ids) == len(set(ids))
    assert pipeline.latest("activities") == {}
    assert not [row for row in pipeline.rows("timelines").values() if b"shared" in row]
    left = b"".join([*pipeline.latest("activity.records").values(), *pipeline.rows("activities").values()])
    assert b"word" not in left
    assert pipeline.values("people.engagement")


NOTED = posted("conversation.admin.noted", conversation(part(1, INES, kind="note"), contacts=("c1",)))
JOINED = posted("conversation.admin.closed", conversation(updated=AT + 10, contacts=("c1", "c2")), at=AT + 10, number=2)


@pytest.mark.parametrize("seed", range(40))
def test_marks_that_come_before_any_day_is_known_let_no_detail_expire(seed):
    """The note is a mark with the first contact when the second joins, in whose partition no day has come: there it is repeated around the mark."""
    chance = random.Random(seed)
    pipeline, last_day = LaggingPipeline(TENANCY, chance), AT // DAY_S + 200
    pipeline.post(NOTED)
    pipeline.run()
    pipeline.wake(last_day, partition_of(b"abc12345:c1", PARTITIONS))
    pipeline.run()
    for body in (JOINED, NOTED, NOTED):
        pipeline.post(body)
        pipeline.run(chance.randrange(12))
    pipeline.run()
    (key,) = [key for key, each in pipeline.values("activities").items() if each["type"] == "conversation.noted"]
    pipeline.wake(last_day)
    pipeline.run()
    headers = [dict(record.headers) for record in pipeline.topics["activities"] if record.key == key.encode()]
    assert [each["ce_type"] for each in headers] == [b"activity.recorded.v1", b"activity.expired.v1"]
    assert not pipeline.values("activities")
    ids = [dict(record.headers)["ce_id"] for record in pipeline.topics["activities"]]
    assert len(ids) == len(set(ids))


NOTES = [part(number, INES, kind="note") for number in range(1, 4)]
NOTED_TWICE = [posted("conversation.admin.noted", conversation(*NOTES, contacts=("c1",)), number=number) for number in (3, 4)]


@pytest.mark.parametrize("seed", range(40))
def test_what_is_still_to_be_passed_on_is_counted_by_those_who_join_though_it_comes_again_expired(monkeypatch, seed):
    """The first contact writes the repeated notes back to `activity.records`; these records and the day reach it while the notes are on their way."""
    monkeypatch.setattr(module, "_AT_A_TIME", 1)
    chance = random.Random(seed)
    pipeline = LaggingPipeline(TENANCY, chance)
    pipeline.post(NOTED_TWICE[0])
    pipeline.run()
    pipeline.post(NOTED_TWICE[1], JOINED)
    pipeline.run(chance.randrange(12))
    pipeline.wake(AT // DAY_S + 200)
    pipeline.run()
    counts = [
        {name: each["count"] for name, each in value["types"].items()} for value in pipeline.values("people.engagement").values()
    ]
    assert counts == [{"conversation.closed": 1, "conversation.noted": len(NOTES)}] * 2
    assert not pipeline.values("activities")
