"""Forms that Intercom's webhooks of January 2026 were recorded in and no description has, shortened: each says no more than it means."""

import itertools

import pytest

from tests.streams.agents.activities.test_flows import LEE, Story
from tests.support.conversations.bodies import CUSTOMER, ENTITY, INES, conversation, hook, part, reading
from tests.support.conversations.stepping import Conversations, after
from tests.support.intercom_bodies import ADA, APP, AT

SECRET = "my number is 5550100"
FIRST = "331786931"


def ticket(*parts, updated=AT, **fields):
    return {
        "type": "ticket", "id": ENTITY, "ticket_id": "52", "updated_at": updated, "created_at": AT, "ticket_type": {"id": "62", "name": "Tickets"},
        "ticket_state": {"category": "submitted", "internal_label": "Submitted"}, "ticket_attributes": {"_default_title_": "Broken"},
        "contacts": {"contacts": [{"id": ADA}]}, "ticket_parts": {"ticket_parts": list(parts), "total_count": len(parts)}, **fields,
    }  # fmt: skip


def internal_ticket():
    """The ticket of `ticket.contact.*`: fields of the same names say other things in another form."""
    return {
        "type": "ticket", "id": int(ENTITY), "url": "https://app.intercom.example/1", "state": "submitted", "ticket_type": "Tickets",
        "custom_attributes": {"_default_title_": {"value": None, "type": "string"}}, "ticket_custom_state_admin_label": "Submitted",
    }  # fmt: skip


def internal_conversation(verb, number, at):
    data = f'{{"{verb}_by": {{"type": "admin", "id": 7, "email": "ines@acme.example"}}, "participant": {{"type": "user", "id": "{LEE}"}}}}'
    shown = {
        "id": number, "conversation_id": int(ENTITY), "body": "", "created_at": at, "updated_at": at, "user_id": None, "data": data,
    }  # fmt: skip
    return {"parts": [shown], "options": {"expand_for_notification": True}, "model": {"id": int(ENTITY), "user_id": ADA}}


def begun(**fields):
    source = {"type": "conversation", "id": FIRST, "author": CUSTOMER, "subject": SECRET, "body": SECRET, "redacted": False}
    return conversation(created_at=AT, **{"source": source, **fields})


def in_every_order(*records):
    """Return the only conversation after the records in any order, and assert that the rows are the same."""
    stories = []
    for order in itertools.permutations(records):
        story = Conversations()
        for record in order:
            story.feed(record)
        stories.append(story)
    assert all(story.rows() == stories[0].rows() for story in stories)
    return stories[0]


def test_a_contact_that_joins_a_ticket_changes_nothing_else_of_it():
    created = hook("ticket.created", ticket(open=True, snoozed_until=None))
    joined = hook("ticket.contact.attached", {"ticket": internal_ticket(), "contact": {"id": LEE}}, at=AT + 20, number=2)
    before, value = after(created), in_every_order(created, joined).value()
    assert value["contacts"] == [f"{APP}:{ADA}", f"{APP}:{LEE}"]
    kept = ("kind", "state", "ticket_state", "ticket_type_name", "attributes", "traits")
    assert {name: value[name] for name in kept} == {name: before[name] for name in kept}
    alone = after(joined)
    assert (alone["kind"], alone["state"], alone["attributes"], alone["contacts"]) == ("ticket", None, {}, [f"{APP}:{LEE}"])


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"open": True, "snoozed_until": None}, "open"),
        ({"open": True, "snoozed_until": AT + 900}, "snoozed"),
        ({"open": False, "snoozed_until": None}, "closed"),
        ({"open": False}, "closed"),
        ({"open": True}, None),
        ({}, None),
    ],
)
def test_the_state_of_a_ticket_follows_from_what_it_has_in_its_place(fields, state):
    assert after(hook("ticket.created", ticket(**fields)))["state"] == state
    assert after(reading(ticket(**fields), kind="ticket"))["state"] == state


