"""What an activity costs does not grow with what there is before it: so many rows are read, however much the contact did."""

import pytest

from schemas.activities.messages import RECORD, ActivityRecord, Participants, ParticipantsRecord
from schemas.activities.records import PersonActivity
from schemas.activities.retention import RETENTION, RetentionMessage, RetentionPolicy
from schemas.message import RecordValue
from schemas.profiles.registers import PatchCause
from schemas.topics import DAY_MS
from streams.agents.activities import agent as module
from streams.engine.agent import Batch
from streams.engine.in_memory import ListOutbox, MemoryTable
from tests.support.tenancy import TENANCY

CONTACT = "abc12345:c1"
CAUSE = PatchCause("e", 0)
TODAY = 20_000
FEW, MANY = 80, 800  # both have leaves of marks


class CountedTable(MemoryTable):
    """A table that counts the rows that are read."""

    reads = 0

    def get(self, group, item=""):
        self.reads += 1
        return super().get(group, item)

    def walk(self, group, after=""):
        for found in super().walk(group, after):
            self.reads += 1
            yield found


class CountedContact:
    """A contact of the activities agent, whose every record counts the rows that it reads."""

    def __init__(self):
        self.agent = module.activities(TENANCY)
        self.table = CountedTable(self.agent.codec)
        self.feed("contact.wakes", RecordValue(b"", b"", timestamp=TODAY * DAY_MS))

    def feed(self, topic, record):
        before, out = self.table.reads, ListOutbox()
        rest = self.agent.step(Batch(topic, 0, [record]), self.table, out)
        while rest is not None:
            rest = self.agent.resume(rest, self.table, out)
        self.table.commit()
        return self.table.reads - before

    def happens(self, number, *, days_ago, conversation=""):
        time = (TODAY - days_ago) * DAY_MS + number * 1000
        activity = PersonActivity(id=f"a{number}", type="event.created", time=time, conversation=conversation)
        return self.feed(
            "activity.records", RecordValue(f"{CONTACT}|a{number}".encode(), RECORD.encode(ActivityRecord(activity, CAUSE)))
        )

    def is_sealed(self, conversation):
        message = ParticipantsRecord(conversation, Participants(1, (CONTACT,)), (CONTACT,), CAUSE, sealed=True)
        return self.feed("activity.records", RecordValue(f"{CONTACT}|={conversation}".encode(), RECORD.encode(message)))

    def keeps(self, days):
        message = RetentionMessage(days, f"r{days}", 0, "ada", RetentionPolicy(days))
        return self.feed("activity.policies", RecordValue(b"acme", RETENTION.encode(message)))


def new(behind):
    contact = CountedContact()
    for number in range(behind):
        contact.happens(number, days_ago=10)
    return contact.happens(behind, days_ago=10)


def beyond_its_limit(behind):
    contact = CountedContact()
    for number in range(behind):
        contact.happens(number, days_ago=200)
    return contact.happens(behind, days_ago=200)


def restored(behind):
    contact = CountedContact()
    for number in range(behind):
        contact.happens(number, days_ago=200)
    contact.keeps(400)
    return contact.happens(0, days_ago=200)


def sealed(behind):
    contact = CountedContact()
    for number in range(behind):
        contact.happens(number, days_ago=200, conversation=f"abc12345:{number}")
    contact.is_sealed("abc12345:0")
    return contact.is_sealed("abc12345:1")


@pytest.mark.parametrize("reads", [new, beyond_its_limit, restored, sealed])
def test_an_activity_reads_as_many_rows_behind_many_others_as_behind_few(reads):
    assert reads(MANY) == reads(FEW)
