"""Histories of activities, through all the agents that take part."""

import itertools
import random

import pytest

from connectors.simulator.history import Scene
from connectors.simulator.scenarios import SCENARIOS
from schemas.errors import InvalidRecord
from schemas.message import RecordValue
from streams.agents.activities.happenings import happenings
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.support.conversations.bodies import CUSTOMER, ENTITY, INES, conversation, part, reading
from tests.support.identity.lagging_pipeline import LaggingPipeline
from tests.support.intercom_bodies import ADA, APP, AT, posted
from tests.support.tenancy import TENANCY

LEE = "65f0c0ffee00000000000002"


class Story(LaggingPipeline):
    """Posts and readings, each processed to the end before the next."""

    def __init__(self):
        super().__init__(TENANCY, random.Random(1))

    def report(self, topic, item, *, at=AT, number=1):
        self.post(posted(topic, item, at=at, number=number))
        self.run()
        return self

    def read(self, item, **how):
        record = reading(item, **how)
        self._append("intercom.conversations", record.key, record.value, record.headers)
        self.run()
        return self

    def contact(self, identifier=ADA, number=50, **fields):
        item = {"type": "contact", "id": identifier, "role": "user", "created_at": AT, "updated_at": AT, **fields}
        return self.report("contact.user.created", item, number=number)

    def activities(self, type_=None):
        return [each for each in self.values("activities").values() if type_ in (None, each["type"])]

    def one(self, type_):
        (activity,) = self.activities(type_)
        return activity

    def counts(self):
        return {
            person: {name: each["count"] for name, each in value["types"].items()}
            for person, value in self.values("people.engagement").items()
        }


def replied(*parts, **fields):
    return conversation(*(parts or (part(1),)), **fields)


def test_one_part_from_a_webhook_in_plain_text_and_from_rest_in_html_is_one_activity_with_one_text():
    story = Story().report("conversation.user.replied", replied(part(1, body="Tom & Jerry")))
    story.read(replied(part(1, body="<p>Tom &amp; Jerry</p>")))
    activity = story.one("conversation.contact_replied")
    assert (activity["text"], activity["time_basis"], activity["author"]) == ("Tom & Jerry", "part", f"contact:{ADA}")


def test_a_webhook_that_a_backfill_overtook_is_live():
    story = Story().read(replied())
    assert story.one("conversation.contact_replied")["live"] is False
    story.report("conversation.user.replied", replied())
    assert story.one("conversation.contact_replied")["live"] is True
    story.read(replied())
    assert story.one("conversation.contact_replied")["live"] is True


def test_a_redaction_empties_the_text_also_where_it_comes_first():
    redacted = replied(part(1, body=None, redacted=True))
    for order in (
        (("conversation.user.replied", replied()), ("conversation_part.redacted", redacted)),
        (("conversation_part.redacted", redacted), ("conversation.user.replied", replied())),
    ):
        story = Story()
        for number, (topic, item) in enumerate(order):
            story.report(topic, item, number=number)
        activity = story.one("conversation.contact_replied")
        assert (activity["text"], activity["redacted"]) == (None, True)


def test_a_deleted_conversation_leaves_that_there_was_something_and_nothing_of_it():
    item = replied(
        part(1, body="secret"),
        created_at=AT,
        source={"type": "conversation", "id": "8", "body": "secret", "subject": "secret", "author": CUSTOMER},
    )
    story = Story().report("conversation.user.replied", item)
    story.report("conversation.deleted", {"conversation_id": ENTITY}, at=AT + 9, number=2)
    story.report("conversation.admin.noted", replied(part(2, INES, kind="note", body="secret too")), number=3)
    assert {each["type"] for each in story.activities()} == {
        "conversation.contact_replied", "conversation.started", "conversation.deleted", "conversation.noted"
    }  # fmt: skip
    for topic in ("activities", "activity.records"):
        assert b"secret" not in b"".join(story.latest(topic).values())
    for agent in ("activities", "timelines", "conversations"):
        assert b"secret" not in b"".join(story.rows(agent).values())


def test_what_comes_before_a_contact_is_known_waits_and_then_goes_to_it():
    story = Story().report("conversation.user.replied", replied(contacts=()))
    assert story.activities() == []
    story.report("conversation.read", conversation(updated=AT + 5), at=AT + 5, number=2)
    assert story.one("conversation.contact_replied")["contacts"] == [f"{APP}:{ADA}"]


def test_an_activity_of_two_contacts_who_are_one_person_is_one():
    story = Story().contact(ADA, email="ada@a.org").contact(LEE, number=51, email="ada@a.org")
    story.report("conversation.user.replied", replied(contacts=(ADA, LEE)))
    activity = story.one("conversation.contact_replied")
    assert activity["contacts"] == [f"{APP}:{ADA}", f"{APP}:{LEE}"]
    assert story.counts()[activity["person"]]["conversation.contact_replied"] == 1


def test_an_event_with_the_customers_own_id_goes_to_its_contact_whichever_comes_first():
    event = {"type": "event", "id": "e1", "event_name": "paid", "user_id": "u-1", "created_at": AT}
    first = Story().contact(external_id="u-1").report("event.created", event, number=2)
    later = Story().report("event.created", event, number=2).contact(external_id="u-1")
    for story in (first, later):
        (person,) = story.values("people").values()
        assert story.one("event.created")["person"] == person["id"], "and no person is made of a value alone"
        assert [each["key"] for each in person["records"]] == [f"{APP}:{ADA}"]