def test_a_snoozed_ticket_that_is_closed_is_closed():
    snoozed = hook("ticket.admin.snoozed", ticket(updated=AT + 5, open=True, snoozed_until=AT + 900), at=AT + 5)
    closed = hook("ticket.closed", {"ticket": ticket(updated=AT + 9, open=False, snoozed_until=None)}, at=AT + 9, number=2)
    value = in_every_order(snoozed, closed).value()
    assert (value["state"], value["open"], value["snoozed_until"]) == ("closed", False, None)


def test_a_part_beside_a_ticket_is_one_of_its_parts():
    reply = part(7, at=AT + 5)
    alone = hook("ticket.contact.replied", {"ticket": ticket(updated=AT + 5), "ticket_part": reply}, at=AT + 6)
    both = hook("ticket.contact.replied", {"ticket": ticket(reply, updated=AT + 5), "ticket_part": reply}, at=AT + 6, number=2)
    assert in_every_order(alone, both).value()["tallies"]["contact_reply"] == {
        "count": 1,
        "first_at": (AT + 5) * 1000,
        "last_at": (AT + 5) * 1000,
    }
    story = Story().report("ticket.contact.replied", {"ticket": ticket(updated=AT + 5), "ticket_part": reply}, at=AT + 6)
    assert (story.one("conversation.contact_replied")["time"], story.one("conversation.contact_replied")["text"]) == (
        (AT + 5) * 1000,
        "Hello",
    )


def test_the_message_that_began_a_conversation_is_no_part_of_it_where_an_event_shows_it_as_one():
    first = part(FIRST, at=AT, tags=[{"id": "25"}])
    tagged = begun(conversation_parts={"conversation_parts": [first]}, tags={"tags": [{"id": "25"}]}, updated=AT + 60)
    assert "parts" not in after(hook("conversation_part.tag.created", tagged, at=AT + 60))["tallies"]
    story = Story().report("conversation.user.created", begun())
    story.report("conversation_part.tag.created", tagged, at=AT + 60, number=2)
    assert sorted(each["type"] for each in story.activities()) == ["conversation.started", "conversation.tagged"]
    other = begun(conversation_parts={"conversation_parts": [part(FIRST, at=AT + 9)]})
    assert after(hook("conversation.user.replied", other))["tallies"]["parts"]["count"] == 1, (
        "a later one of that number is a part"
    )


@pytest.mark.parametrize("as_a_part", [False, True])
def test_a_redaction_of_what_began_a_conversation_takes_its_subject_too_for_good(as_a_part):
    hidden = part(FIRST, at=AT, redacted=True, body="<p><i>This message was deleted</i></p>")
    shown = {"conversation_parts": {"conversation_parts": [hidden]}} if as_a_part else {}
    source = {**begun()["source"], **({} if as_a_part else {"redacted": True, "subject": "", "body": None})}
    redacted = hook("conversation_part.redacted", begun(source=source, updated=AT + 9, **shown), at=AT + 9, number=2)
    first = hook("conversation.user.created", begun())
    late = hook("conversation.user.replied", begun(updated=AT + 20, conversation_parts={}), at=AT + 20, number=3)
    story = in_every_order(first, redacted, late)
    assert story.value()["source_subject"] is None
    assert SECRET.encode() not in b"".join([*story.rows().values(), *story.bytes_sent().values()])
    flow = Story().report("conversation.user.created", begun())
    flow.report("conversation_part.redacted", begun(source=source, updated=AT + 9, **shown), at=AT + 9, number=2)
    started = flow.one("conversation.started")
    assert (started["text"], started["redacted"]) == (None, True)


