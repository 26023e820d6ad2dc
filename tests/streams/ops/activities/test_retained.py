"""What a verification of a purge finds in records and rows, and what of it is a fault."""

import pytest

from schemas.activities.messages import (
    PATCH,
    RECORD,
    ActivityPatch,
    ActivityRecord,
    ContactActivityRow,
    MarksPatch,
    MarksRecord,
    SharedActivity,
    Summary,
)
from schemas.activities.records import PersonActivity
from schemas.activities.retention import RetentionPolicy
from schemas.message import RecordValue
from schemas.profiles.registers import PatchCause
from schemas.topics import DAY_MS
from streams.agents.activities.agent import ROWS as CONTACT_ROWS
from streams.agents.activities.timelines import ROWS as TIMELINE_ROWS
from streams.core.activities.limits import RetentionLimits
from streams.ops.activities.retained.held import HeldDetail, of_record, of_row
from streams.ops.activities.retained.scan import StoreHeld
from streams.ops.activities.retained.verify import faults_of
from tests.support.company import AVRO
from tests.support.conversations.bodies import KEY, conversation, hook, part
from tests.support.intercom_bodies import APP, AT, posted
from tests.support.tenancy import TENANCY

CONTACT = f"{APP}:c1"
ONE = PersonActivity(id="a", type="call.ended", time=AT * 1000)
CAUSE = PatchCause("e", 0)
NOW = 200 * DAY_MS
LIMITS = {"acme": RetentionLimits.of(RetentionPolicy(90), 1, 200)}


def found(topic, record):
    return of_record(topic, record, AVRO, TENANCY)


def test_details_are_found_with_whose_they_are_and_marks_are_none():
    held = [HeldDetail("acme", "call.ended", AT * 1000)]
    key = f"{CONTACT}|a".encode()
    assert found("activity.records", RecordValue(key, RECORD.encode(ActivityRecord(ONE, CAUSE)))) == held
    assert found("activity.records", RecordValue(key, RECORD.encode(MarksRecord("call.ended", "", b"x" * 13, CAUSE)))) == []
    assert found("activity.records", RecordValue(key, None)) == []
    patch = ActivityPatch("acme", CONTACT, ONE, None, CAUSE)
    assert found("activity.patches", RecordValue(b"p", PATCH.encode(patch))) == held
    assert found("activity.patches", RecordValue(b"p", PATCH.encode(MarksPatch("acme", CONTACT, "x", None, CAUSE)))) == []
    assert of_row("activities", RecordValue(key, CONTACT_ROWS.encode(ContactActivityRow(ONE))), TENANCY) == held
    assert of_row("activities", RecordValue(key, CONTACT_ROWS.encode(Summary(1, 2, 3, 1, b"x" * 13))), TENANCY) == []
    assert of_row("timelines", RecordValue(b"p|a|m", TIMELINE_ROWS.encode(SharedActivity(ONE, (CONTACT,)))), TENANCY) == held


def test_posts_on_raw_topics_are_read_by_their_own_times():
    call = RecordValue(CONTACT.encode(), posted("call.ended", {"id": 4, "contact_id": "c1", "ended_at": AT}))
    assert found("intercom.activities", call) == [HeldDetail("acme", "call.ended", AT * 1000)]
    item = conversation(part(1, at=AT + 7), created_at=AT, source={"id": "1"})
    assert found("intercom.conversations", hook("conversation.user.replied", item, key=KEY)) == [
        HeldDetail("acme", "conversation.contact_replied", (AT + 7) * 1000),
        HeldDetail("acme", "conversation.started", AT * 1000),
    ]
    assert found("intercom.conversations", RecordValue(KEY.encode(), b"no JSON")) == []


@pytest.mark.parametrize(
    ("age", "gone_by", "faults"),
    [
        (89, None, 0),  # within its limit
        (92, None, 1),  # nothing takes it away any more
        (92, NOW + 1, 0),  # the broker will
        (92, NOW - 1, 1),  # and should have
    ],
)
def test_a_detail_is_a_fault_once_it_should_be_gone(age, gone_by, faults):
    store = StoreHeld(store="topic activities")
    store.add(HeldDetail("acme", "call.ended", NOW - age * DAY_MS), LIMITS, gone_by, NOW)
    assert len(faults_of([store], {0: 200}, NOW)) == faults


def test_what_belongs_to_nobodys_workspace_has_no_limit_and_is_counted():
    store = StoreHeld(store="topic activities")
    store.add(HeldDetail("", "call.ended", 0), LIMITS, None, NOW)
    assert store.types["call.ended"].details == 1
    assert faults_of([store], {0: 200}, NOW) == []


def test_a_partition_that_has_not_reached_the_day_and_a_table_that_cannot_be_read_are_faults():
    assert faults_of([], {0: 200, 1: 199}, NOW) == []
    (late,) = faults_of([], {0: 200, 1: 190}, NOW)
    assert "partition 1 of the activities agent has reached day 190 of 200" in late
    (missing,) = faults_of([], {}, NOW)
    assert "no wake has come" in missing
    (unread,) = faults_of([StoreHeld(store="table timelines on disk", problem="it is locked")], {0: 200}, NOW)
    assert "it is locked" in unread
