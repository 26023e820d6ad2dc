"""What others have of a conversation that somebody joined who is erased: the same in any order, once one of them is known to be in it."""

import json
import random

import pytest

from schemas.activities.messages import RECORDS_TOPIC
from tests.streams.agents.retention.test_erased_conversations import (
    ADA,
    APP,
    BO,
    TENANCY,
    conversation,
    erase,
    history,
    part,
    post_amid_erasure,
)
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.intercom_bodies import AT, posted

INES = {"type": "admin", "id": "7"}
CY = {"type": "user", "id": "cy"}
ADVICE = "ask them for a receipt"
COMPARED = ("conversations", "activities", "people.engagement")


def joined(second=20):
    """Return the post that Cy joins. Like all of its form, it names nobody else of those who take part."""
    data = json.dumps({"added_by": INES, "participant": CY})
    parts = [{"id": 21, "created_at": AT + second, "data": data}]
    item = {"conversation": {"model": {"id": 2}, "parts": parts}, "contact": {"id": "cy"}}
    return posted("conversation.contact.attached", item, at=AT + second, number=421, app_id=APP)


def advised(contacts, second=25):
    return conversation(2, part(22, INES, second, ADVICE), second=second, contacts=contacts, topic="conversation.admin.replied")


def left(agents):
    return {topic: agents.latest(topic) for topic in COMPARED}


def shown_to(agents, contact):
    return [each for each in agents.values("activities").values() if f"{APP}:{contact}" in each["contacts"]]


def test_beside_others_who_are_known_who_joins_and_is_erased_did_join_in_any_order():
    results = []
    for seed in range(40):
        chance = random.Random(seed)
        agents = LaggingPipeline(TENANCY, chance)
        agents.post(*history())
        agents.run()
        post_amid_erasure(agents, [joined(), advised([ADA, BO, CY]), advised([ADA, BO, CY])], f"{APP}:cy", chance)
        results.append(left(agents))
        for contact in ("ada", "bo"):
            found = {each["type"]: each for each in shown_to(agents, contact) if each["conversation"] == f"{APP}:2"}
            assert found["conversation.contact_joined"]["author"] == "teammate:7"
            assert found["conversation.teammate_replied"]["text"] == ADVICE
    assert results == [results[0]] * len(results)


@pytest.mark.parametrize("is_erased_first", [False, True])
def test_what_comes_while_nobody_but_who_is_erased_is_known_is_nobodys(is_erased_first):
    """A conversation that is first known by their own joining has others in it all the same. What they get is what comes from then on."""
    agents = LaggingPipeline(TENANCY, random.Random(1))
    if is_erased_first:
        erase(agents, f"{APP}:cy")
    agents.post(joined(), advised([CY], second=3))
    agents.run()
    if not is_erased_first:
        erase(agents, f"{APP}:cy")
        agents.run()
    assert not agents.latest("activities")
    assert [key for key in agents.latest(RECORDS_TOPIC) if "|=" not in key] == [], "only who takes part is said of it"
    assert ADVICE.encode() not in b"".join(agents.rows("activities").values())

    agents.post(*history())
    agents.run()
    value = agents.values("conversations")[f"{APP}:2"]
    assert (value["contacts"], value["tallies"]["parts"]["count"]) == ([f"{APP}:ada", f"{APP}:bo"], 4)
    types = {each["type"] for each in shown_to(agents, "bo")}
    assert "conversation.contact_replied" in types
    assert types.isdisjoint({"conversation.contact_joined", "conversation.teammate_replied"})
    agents.post(joined())  # once more
    agents.run()
    assert "conversation.contact_joined" in {each["type"] for each in shown_to(agents, "bo")}