@pytest.mark.parametrize("verb", ["added", "removed"])
def test_who_joins_or_leaves_is_one_activity_with_the_part_that_says_so(verb):
    topic, type_ = {
        "added": ("attached", "conversation.contact_joined"),
        "removed": ("detached", "conversation.contact_left"),
    }[verb]
    post = {"conversation": internal_conversation(verb, 37358461336, "2026-01-10T04:11:44.000Z"), "contact": {"id": LEE}}
    shown = reading(conversation(part(37358461336, INES, kind=f"participant_{verb}", at=AT + 10, body=None), updated=AT + 11))
    story = (
        Story().report("conversation.user.created", begun()).report(f"conversation.contact.{topic}", post, at=AT + 11, number=2)
    )
    of_ada = [each for each in story.activities() if each["contacts"] == [f"{APP}:{ADA}"]]
    assert [(each["type"], each["author"], each["time"]) for each in of_ada if each["type"] != "conversation.started"] == [
        (type_, "teammate:7", (AT + 10) * 1000)
    ]
    story._append("intercom.conversations", shown.key, shown.value, shown.headers)
    story.run()
    again = [each for each in story.activities(type_) if each["contacts"] == [f"{APP}:{ADA}"]]
    assert len(again) == 1


@pytest.mark.parametrize("kind", ["workflow_assignment", "message_strategy_assignment", "assign_and_unsnooze", "assignment"])
def test_every_way_to_assign_is_counted_as_an_assignment(kind):
    shown = conversation(part(1, INES, kind=kind, body=None), statistics={"count_conversation_parts": 2, "count_assignments": 9})
    assert after(hook("conversation.admin.assigned", shown))["count_assignments"] == 1
    assert Story().report("conversation.admin.assigned", shown).one("conversation.assigned")["attributes"]["part_type"] == kind


def test_notes_quick_replies_and_ratings_are_what_intercom_says_of_them():
    kinds = {"note_and_unsnooze": INES, "quick_reply": CUSTOMER, "conversation_rating_changed": CUSTOMER}
    shown = [part(number, author, kind=kind, body=None) for number, (kind, author) in enumerate(kinds.items(), 1)]
    story = Story().report("conversation.read", conversation(*shown))
    found = {each["attributes"].get("part_type"): each["type"] for each in story.activities()}
    assert {kind: found[kind] for kind in kinds} == {
        "note_and_unsnooze": "conversation.noted",
        "quick_reply": "conversation.contact_replied",
        "conversation_rating_changed": "conversation.other",
    }
    tallies = story.values("conversations")[f"{APP}:{ENTITY}"]["tallies"]
    assert (tallies["note"]["count"], tallies["contact_reply"]["count"]) == (1, 1)


def test_a_translation_of_a_reply_does_not_replace_its_words():
    written, other = part(7, INES, at=AT + 5, body="<p>Hello</p>"), part(7, INES, at=AT + 5, body="<p>Bonjour tout le monde</p>")
    posts = [
        ("conversation.admin.replied", conversation(written, updated=AT + 5)),
        ("conversation.admin.replied.translated", conversation(other, updated=AT + 5)),
    ]
    for order in (posts, posts[::-1]):
        story = Story()
        for number, (topic, item) in enumerate(order):
            story.report(topic, item, at=AT + 6, number=number)
        assert story.one("conversation.teammate_replied")["text"] == "Hello"


def test_a_subscription_has_its_own_time_and_a_user_that_is_posted_itself_has_none():
    wrapped = {"type": "contact_unsubscribe", "contact": {"id": ADA}, "subscription_types": {"data": []}, "created_at": AT + 3}
    story = Story().report("contact.unsubscribed", wrapped, at=AT + 5)
    itself = {"type": "user", "id": LEE, "created_at": AT - 900, "unsubscribed_from_emails": True}
    story.report("user.unsubscribed", itself, at=AT + 7, number=2)
    found = sorted((each["time"], each["time_basis"]) for each in story.activities("contact.unsubscribed"))
    assert found == [((AT + 3) * 1000, "item"), ((AT + 7) * 1000, "notification")]
