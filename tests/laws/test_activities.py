"""Activities and engagement are the same whatever order, repetition and lag of agents, and what a plain reading of the posts says."""

import random
from collections import defaultdict

import pytest

from streams.agents.activities import agent as module
from tests.support.activities.world import World, truth, truth_of_orgs
from tests.support.conversations.bodies import INES, conversation, part
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.intercom_bodies import AT, posted
from tests.support.tenancy import TENANCY

SEEDS = range(12)


def run(bodies, seed):
    """Return the pipeline after the posts in a random order, some twice, with agents that lag behind each other."""
    chance = random.Random(seed)
    pipeline = LaggingPipeline(TENANCY, chance)
    posts = [*bodies, *chance.choices(bodies, k=len(bodies) // 4)]
    chance.shuffle(posts)
    for body in posts:
        pipeline.post(body)
        pipeline.run(chance.randrange(4))
    pipeline.run()
    return pipeline


@pytest.mark.parametrize("seed", SEEDS)
def test_activities_are_those_of_a_plain_reading_in_any_order(seed, monkeypatch):
    monkeypatch.setattr(module, "_AT_A_TIME", 3)
    bodies = World(seed).history(40)
    first, second = run(bodies, seed), run(bodies, seed + 1_000)
    assert first.latest("activities") == second.latest("activities")
    people, orgs = truth(bodies, first.values("people").values()), truth_of_orgs(bodies, first.values("orgs").values())
    assert first.latest("people.engagement") == second.latest("people.engagement")
    assert first.latest("orgs.engagement") == second.latest("orgs.engagement")
    values = list(first.values("activities").values())
    compare(people, [(each["person"], each) for each in values if not each["org"]], first.values("people.engagement"))
    compare(orgs, [(each["org"], each) for each in values if each["org"]], first.values("orgs.engagement"))


def compare(expected, values, engagement):
    """Assert that activities, each with whose it is, and their counts are as a plain reading has them."""
    shown = sorted((profile, value["type"], value["time"], value["text"] or "") for profile, value in values)
    assert shown == sorted((person, type_, time, words) for (person, _), (type_, time, words) in expected.items())
    counts = defaultdict(list)
    for (person, _), (type_, time, _words) in expected.items():
        counts[person, type_].append(time)
    assert {
        (person, type_): (each["count"], each["first_at"], each["last_at"])
        for person, value in engagement.items()
        for type_, each in value["types"].items()
    } == {key: (len(times), min(times), max(times)) for key, times in counts.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_id_is_written_twice(seed):
    pipeline = run(World(seed).history(30), seed)
    ids = [dict(record.headers)["ce_id"] for record in pipeline.topics["activities"]]
    assert len(ids) == len(set(ids))


BACK_FOR_A_WHILE = (  # the first leaves, is back before the note, and leaves once more while the third joins
    posted("conversation.user.created", conversation(contacts=("c1", "c2"))),
    posted("conversation.admin.noted", conversation(updated=AT + 10, contacts=("c2",)), at=AT + 10, number=2),
    posted(
        "conversation.admin.noted",
        conversation(part(1, INES, kind="note", at=AT + 20), updated=AT + 20, contacts=("c1", "c2")),
        at=AT + 20,
        number=3,
    ),
    posted("conversation.admin.closed", conversation(updated=AT + 30, contacts=("c2", "c3")), at=AT + 30, number=4),
)


def test_what_came_while_a_contact_was_back_for_a_while_belongs_to_those_who_take_part_in_the_end():
    """In some of these lags one batch has all that the first contact learns. Those who are left have the same, with the same counts."""
    for seed in range(120):
        pipeline = LaggingPipeline(TENANCY, random.Random(seed))
        pipeline.post(*BACK_FOR_A_WHILE)
        pipeline.run()
        found = defaultdict(set)
        for value in pipeline.values("activities").values():
            found[value["person"]].add((value["type"], value["text"]))
        second, third = found.values()
        assert second == third, f"lags of seed {seed}"
        assert ("conversation.noted", "Hello") in second
        counts = [
            {name: each["count"] for name, each in value["types"].items()}
            for value in pipeline.values("people.engagement").values()
            if value["types"]
        ]
        assert counts == [counts[0]] * 2
