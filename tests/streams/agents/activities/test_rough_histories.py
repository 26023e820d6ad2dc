"""Conversations that are redacted, deleted, rated, read and replayed, while policies change: what is left is what a plain reading of it all says."""

import random
from collections import defaultdict

import pytest

from schemas.activities.retention import COUNT, RetentionPolicy, checked
from schemas.cloudevents import replay_headers
from streams.agents.activities import agent as module
from streams.agents.activities import mark_set
from tests.laws.test_activity_retention import DAY_S
from tests.streams.agents.activities.test_activity_records import kept, recorded
from tests.support.activities.rough_world import RoughWorld
from tests.support.identity.lagging_pipeline import PARTITIONS, LaggingPipeline
from tests.support.intercom_bodies import AT
from tests.support.tenancy import TENANCY

SEEDS = range(24)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    monkeypatch.setattr(module, "_AT_A_TIME", 3)
    monkeypatch.setattr(mark_set, "_LEAF", 2)


def run(records, seed, policies=(), last_day=None):
    """Return the pipeline after the records in a random order, some twice, with the policies at any place, and wakes too where there is a last day."""
    chance = random.Random(seed)
    pipeline = LaggingPipeline(TENANCY, chance)
    shuffled = [*records, *chance.choices(records, k=len(records) // 5)]
    chance.shuffle(shuffled)
    places = sorted(chance.sample(range(len(shuffled)), len(policies)))
    day = AT // DAY_S
    for at, record in enumerate(shuffled):
        if at in places:
            pipeline.retain(policies[places.index(at)], version=places.index(at) + 1)
        if last_day is not None and chance.random() < 0.2:
            day = chance.randint(day, last_day)
            pipeline.wake(day, chance.randrange(PARTITIONS))
        pipeline._append(*record)
        pipeline.run(chance.randrange(4))
    pipeline.run()
    if last_day is not None:
        pipeline.wake(last_day)
        pipeline.run()
    return pipeline


def shown(pipeline):
    return sorted(
        (each["person"], each["type"], each["time"], each["text"] or "") for each in pipeline.values("activities").values()
    )


def check_counts_and_records(pipeline, expected, secrets):
    """Assert that all is counted, that the topic has what the tables have, and that nobody has words that are gone."""
    times = defaultdict(list)
    for (person, _), (type_, time, _words) in expected.items():
        times[person, type_].append(time)
    assert {
        (person, type_): (each["count"], each["first_at"], each["last_at"])
        for person, value in pipeline.values("people.engagement").items()
        for type_, each in value["types"].items()
    } == {key: (len(found), min(found), max(found)) for key, found in times.items()}
    assert recorded(pipeline) == kept(pipeline)
    left = [*pipeline.latest("activities").values(), *pipeline.latest("activity.records").values()]
    left += [row for agent in ("activities", "timelines", "conversations") for row in pipeline.rows(agent).values()]
    assert not [words for words in secrets if words.encode() in b"".join(left)]


@pytest.mark.parametrize("seed", SEEDS)
def test_redactions_deletions_ratings_readings_and_replays_give_the_same_in_any_order(seed):
    check_any_order(seed)


def check_any_order(seed, size=30):
    """Assert that two orders of a history leave the same, and what a plain reading leaves."""
    world = RoughWorld(seed)
    records = world.history(size)
    first, second = run(records, seed), run(records, seed + 1_000)
    for topic in ("conversations", "activities", "people.engagement"):
        assert first.latest(topic) == second.latest(topic)
    expected = world.expected(list(first.values("people").values()))
    assert shown(first) == sorted((person, *activity) for (person, _), activity in expected.items())
    check_counts_and_records(first, expected, world.secrets())


def any_policy(chance):
    types = tuple(
        (each, chance.choice((0, 5, 400))) for each in ("conversation.noted", "conversation.started") if chance.random() < 0.5
    )
    rates = tuple(
        (each, chance.choice(("keep", "count"))) for each in ("content_stat.email", "content_stat.*") if chance.random() < 0.5
    )
    return checked(RetentionPolicy(chance.choice((0, 5, 30, 90, 400)), types, rates))


@pytest.mark.parametrize("seed", SEEDS)
def test_policies_that_change_meanwhile_lose_no_count_and_all_that_they_allow_comes_back(seed):
    check_policies(seed)


def test_words_that_come_from_another_contact_behind_a_redaction_that_expired_do_not_stay():
    check_policies(9710211, 40)


def test_a_tombstone_of_a_time_when_a_contact_took_no_part_does_not_take_what_it_has_since_off_the_records():
    check_policies(9730967, 40)


def test_marks_that_come_into_other_rows_while_their_contact_moves_leave_its_old_profile():
    check_policies(11203221, 120)


def check_policies(seed, size=30):
    """Assert that all is counted whatever policies came meanwhile, and that a restoration brings back what the last one allows."""
    chance, world = random.Random(seed + 7), RoughWorld(seed, (1, 60, DAY_S, 4 * DAY_S))
    records, last_day = world.history(size), AT // DAY_S + chance.choice((20, 70, 200))
    policies = [any_policy(chance) for _ in range(chance.randint(1, 4))]
    pipeline, policy = run(records, seed, policies, last_day), policies[-1]
    expected = world.expected(list(pipeline.values("people").values()))
    check_counts_and_records(pipeline, expected, world.secrets())

    for topic, key, value, headers in records:
        pipeline._append(topic, key, value, replay_headers(headers, "restored"))
        pipeline.run(chance.randrange(4))
    pipeline.run()
    assert shown(pipeline) == sorted((person, *each) for (person, _), each in expected.items() if is_kept(policy, each, last_day))
    check_counts_and_records(pipeline, expected, world.secrets())
    ids = [dict(record.headers)["ce_id"] for record in pipeline.topics["activities"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("seed", [10102581, 10103223, 10402161])
def test_a_redaction_of_what_has_expired_leaves_its_type_and_counts_nothing_twice(seed):
    check_policies(seed, 40 if seed // 2 % 10 else 120)


def is_kept(policy, activity, last_day):
    type_, time, _ = activity
    days = policy.days_of(type_)
    return policy.rate_of(type_) != COUNT and (not days or time >= (last_day - days) * DAY_S * 1000)
