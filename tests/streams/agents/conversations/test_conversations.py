"""Histories of conversations and tickets, through the agent."""

import json

import pytest

from schemas.errors import InvalidRecord
from schemas.intercom.conversations import CHECKPOINT
from schemas.intercom.rest_objects import ReadAs
from schemas.message import RecordValue
from streams.agents.conversations import agent as module
from tests.support.conversations.bodies import CUSTOMER, ENTITY, FIN, INES, KEY, conversation, hook, part, reading
from tests.support.conversations.stepping import Conversations, after
from tests.support.intercom_bodies import ADA, APP, AT


def test_a_conversation_that_is_opened_answered_and_closed_says_so_with_figures_from_its_parts():
    asked = conversation(
        state="open", open=True, created_at=AT, source={"type": "conversation", "author": CUSTOMER, "subject": "Hi"}
    )
    answered = conversation(part(1, INES, at=AT + 60), updated=AT + 60, state="open")
    closed = conversation(
        part(2, INES, kind="close", at=AT + 90, body=None), updated=AT + 90, state="closed", open=False,
        statistics={"count_conversation_parts": 3, "first_admin_reply_at": "2026-01-10T04:12:34.000Z"},
    )  # fmt: skip
    value = after(
        hook("conversation.user.created", asked),
        hook("conversation.admin.replied", answered, at=AT + 60, number=2),
        hook("conversation.admin.closed", closed, at=AT + 91, number=3),
    )
    assert (value["id"], value["kind"], value["state"], value["open"]) == (ENTITY, "conversation", "closed", False)
    assert (value["complete"], value["basis"], value["parts_expected"]) == (True, "parts", 2)
    assert value["first_contact_reply_at"] == AT * 1000
    assert (value["first_admin_reply_at"], value["last_close_at"]) == ((AT + 60) * 1000, (AT + 90) * 1000)
    assert value["contacts"] == [f"{APP}:{ADA}"]
    assert value["tallies"]["teammate_reply"]["count"] == 1


def test_a_closing_counts_though_updated_at_did_not_advance():
    opened = hook("conversation.user.replied", conversation(part(1, at=AT + 50), updated=AT + 50, state="open", open=True))
    stale = conversation(part(2, INES, kind="close", at=AT + 80), updated=AT + 20, state="closed", open=False)
    closed = hook("conversation.admin.closed", stale, at=AT + 81, number=2)
    assert after(opened, closed)["state"] == after(closed, opened)["state"] == "closed"


def test_within_one_second_the_number_of_the_part_decides():
    closed = hook("conversation.admin.closed", conversation(part(7, INES, kind="close"), state="closed", open=False))
    replied = hook("conversation.user.replied", conversation(part(8), state="open", open=True), number=2)
    for order in ((closed, replied), (replied, closed)):
        value = after(*order)
        assert (value["state"], value["unsettled"]) == ("open", [])


def test_one_part_from_a_webhook_and_from_rest_with_an_int_id_is_one_part():
    posted = hook("conversation.user.replied", conversation(part(4)))
    read = reading(conversation({**part(4), "id": 4, "body": "Hello"}, part(5, FIN, at=AT + 1)))
    assert after(posted, read)["tallies"] == after(read, posted, read)["tallies"]
    assert after(posted, read)["tallies"]["parts"]["count"] == 2


def test_a_bot_that_an_older_version_lists_as_an_admin_is_no_teammate():
    operator = {"type": "admin", "id": "1", "email": "operator+abc12345@intercom.example"}
    tallies = after(hook("conversation.admin.replied", conversation(part(1, operator))))["tallies"]
    assert (tallies["bot_reply"]["count"], "teammate_reply" in tallies) == (1, False)


def test_ids_of_every_type_and_of_nobody():
    value = after(hook("conversation.admin.assigned", conversation(admin_assignee_id=7, team_assignee_id="0")))
    assert (value["admin_assignee"], value["team_assignee"]) == ("7", None)
    value = after(hook("ticket.admin.assigned", {"type": "ticket", "id": ENTITY, "updated_at": AT, "admin_assignee_id": "0"}))
    assert (value["kind"], value["admin_assignee"], value["contacts"]) == ("ticket", None, [])


def test_what_version_one_posts_is_read_under_todays_names():
    item = {
        "type": "conversation", "id": ENTITY, "updated_at": AT, "user": {"type": "lead", "id": ADA}, "state": "closed",
        "assignee": {"type": "admin", "id": "7"}, "conversation_message": {"type": "conversation_message", "id": "1", "author": CUSTOMER},
    }  # fmt: skip
    value = after(hook("conversation.admin.closed", item))
    assert (value["admin_assignee"], value["contacts"], value["source_author"]) == ("7", [f"{APP}:{ADA}"], f"contact:{ADA}")
    nobody = after(hook("conversation.user.created", {**item, "assignee": {"type": "nobody_admin", "id": None}}))
    assert nobody["admin_assignee"] is None