def test_a_value_that_too_many_contacts_share_links_its_event_to_none_of_them():
    story = Story()
    for number in range(51):
        story.contact(f"c{number}", number=100 + number, email="shared@a.org")
    story.report("event.created", {"id": "e1", "event_name": "paid", "email": "shared@a.org"}, number=2)
    assert story.one("event.created")["person"] not in {person["id"] for person in story.values("people").values()}


def test_an_erased_contact_takes_its_activities_along_and_gets_none_later():
    story = Story().contact(email="ada@a.org").report("conversation.user.replied", replied(part(1, body="secret")), number=2)
    story._append("activity.assignments", f"{APP}:{ADA}".encode(), None, [("ce_type", b"record.erased.v1")])
    story.run()
    assert (story.activities(), story.values("people.engagement")) == ([], {})
    assert b"secret" not in b"".join(story.latest("activity.records").values())
    story.report("conversation.user.replied", replied(part(3, body="secret again")), number=4)
    assert story.activities() == []
    assert [key for key in story.rows("activities") if ADA in key] == [f"{APP}:{ADA}"]
    assert story.latest("activity.records") == {}, "what comes later leaves no words on the topic either"


def test_the_same_event_under_two_notifications_is_one_and_counts_once():
    tagged = {"tag": {"id": "t", "name": "VIP"}, "contact": {"id": ADA}}
    story = Story().report("contact.user.tag.created", tagged, number=1).report("contact.user.tag.created", tagged, number=2)
    activity = story.one("contact.tagged")
    assert activity["attributes"] == {"tag": "t", "tag_name": "VIP"}
    assert story.counts()[activity["person"]] == {"contact.tagged": 1}


def test_an_unknown_topic_of_a_known_family_is_kept_under_its_name():
    story = Story().report("call.held", {"id": "k1", "contact_id": ADA})
    assert story.one("call.other")["attributes"]["topic"] == "call.held"


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("unknown:c1", posted("call.ended", {"id": "1", "contact_id": "c1"}, app_id="unknown")),
        (f"{APP}:c2", posted("call.ended", {"id": "1", "contact_id": "c1"})),
        (f"{APP}:c1", posted("contact.user.updated", {"id": "c1"})),
        (f"{APP}:c1", b"{"),
    ],
)
def test_what_is_no_activity_is_a_clear_error(key, body):
    agent = happenings(TENANCY)
    with pytest.raises(InvalidRecord):
        agent.step(Batch("intercom.activities", 0, [RecordValue(key.encode(), body)]), MemoryTable(agent.codec), ListOutbox())


def test_an_event_without_anything_to_know_it_by_is_kept_and_noted():
    agent, out = happenings(TENANCY), ListOutbox()
    body = posted("event.created", {"user_id": "u1"}, at=None)
    agent.step(
        Batch("intercom.activities", 0, [RecordValue(f"{APP}:@external_id:u1".encode(), body)]), MemoryTable(agent.codec), out
    )
    assert (len(out.sent), out.notes) == (1, {"activity_by_notification": 1})


def test_the_simulated_customers_have_the_conversations_calls_and_events_that_were_posted():
    story = Story()
    posts = list(SCENARIOS["support"](Scene(app_id=APP, start_ms=AT * 1000)))
    random.Random(7).shuffle(posts)
    story.post(*(each.body for each in posts))
    story.run()
    assert len(story.values("people")) == len(story.counts()) == 3
    for counts in story.counts().values():
        assert counts == {
            "call.ended": 1, "contact.created": 1, "conversation.closed": 1, "conversation.contact_replied": 1, "conversation.rated": 1,
            "conversation.started": 1, "conversation.teammate_replied": 1, "event.created": 1,
        }  # fmt: skip
    for value in story.values("conversations").values():
        assert (value["state"], value["complete"], value["basis"], value["count_reopens"]) == ("closed", True, "parts", 0)


@pytest.mark.parametrize("is_late", [False, True])
def test_a_type_that_an_activity_had_for_a_time_keeps_no_time_of_it(is_late):
    hidden, shown = part(1, INES, kind="new", redacted=True, body=None), part(1, INES, kind="new")
    other = part(2, INES, kind="new", at=AT + 60, body=None)
    posts = [("conversation_part.redacted", hidden, 1), ("conversation.admin.replied", shown, 2), ("conversation.read", other, 3)]
    for order in itertools.permutations(posts):
        story = Story()
        if is_late:
            story.wake(AT // 86_400 + 200)
            story.run()
        for topic, each, number in order:
            story.report(topic, replied(each, created_at=None), number=number)
        (person,) = story.values("people.engagement").values()
        at = {name: (each["count"], each["first_at"], each["last_at"]) for name, each in person["types"].items()}
        assert at["conversation.other"] == (1, (AT + 60) * 1000, (AT + 60) * 1000)
        assert at["conversation.teammate_replied"] == (1, AT * 1000, AT * 1000)


def test_a_call_that_is_wrapped_has_its_own_time_and_is_the_one_that_is_not():
    call = {"id": "k1", "contact_id": ADA, "ended_at": AT + 58, "direction": "inbound"}
    story = Story().report("call.ended", {"call": call}, at=AT + 60)
    assert (story.one("call.ended")["time"], story.one("call.ended")["time_basis"]) == ((AT + 58) * 1000, "item")
    assert story.one("call.ended")["attributes"] == {"call": "k1", "direction": "inbound"}
    story.report("call.ended", {"type": "call", **call}, at=AT + 61, number=2)
    assert len(story.activities("call.ended")) == 1
