"""A profile counts an activity once in each type that anybody has it in, and in no other."""

from schemas.activities.marks import mark_of, pack_alone
from schemas.activities.messages import ActivityPatch, MarksPatch, Totals, TypeCount
from schemas.activities.records import PersonActivity
from schemas.profiles.registers import PatchCause
from streams.agents.activities.timeline import Timeline
from streams.agents.activities.timelines import ROWS
from streams.engine.in_memory import MemoryTable

CAUSE = PatchCause("event", 1)
ONE = Totals(1, 5_000, 5_000)


def shown(type_, kind):
    return PersonActivity(id="a", type=type_, time=5_000, conversation="w:1", attributes={"part_type": kind})


def test_a_mark_of_another_type_is_counted_no_more_once_its_contact_has_details():
    table = MemoryTable(ROWS)
    timeline = Timeline("p", table)
    marks = pack_alone([mark_of("a")])
    timeline.keep_marks(MarksPatch("acme", "w:2", "conversation.other", ONE, CAUSE, marks, b""))
    timeline.join(ActivityPatch("acme", "w:1", shown("conversation.noted", "note"), ONE, CAUSE))
    assert table.get("p", "c|conversation.other") == TypeCount(1, 1)
    _, changed = timeline.join(ActivityPatch("acme", "w:2", shown("conversation.other", "default"), ONE, CAUSE))
    assert changed
    assert table.get("p", "c|conversation.other") is None
    assert table.get("p", "c|conversation.noted") == TypeCount(1)