def test_a_closed_ticket_is_one_level_down():
    ticket = {
        "type": "ticket",
        "id": ENTITY,
        "updated_at": AT,
        "open": False,
        "ticket_state": {"category": "resolved"},
        "ticket_id": "3",
    }
    value = after(hook("ticket.closed", {"ticket": ticket}))
    assert (value["kind"], value["ticket_state"], value["ticket_number"], value["open"]) == ("ticket", "resolved", "3", False)


def test_a_ticket_embedded_in_a_conversation_is_a_link_and_does_not_make_it_one():
    value = after(hook("conversation.user.replied", conversation(state="open", ticket={"type": "ticket", "id": "77"})))
    assert (value["kind"], value["state"], value["linked"]) == ("conversation", "open", ["77"])


def test_a_contact_attached_by_an_internal_form_and_detached_again():
    inner = json.dumps({"id": 5, "part_type": "participant_added", "created_at": AT + 5})
    dump = {"model": {"id": int(ENTITY)}, "options": {}, "parts": [{"data": inner}, {"data": "no JSON"}, {"data": None}]}
    joined = hook("conversation.contact.attached", {"conversation": dump, "contact": {"type": "contact", "id": "c2"}}, at=AT + 6)
    first = hook("conversation.user.created", conversation(), number=2)
    story = Conversations().feed(joined, first)
    assert story.value()["contacts"] == [f"{APP}:{ADA}", f"{APP}:c2"]
    assert story.value()["tallies"]["parts"]["count"] == 1
    assert story.notes == {"part_without_id": 2}
    left = hook("conversation.contact.detached", {"conversation": dump, "contact": {"id": "c2"}}, at=AT + 9, number=3)
    assert after(left, joined, first)["contacts"] == [f"{APP}:{ADA}"]


@pytest.mark.parametrize("source", [None, "text", {"type": "conversation", "author": None}])
def test_a_null_source_and_a_null_reply_are_nothing(source):
    value = after(hook("conversation.user.created", conversation(source=source, first_contact_reply=None, statistics=None)))
    assert value["source_author"] is None


@pytest.mark.parametrize("contacts", [None, {}, {"contacts": []}, {"contacts": [{"id": None}, {"id": 0}]}, []])
def test_contacts_that_are_missing_or_empty_are_nobody(contacts):
    assert after(hook("conversation.user.created", {**conversation(), "contacts": contacts}))["contacts"] == []


def test_a_deletion_takes_what_was_said_and_leaves_counts_whenever_it_comes():
    item = conversation(
        part(1), title="secret title", custom_attributes={"Order": "secret"}, source={"subject": "secret", "author": CUSTOMER}
    )
    events = [
        hook("conversation.user.replied", item),
        hook("conversation.deleted", {"conversation_id": ENTITY}, at=AT + 5, number=2),
    ]
    late = hook("conversation.user.replied", conversation(part(2), updated=AT + 9, title="secret too"), at=AT + 9, number=3)
    stories = [Conversations(), Conversations(), Conversations()]
    for story, order in zip(stories, ([*events, late], [late, *events[::-1]], [events[1], late, events[0]]), strict=True):
        for record in order:
            story.feed(record)
        value = story.value()
        assert value["deleted_at"] == (AT + 5) * 1000
        assert value["tallies"]["parts"]["count"] == 2
        assert (value["contacts"], value["title"], value["attributes"]) == ([f"{APP}:{ADA}"], None, {})
        assert b"secret" not in b"".join([*story.rows().values(), *story.bytes_sent().values()])
    assert stories[0].rows() == stories[1].rows() == stories[2].rows()


def test_a_conversation_that_rest_no_longer_has_is_deleted():
    gone = reading({}, read_as=ReadAs.MISSING)
    assert after(hook("conversation.user.created", conversation()), gone)["deleted_at"] == (AT + 100) * 1000


def test_a_part_redacted_before_it_is_first_seen_stays_redacted():
    redacted = hook("conversation_part.redacted", conversation(part(1, body=None, redacted=True)), at=AT + 9, number=2)
    first = hook("conversation.user.replied", conversation(part(1)))
    tallies = [after(*order)["tallies"] for order in ((redacted, first), (first, redacted))]
    assert tallies[0] == tallies[1]
    assert tallies[0]["redacted"]["count"] == 1


@pytest.mark.parametrize("time", [None, 0, 86_400, "never", {"a": 1}])
def test_a_part_without_a_time_that_can_be_counts_and_dates_nothing(time):
    tallies = after(hook("conversation.user.replied", conversation({**part(1), "created_at": time})))["tallies"]
    assert tallies["parts"] == {"count": 1, "first_at": None, "last_at": None}


