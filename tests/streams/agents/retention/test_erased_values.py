"""What names a person by a value alone, an address or the customer's own id, is erased with them where nobody else has the value."""

import random

import pytest

from schemas.activities.messages import RECORDS_TOPIC
from tests.streams.agents.retention.test_erased_conversations import APP, DAY_S, TENANCY, erase
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.intercom_bodies import AT, contact, posted

ADDRESS, OWN_ID = "ada@lovelace.example", "u-ada"
TOPICS = ("activities", "people.engagement", "people", RECORDS_TOPIC, "identity.claims", "activity.assignments")
AGENTS = ("activities", "timelines", "identity", "people")


def saved(identifier, number, **fields):
    item = {**contact(identifier, role="user", created_at=AT, **fields), "workspace_id": APP}
    return posted("contact.user.created", item, number=number, app_id=APP)


def event(number, second=5, **named):
    item = {"type": "event", "event_name": "paid", "created_at": AT + second, **named}
    return posted("event.created", item, at=AT + second, number=number, app_id=APP)


def history():
    return [saved("ada", 1, email=ADDRESS, external_id=OWN_ID), event(2, user_id=OWN_ID), event(3, email=ADDRESS.title())]


def left(agents):
    """Return what is left of the values, by place, in any case of their letters, keys included."""
    held = {topic: b"".join(key.encode() + value for key, value in agents.latest(topic).items()) for topic in TOPICS}
    held |= {name: b"".join(key.encode() + value for key, value in agents.rows(name).items()) for name in AGENTS}
    return {(place, word) for place, data in held.items() for word in (ADDRESS, OWN_ID) if word.encode() in data.lower()}


def processed(posts, seed, *, day=None):
    chance = random.Random(seed)
    agents = LaggingPipeline(TENANCY, chance)
    if day is not None:
        agents.wake(day)
    posts = [*posts, *chance.choices(posts, k=2)]
    chance.shuffle(posts)
    for body in posts:
        agents.post(body)
        agents.run(chance.randrange(8))
    agents.run()
    return agents


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("is_expired", [False, True])
def test_nothing_is_left_under_their_address_or_id(seed, is_expired):
    agents = processed(history(), seed)
    (person,) = agents.values("people.engagement").values()
    assert person["types"]["event.created"]["count"] == 2
    if is_expired:
        agents.wake(AT // DAY_S + 200)
        agents.run()
    erase(agents, f"{APP}:ada")
    agents.run()
    assert left(agents) == set()
    assert (agents.latest("activities"), agents.values("people.engagement")) == ({}, {})


@pytest.mark.parametrize("seed", range(6))
def test_what_somebody_else_has_too_stays_theirs(seed):
    agents = processed([*history(), saved("bo", 4, email=ADDRESS, external_id="u-bo")], seed)
    erase(agents, f"{APP}:ada")
    agents.run()
    (person,) = agents.values("people.engagement").values()
    assert person["types"]["event.created"]["count"] == 1, "the event that named the address"
    assert {word for _, word in left(agents)} == {ADDRESS}


def test_the_same_address_begins_anew_with_who_has_it_afterwards():
    agents = processed(history(), 1)
    erase(agents, f"{APP}:ada")
    agents.run()
    agents.post(event(9, 50, email=ADDRESS), saved("ada-again", 10, email=ADDRESS, external_id="u-again"))
    agents.run()
    (person,) = agents.values("people.engagement").values()
    assert {name: each["count"] for name, each in person["types"].items()} == {"contact.created": 1, "event.created": 1}
    ids = [dict(record.headers)["ce_id"] for record in agents.topics["activities"]]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("seed", range(24))
@pytest.mark.parametrize("is_late", [False, True])
def test_the_same_post_once_more_is_another_event_of_ours_with_who_has_the_address_afterwards(seed, is_late):
    chance = random.Random(seed)
    agents = processed(history(), seed, day=AT // DAY_S + 200 if is_late else None)
    erase(agents, f"{APP}:ada")
    agents.run(chance.randrange(8))
    again = [event(3, email=ADDRESS.title()), saved("ada-again", 10, email=ADDRESS, external_id="u-again")]
    chance.shuffle(again)
    for body in again:
        agents.post(body)
        agents.run(chance.randrange(8))
    agents.run()
    for topic in ("activities", "people.engagement"):
        ids = [dict(record.headers)["ce_id"] for record in agents.topics[topic]]
        assert len(ids) == len(set(ids)), topic
