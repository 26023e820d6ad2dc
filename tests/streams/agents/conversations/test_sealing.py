"""A conversation that is long over: its figures and counts stay, nothing that was written does, and what is new is new."""

import pytest

from schemas.activities.retention import UNLIMITED, RetentionPolicy
from schemas.message import RecordValue
from schemas.profiles.checkpoints import DUE_TYPE, is_checkpoint
from streams.core.conversations.sealing import SEALED_AFTER_S
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.streams.agents.activities.test_flows import Story, replied
from tests.support.conversations.bodies import ENTITY, INES, KEY, hook, part
from tests.support.identity.lagging_pipeline import PARTITIONS
from tests.support.intercom_bodies import ADA, APP, AT

DAY_S = 86_400
LATER = AT + SEALED_AFTER_S + 30 * DAY_S
DUE = [("ce_type", DUE_TYPE.encode()), ("ce_origin", b"checkpoint")]
PARTS = (part(1), part(2, INES, kind="note", at=AT + 5), part(3, INES, kind="close", at=AT + 9))


def after_a_round(story, second):
    """Let a round of checkpoints come at that second, and the day with it."""
    for at in range(PARTITIONS):
        story._append("intercom.conversations", b"", b"", DUE, at, timestamp=second * 1000)
    story.wake(second // DAY_S)
    story.run()
    return story


DEFAULT = RetentionPolicy()


def a_conversation(policy=DEFAULT):
    story = Story()
    story.retain(policy)
    item = replied(*PARTS, updated=AT + 9, title="about Ada", statistics={"count_conversation_parts": 4})
    return story.report("conversation.admin.closed", item, at=AT + 9)


def conversation_of(story):
    return story.values("conversations")[KEY]


@pytest.fixture
def sealed():
    return after_a_round(a_conversation(), LATER)


def test_figures_stay_and_what_was_written_goes(sealed):
    before, after = conversation_of(a_conversation()), conversation_of(sealed)
    assert (before["title"], after["title"]) == ("about Ada", None)
    assert {
        name: after[name]
        for name in ("tallies", "complete", "basis", "first_admin_reply_at", "last_close_at", "contacts", "state")
    } == {
        name: before[name]
        for name in ("tallies", "complete", "basis", "first_admin_reply_at", "last_close_at", "contacts", "state")
    }
    rows = sealed.rows("conversations")
    assert sorted(key.partition("|")[2] for key in rows if key.startswith(KEY)) == ["", "=sealed", "=sent"]


def test_counts_are_joined_for_each_type_and_take_little_room(sealed):
    assert sealed.counts() == a_conversation().counts()
    assert sealed.activities() == []
    rows = {key: value for key, value in sealed.rows("activities").items() if key.startswith(f"{APP}:{ADA}|")}
    assert {key.split("|")[1] for key in rows} == {"t", "z", "r"}
    assert [key for key in sealed.latest("activity.records") if KEY in key] == [f"{APP}:{ADA}|={KEY}"], (
        "with whom it was is not forgotten: who is erased is to be found in it"
    )


def test_an_earlier_part_that_comes_now_is_too_late_and_a_new_one_counts(sealed):
    before, value = sealed.counts(), conversation_of(sealed)
    sealed.report("conversation.user.replied", replied(part(1), part(9, at=AT + 1), updated=AT + 1), at=AT + 1, number=7)
    assert (sealed.counts(), conversation_of(sealed)) == (before, value)
    sealed.report("conversation.user.replied", replied(part(10, at=LATER), updated=LATER), at=LATER, number=8)
    (person,) = before
    expected = {**before[person], "conversation.contact_replied": before[person]["conversation.contact_replied"] + 1}
    assert sealed.counts() == {person: expected}
    assert sealed.one("conversation.contact_replied")["time"] == LATER * 1000
    assert conversation_of(sealed)["tallies"]["parts"]["count"] == 4


def test_details_without_a_limit_outlive_the_seal_and_are_joined_when_they_expire():
    story = after_a_round(a_conversation(RetentionPolicy(UNLIMITED)), LATER)
    assert len(story.activities()) == 3
    story.retain(RetentionPolicy(30), version=2)
    story.run()
    assert story.activities() == []
    assert story.counts() == a_conversation().counts()
    rows = {key: value for key, value in story.rows("activities").items() if key.startswith(f"{APP}:{ADA}|")}
    assert {key.split("|")[1] for key in rows} == {"t", "z", "r"}


def test_a_redaction_is_never_too_late_for_words_that_outlive_the_seal():
    story = after_a_round(a_conversation(RetentionPolicy(UNLIMITED)), LATER)
    value = conversation_of(story)
    hidden = part(1, body="<p><i>This message was deleted</i></p>", redacted=True)
    for number, second in enumerate((LATER + 5, AT + 7), 7):  # the second one says nothing that is newer than the seal
        story.report("conversation_part.redacted", replied(hidden, updated=second), at=second, number=number)
        (redacted,) = (each for each in story.activities() if each["attributes"].get("part") == "1")
        assert (redacted["text"], redacted["redacted"]) == (None, True)
    assert conversation_of(story)["tallies"] == value["tallies"]
    assert story.counts() == a_conversation().counts()


def test_what_is_new_after_a_seal_leaves_with_a_contact_as_it_did_before_one(sealed):
    sealed.report("conversation.user.replied", replied(part(10, at=LATER), updated=LATER), at=LATER, number=8)
    sealed.wake(LATER // DAY_S + 200)
    sealed.run()
    left = {"conversation": {"model": {"id": int(ENTITY)}, "parts": []}, "contact": {"id": ADA}}
    before = a_conversation().counts()
    sealed.report("conversation.contact.detached", left, at=LATER + 9, number=9)
    assert sealed.counts() == before, "what was sealed stays theirs"


def test_it_is_sealed_again_after_what_was_new_and_once_only(sealed):
    sealed.report("conversation.user.replied", replied(part(10, at=LATER), updated=LATER), at=LATER, number=8)
    again = LATER + SEALED_AFTER_S + 30 * DAY_S
    after_a_round(sealed, again)
    assert conversation_of(sealed)["tallies"]["parts"]["count"] == 4
    sent = len(sealed.topics["conversations"])
    after_a_round(sealed, again + 40 * DAY_S)
    assert len(sealed.topics["conversations"]) == sent


def test_what_is_written_after_a_seal_stays_through_the_next_rounds(sealed):
    sealed.report("conversation.user.replied", replied(part(10, at=LATER), updated=LATER, title="again"), at=LATER, number=8)
    for days in (30, 60):
        after_a_round(sealed, LATER + days * DAY_S)
        assert conversation_of(sealed)["title"] == "again"


def test_a_checkpoint_of_before_a_seal_that_is_read_behind_it_gives_no_part_back():
    story = a_conversation()
    for at in range(PARTITIONS):
        story._append("intercom.conversations", b"", b"", DUE, at, timestamp=(AT + 99) * 1000)
    story.run()
    earlier = [record for record in story.topics["intercom.conversations"] if is_checkpoint(record)]
    after_a_round(story, LATER)
    story.report("conversation.user.replied", replied(part(10, at=LATER), updated=LATER), at=LATER, number=8)
    after_a_round(story, LATER + 30 * DAY_S)
    once = [record for record in story.topics["intercom.conversations"] if is_checkpoint(record)][len(earlier) :]
    after_a_round(story, LATER + SEALED_AFTER_S + 60 * DAY_S)
    rows = story.rows("conversations")
    for record in (*earlier, *once[:-1]):
        story._append(*_same(record))
        story.run()
        assert story.rows("conversations") == rows


def _same(record):
    return "intercom.conversations", record.key, record.value, record.headers


@pytest.mark.parametrize("before", [(), (part(9, at=AT + 1), part(1)), (part(9, at=None),)])
def test_checkpoints_of_a_sealed_conversation_give_its_table_back_whatever_was_too_late_before_them(sealed, before):
    late = [hook("conversation.user.replied", replied(*before, updated=AT + 1), at=AT + 1, number=7)] if before else []
    checkpoints = [
        record for record in sealed.topics["intercom.conversations"] if record.key == KEY.encode() and is_checkpoint(record)
    ]
    agent = sealed.agents["conversations"]
    table = MemoryTable(agent.codec)
    records = [*late, *(RecordValue(each.key, each.value, each.headers) for each in checkpoints)]
    agent.step(Batch("intercom.conversations", 0, records), table, ListOutbox())
    table.commit()
    assert [key for key in table.rows() if key.startswith(f"{KEY}|") and key.partition("|")[2] not in ("=sealed", "=sent")] == []
    kept = {key: value for key, value in sealed.rows("conversations").items() if key in (KEY, f"{KEY}|=sealed")}
    assert {key: value for key, value in table.rows().items() if key in kept} == kept


def test_the_records_of_activities_alone_give_the_table_back(sealed):
    agent = sealed.agents["activities"]
    table = MemoryTable(agent.codec)
    records = [RecordValue(key.encode(), value) for key, value in sealed.latest("activity.records").items()]
    agent.step(Batch("activity.records", 0, records), table, ListOutbox())
    table.commit()
    assert table.rows() == {key: value for key, value in sealed.rows("activities").items() if not key.startswith(("*", ":"))}
