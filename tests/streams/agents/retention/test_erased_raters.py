"""Who rated a conversation and is erased is gone from the rating that others have, and what they had to pass on others do."""

import random

import pytest

from tests.streams.agents.retention.test_erased_conversations import (
    ADA,
    APP,
    BO,
    COMPACTED,
    TENANCY,
    erase,
    history,
    post_amid_erasure,
)
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.intercom_bodies import AT, contact, posted

REMARK = "not a word with the countess"
ADA_RATES, BO_RATES = {"type": "contact", "id": "ada"}, {"type": "contact", "id": "bo"}


def rated(by, contacts, second=30):
    item = {
        "type": "conversation", "id": "2", "updated_at": AT + second, "created_at": AT, "state": "open",
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": each["id"]} for each in contacts]},
        "conversation_rating": {
            "rating": 2, "remark": REMARK, "created_at": AT + second, "contact": by, "teammate": {"type": "admin", "id": "7"},
        },
    }  # fmt: skip
    return posted("conversation.rating.added", item, at=AT + second, number=200 + second, app_id=APP)


def deleted(second=60):
    return posted("conversation.deleted", {"type": "conversation", "id": "2"}, at=AT + second, number=300 + second, app_id=APP)


def in_any_order(posts, seed):
    """Return the agents after these posts in any order, repeated, and the erasure of Ada among them."""
    chance = random.Random(seed)
    agents = LaggingPipeline(TENANCY, chance)
    post_amid_erasure(agents, [*posts, *chance.sample(posts, 2)], f"{APP}:ada", chance)
    return agents


def held(agents):
    return b"".join([*(b"".join(agents.latest(topic).values()) for topic in COMPACTED), *agents.rows("activities").values()])


def rating(agents):
    (found,) = (each for each in agents.values("activities").values() if each["type"] == "conversation.rated")
    return found


@pytest.mark.parametrize("seed", range(16))
@pytest.mark.parametrize("is_deleted", [False, True])
@pytest.mark.parametrize("takes_part", [True, False])
def test_a_rating_of_who_is_erased_has_neither_them_nor_their_remark(seed, takes_part, is_deleted):
    alone = [body for body in history() if b'"conversation"' not in body or takes_part]
    agents = in_any_order(
        [*alone, rated(ADA_RATES, [ADA, BO] if takes_part else [BO]), *([deleted()] if is_deleted else [])], seed
    )
    left = held(agents)
    assert [word for word in (REMARK.encode(), b"contact:ada") if word in left] == []
    found = rating(agents)
    assert (found["author"], found["text"], found["redacted"]) == ("contact:~", None, True)
    assert found["attributes"] == ({} if is_deleted else {"rating": "2", "teammate": "teammate:7"})


@pytest.mark.parametrize("seed", range(16))
def test_what_another_one_remarked_stays_theirs(seed):
    found = rating(in_any_order([*history(), rated(BO_RATES, [ADA, BO])], seed))
    assert (found["author"], found["text"], found["redacted"]) == ("contact:bo", REMARK, False)


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("joins", ["abe", "cy"])
def test_what_the_first_contact_had_to_pass_on_others_do(seed, joins):
    added = {"conversation": {"model": {"id": 2}, "parts": []}, "contact": {"id": joins}}
    posts = [
        posted(
            "contact.user.created",
            {**contact(joins, name="Third", updated=AT * 1000), "workspace_id": APP},
            number=92,
            app_id=APP,
        ),
        *history(),
    ]
    chance = random.Random(seed)
    agents = LaggingPipeline(TENANCY, chance)
    agents.post(*posts)
    agents.run()
    erase(agents, f"{APP}:ada")
    agents.run(chance.randrange(8))
    agents.post(posted("conversation.contact.attached", added, at=AT + 20, number=401, app_id=APP))
    agents.run()
    shown = agents.values("activities").values()
    of = {
        key: {each["id"] for each in shown if each["conversation"] == f"{APP}:2" and f"{APP}:{key}" in each["contacts"]}
        for key in ("bo", joins)
    }
    assert of["bo"] == of[joins]
    assert len(of[joins]) >= 3
