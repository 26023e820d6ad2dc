"""A person who is erased is gone from their conversations and activities too, through all agents, whenever that comes."""

import json
import random

import pytest

from schemas.activities.messages import RECORDS_TOPIC
from schemas.activities.retention import UNLIMITED, RetentionPolicy
from schemas.profiles import erasure
from schemas.profiles.checkpoints import DUE_TYPE
from schemas.profiles.erasure import Erasure, key_id_of, mark_of
from schemas.tenancy import Secret
from streams.core.conversations.sealing import SEALED_AFTER_S
from tests.support.identity.lagging_pipeline import PARTITIONS, LaggingPipeline
from tests.support.intercom_bodies import AT, contact, posted
from tests.support.profile_laws.inputs import ERASURE_KEY
from tests.support.profile_laws.product import TENANCY

(APP, *_), (TENANT,) = TENANCY.owners, TENANCY.tenants
ADA, BO = {"type": "user", "id": "ada"}, {"type": "user", "id": "bo"}
WORDS = (b"my number is 5550100", b"Lovelace", b"countess")
COMPACTED = ("conversations", "activities", "people", "people.engagement", RECORDS_TOPIC, "identity.claims", "memberships")


def conversation(number, *parts, second, contacts, topic):
    references = [{"type": "contact", "id": each["id"]} for each in contacts]
    item = {
        "type": "conversation", "id": str(number), "updated_at": AT + second, "created_at": AT, "title": "Lovelace asks", "state": "open",
        "source": {"type": "email", "id": "1", "author": ADA, "subject": "Lovelace", "body": "countess"},
        "contacts": {"type": "contact.list", "contacts": references},
        "conversation_parts": {"type": "conversation_part.list", "conversation_parts": list(parts)},
    }  # fmt: skip
    return posted(topic, item, at=AT + second, number=f"{number}-{second}", app_id=APP)


def part(number, author, second, body):
    return {
        "type": "conversation_part", "id": str(number), "part_type": "comment", "created_at": AT + second, "author": author, "body": body,
    }  # fmt: skip


def history():
    """Ada writes alone, and with Bo, who answers; Bo writes alone."""
    asks, answers = part(1, ADA, 1, "my number is 5550100"), part(2, BO, 5, "so be it")
    return [
        posted("contact.user.created", {**contact("ada", name="Ada Lovelace", updated=AT * 1000), "workspace_id": APP}, number=90, app_id=APP),
        posted("contact.user.created", {**contact("bo", name="Bo", updated=AT * 1000), "workspace_id": APP}, number=91, app_id=APP),
        conversation(1, asks, second=1, contacts=[ADA], topic="conversation.user.created"),
        conversation(2, {**asks, "id": "11"}, second=1, contacts=[ADA, BO], topic="conversation.user.created"),
        conversation(2, answers, second=5, contacts=[ADA, BO], topic="conversation.user.replied"),
    ]  # fmt: skip


def erase(agents, key):
    secret = Secret(ERASURE_KEY)
    mark = Erasure(request="e1", tenant=TENANT, mark=mark_of(secret, key), key=key_id_of(secret), time=(AT + 99) * 1000)
    agents._append(erasure.TOPIC, key.encode(), erasure.encode(agents.avro, mark), [("ce_id", b"erasure")])


def post_amid_erasure(agents, posts, key, chance):
    """Post in any order, with the erasure somewhere among the posts, and agents that lag behind."""
    came = [*posts, None]
    chance.shuffle(came)
    for body in came:
        if body is None:
            erase(agents, key)
        else:
            agents.post(body)
        agents.run(chance.randrange(12))
    agents.run()


@pytest.mark.parametrize("seed", range(12))
def test_nothing_of_what_an_erased_person_said_stays_and_others_keep_what_they_said(seed):
    chance = random.Random(seed)
    agents = LaggingPipeline(TENANCY, chance)
    posts = history()
    posts += chance.sample(posts, 2)
    chance.shuffle(posts)
    place = chance.randrange(len(posts) + 1)
    for at, body in enumerate([*posts, b""]):
        if at == place:
            erase(agents, f"{APP}:ada")
        if body:
            agents.post(body)
        agents.run(chance.randrange(12))
    agents.run()
    held = {topic: b"".join(agents.latest(topic).values()) for topic in COMPACTED}
    held |= {name: b"".join(agents.rows(name).values()) for name in agents.agents}
    assert {(name, word) for name, data in held.items() for word in WORDS if word in data} == set()
    assert b"so be it" in held["activities"]
    shown = agents.values("conversations")
    assert [shown[f"{APP}:{number}"]["contacts"] for number in (1, 2)] == [[], [f"{APP}:bo"]]
    assert {value["source_author"] for value in shown.values()} == {"contact:~"}
    assert [value["tallies"]["contact_reply"]["count"] for value in shown.values()] == [1, 2]
    assert b"contact:ada" not in b"".join(held.values())
    assert json.loads(posts[0])["app_id"] == APP


