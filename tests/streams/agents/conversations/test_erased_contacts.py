"""A contact that is erased is in no conversation any more, in whatever order that comes; the conversation and its figures stay."""

import random

import pytest

from schemas.activities.messages import RECORD, RECORDS_TOPIC, ActivityRecord
from schemas.errors import InvalidRecord
from schemas.intercom.conversations import ERASURE, ConversationErasure
from schemas.message import RecordValue
from schemas.profiles.registers import PatchCause
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox
from tests.support.conversations.bodies import CUSTOMER, INES, KEY, conversation, hook, part
from tests.support.conversations.histories import Story
from tests.support.conversations.stepping import AGENT, Conversations
from tests.support.intercom_bodies import ADA, APP, AT

BO = "65f0c0ffee00000000000002"
SECRET = "my number is 5550100"


def story():
    """Ada asks by mail, Bo joins and answers, a teammate closes; both rate."""
    asked = conversation(
        part(1, body=SECRET), contacts=(ADA, BO), created_at=AT, title="Ada Lovelace's order", open=True, custom_attributes={"Who": "Ada"},
        source={"type": "email", "id": "s", "author": CUSTOMER, "subject": "from Ada Lovelace", "body": SECRET},
    )  # fmt: skip
    answered = conversation(part(2, {"type": "user", "id": BO}, at=AT + 5, body="so am I"), updated=AT + 5, contacts=(ADA, BO))
    closed = conversation(
        part(3, INES, kind="close", at=AT + 9), updated=AT + 9, contacts=(ADA, BO), open=False,
        conversation_rating={"rating": 5, "remark": "Ada thanks you", "created_at": AT + 20, "contact": {"type": "user", "id": ADA}},
    )  # fmt: skip
    return [
        hook("conversation.user.created", asked),
        hook("conversation.user.replied", answered, at=AT + 5, number=2),
        hook("conversation.admin.closed", closed, at=AT + 9, number=3),
    ]


def activities(conversations):
    """Return the last activity of each key that the agent sent, by contact and id."""
    found = {}
    for each in conversations.sent:
        message = RECORD.decode(each.value) if each.topic == RECORDS_TOPIC and each.value else None
        if isinstance(message, ActivityRecord):
            found[each.key.decode()] = message.activity
    return found


def test_what_is_left_says_that_somebody_took_part_and_not_who():
    conversations = Conversations().feed(*story())
    before = conversations.value()
    after = conversations.erase(ADA).value()
    assert after["contacts"] == [f"{APP}:{BO}"]
    assert (after["source_author"], after["source_subject"], after["title"], after["attributes"]) == ("contact:~", None, None, {})
    assert (after["rating"], after["rating_remark"]) == (5, None)
    assert (after["tallies"]["contact_reply"], after["first_contact_reply_at"]) == (
        before["tallies"]["contact_reply"],
        before["first_contact_reply_at"],
    )
    assert after["tallies"]["redacted"]["count"] == 1
    rows = b"".join(value for key, value in conversations.rows().items() if "|" in key)
    assert (f"contact:{ADA}".encode() in rows, f"contact:{BO}".encode() in rows) == (False, True)


def test_others_keep_what_they_said_and_nothing_of_the_words_and_the_author_who_is_erased():
    late, early = Conversations().erase(ADA).feed(*story()), Conversations().feed(*story())
    count = len(early.sent)
    early.erase(ADA)
    words = {each.key.decode(): RECORD.decode(each.value) for each in early.sent[count:] if each.topic == RECORDS_TOPIC}
    sent = [each.activity for each in words.values() if isinstance(each, ActivityRecord)]
    assert sorted((each.type, each.author, each.text, each.redacted) for each in sent) == [
        ("conversation.contact_replied", "contact:~", "", True),
        ("conversation.started", "contact:~", "", True),
    ]
    shown = activities(late)
    assert "so am I" in [each.text for each in shown.values()]
    assert not any(
        SECRET in each.text or "Ada" in str(each.attributes) or each.author == f"contact:{ADA}" for each in shown.values()
    )
    assert all(key.startswith((f"{APP}:{BO}|", f"{APP}:@")) for key in shown)


@pytest.mark.parametrize("seed", range(40))
def test_an_erasure_anywhere_leaves_the_same_bytes(seed):
    chance, records = random.Random(seed), Story(seed).records(12)
    erased = chance.sample(("c1", "c2", "c3"), chance.randint(1, 2))
    results = set()
    for place in (0, len(records) // 2, len(records)):
        shuffled = chance.sample(records, len(records))
        conversations = Conversations().feed(*shuffled[:place]) if place else Conversations()
        conversations.erase(*erased).feed(*shuffled[place:], *chance.sample(records, 3)).erase(erased[0])
        results.add(tuple(conversations.rows().items()))
        value = conversations.value()
        assert {f"{APP}:{each}" for each in erased}.isdisjoint(value["contacts"])
        assert value["source_author"] not in {f"contact:{each}" for each in erased}
    assert len(results) == 1


def test_an_erasure_that_is_said_again_and_one_of_an_unknown_conversation_publish_nothing():
    conversations = Conversations().erase(ADA)
    assert conversations.sent == [] or {each.topic for each in conversations.sent} == {RECORDS_TOPIC}
    conversations.feed(*story())
    count = len(conversations.sent)
    conversations.erase(ADA)
    assert len(conversations.sent) == count


@pytest.mark.parametrize("key", [KEY.encode(), b"unknown:1|c", b"|c", b""])
def test_an_erasure_without_conversation_and_contact_is_unusable(key):
    value = ERASURE.encode(ConversationErasure(PatchCause("e", 0)))
    with pytest.raises(InvalidRecord, match=r"app_id:conversation_id\|contact id"):
        AGENT.step(Batch("conversation.erasures", 0, [RecordValue(key, value)]), Conversations().table, ListOutbox())