def test_each_state_of_an_incomplete_conversation_asks_once_to_be_read():
    statistics = {"count_conversation_parts": 4}
    first = hook("conversation.user.replied", conversation(part(1), statistics=statistics))
    story = Conversations().feed(first).feed(first)
    later = hook(
        "conversation.user.replied", conversation(part(3, at=AT + 9), updated=AT + 9, statistics=statistics), at=AT + 9, number=2
    )
    story.feed(later).feed(first, later)
    assert [(each["reason"], each["conversation"], each["not_before"]) for each in story.requests()] == [
        ("parts_missing", ENTITY, (AT + 2) * 1000), ("parts_missing", ENTITY, (AT + 11) * 1000),
    ]  # fmt: skip
    assert story.value()["basis"] == "intercom"
    whole = reading(conversation(part(1), part(2, INES), part(3, at=AT + 9), updated=AT + 9, statistics=statistics))
    story.feed(whole)
    assert (story.value()["complete"], len(story.requests())) == (True, 2)


def test_the_message_that_began_a_conversation_is_counted_by_intercom_and_is_no_part():
    """As recorded in May 2026: a conversation that nobody has answered counts 1, one with a null source and 15 parts counts 16."""
    begun = Conversations().feed(hook("conversation.user.created", conversation(statistics={"count_conversation_parts": 1})))
    assert (begun.value()["complete"], begun.value()["basis"], begun.requests()) == (True, "parts", [])
    shown = [part(number, INES, kind="open", body=None) for number in range(1, 16)]
    value = after(reading(conversation(*shown, source=None, statistics={"count_conversation_parts": 16, "count_reopens": 0})))
    assert (value["complete"], value["parts_expected"], value["count_reopens"]) == (True, 15, 15)


def test_five_hundred_of_five_thousand_parts_are_incomplete_and_ask_for_no_reading_of_the_same_state():
    shown = conversation(*(part(number) for number in range(4501, 5001)), statistics={"count_conversation_parts": 5001})
    story = Conversations().feed(reading(shown))
    assert (story.value()["complete"], story.value()["tallies"]["parts"]["count"], story.requests()) == (False, 500, [])


def test_a_ticket_is_complete_once_a_reading_showed_it():
    ticket = {"type": "ticket", "id": ENTITY, "updated_at": AT, "ticket_parts": {"ticket_parts": [part(1)]}}
    story = Conversations().feed(hook("ticket.created", ticket))
    assert story.requests()[0]["kind"] == "ticket"
    assert story.feed(reading(ticket, kind="ticket")).value()["complete"] is True


def test_two_values_of_one_second_are_unsettled_and_ask_for_a_reading():
    values = [
        hook("conversation.priority.updated", conversation(priority=each), number=n) for n, each in enumerate(("low", "high"))
    ]
    story = Conversations().feed(*values)
    assert "priority" in story.value()["unsettled"]
    assert [each["reason"] for each in story.requests()] == ["parts_missing", "unsettled"]
    settled = story.feed(reading(conversation(priority="high"))).value()
    assert (settled["priority"], settled["priority_level"], settled["unsettled"]) == ("high", 3, [])


def test_checkpoints_alone_give_the_table_back_and_publish_nothing_new(monkeypatch):
    monkeypatch.setattr(module, "_PARTS_IN_A_CHECKPOINT", 2)
    story = Conversations().feed(
        hook("conversation.user.replied", conversation(*(part(number) for number in range(1, 6)))),
        hook("conversation.admin.closed", conversation(part(9, INES, kind="close"), updated=AT + 1, state="closed"), number=2),
    )
    records = story.checkpoints()
    assert len(records) == 3
    rebuilt = Conversations().feed(*records[::-1])
    assert rebuilt.rows() == story.rows()
    assert (rebuilt.bytes_sent(), rebuilt.requests()) == (story.bytes_sent(), [])
    sent = len(story.sent)
    assert len(story.feed(*records).sent) == sent
    assert CHECKPOINT.decode(records[0].value).parts[0][1].kind == "comment"


@pytest.mark.parametrize(
    "bad",
    [
        hook("conversation.user.created", conversation(), key="unknown:215"),
        hook("conversation.user.created", conversation(), key=f"{APP}:2|5"),
        hook("conversation.user.created", conversation(), key=f"{APP}:216"),
        hook("conversation.user.created", conversation(), key=f"{APP}:"),
        hook("contact.user.created", {"id": ENTITY}),
        reading({"id": "216"}),
        RecordValue(KEY.encode(), b"{", []),
        RecordValue(KEY.encode(), None, []),
        hook("conversation.user.created", {**conversation(), "updated_at": None}, at=None),
    ],
)
def test_what_is_no_conversation_is_a_clear_error_without_its_content(bad):
    with pytest.raises(InvalidRecord) as raised:
        Conversations().feed(bad)
    assert "Hello" not in str(raised.value)