DAY_S = 86_400
LATER = AT + SEALED_AFTER_S + 30 * DAY_S


def seal(agents):
    """Let a round of checkpoints come when the conversations are long over, and the day with it."""
    due = [("ce_type", DUE_TYPE.encode()), ("ce_origin", b"checkpoint")]
    for at in range(PARTITIONS):
        agents._append("intercom.conversations", b"", b"", due, at, timestamp=LATER * 1000)
    agents.wake(LATER // DAY_S)
    agents.run()


@pytest.mark.parametrize("days", [90, UNLIMITED])
def test_who_is_erased_after_a_conversation_was_sealed_is_gone_from_it_and_what_others_have_of_it(days):
    agents = LaggingPipeline(TENANCY, random.Random(1))
    agents.retain(RetentionPolicy(days), tenant=TENANT)
    agents.post(*history())
    agents.run()
    seal(agents)
    counts = agents.values("people.engagement")
    (bo,) = (id_ for id_, person in agents.values("people").items() if person["name"] == "Bo")
    erase(agents, f"{APP}:ada")
    agents.run()
    shown = agents.values("conversations")
    assert [(shown[f"{APP}:{number}"]["contacts"], shown[f"{APP}:{number}"]["source_author"]) for number in (1, 2)] == [
        ([], "contact:~"),
        ([f"{APP}:bo"], "contact:~"),
    ]
    held = b"".join([*(b"".join(agents.latest(topic).values()) for topic in COMPACTED), *agents.rows("activities").values()])
    assert [word for word in (*WORDS, b"contact:ada") if word in held] == []
    assert agents.values("people.engagement") == {bo: counts[bo]}
    words = [each["text"] for each in agents.values("activities").values() if each["text"]]
    assert words == (["so be it"] if days == UNLIMITED else [])


@pytest.mark.parametrize("seed", range(12))
def test_who_wrote_and_left_before_anything_else_was_known_is_found_by_what_they_wrote(seed):
    chance = random.Random(seed)
    dump = {"conversation": {"model": {"id": 2}, "parts": []}, "contact": {"id": "ada"}}
    posts = [*history(), posted("conversation.contact.detached", dump, at=AT + 20, number=95, app_id=APP)]
    chance.shuffle(posts)
    agents = LaggingPipeline(TENANCY, chance)
    for body in posts:
        agents.post(body)
        agents.run(chance.randrange(12))
    agents.run()
    erase(agents, f"{APP}:ada")
    agents.run()
    held = b"".join([*(b"".join(agents.latest(topic).values()) for topic in COMPACTED), *agents.rows("activities").values()])
    assert [word for word in (*WORDS, b"contact:ada") if word in held] == []
    assert agents.values("conversations")[f"{APP}:2"]["source_author"] == "contact:~"


@pytest.mark.parametrize("is_reversed", [False, True])
def test_who_came_and_went_took_part_whatever_is_known_first(is_reversed):
    def moved(verb, second):
        item = {"conversation": {"model": {"id": 2}, "parts": []}, "contact": {"id": "cy"}}
        return posted(f"conversation.contact.{verb}", item, at=AT + second, number=100 + second, app_id=APP)

    agents = LaggingPipeline(TENANCY, random.Random(1))
    posts = [*history(), moved("attached", 20), moved("detached", 25)]
    for body in reversed(posts) if is_reversed else posts:
        agents.post(body)
        agents.run()
    erase(agents, f"{APP}:cy")
    agents.run()
    value = agents.values("conversations")[f"{APP}:2"]
    assert (value["source_subject"], value["title"]) == (None, None), "what may be about who is erased"
    assert value["contacts"] == [f"{APP}:ada", f"{APP}:bo"]
