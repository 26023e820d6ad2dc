"""What a topic has of one activity: its records, and on `activity.records` the marks that count it once its details have expired."""

from typing import Any, NamedTuple

from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topic_end import read_to_end
from schemas.activities.marks import MARK, REMNANT, Remnant, find, mark_of
from schemas.activities.messages import RECORD, RECORDS_TOPIC, MarksRecord
from schemas.activities.records import PersonActivity
from streams.agents.activities.expiry import remembered
from streams.agents.activities.sending import PASSED


class MarkedActivity(NamedTuple):
    """What a mark says of an activity; `sealed` if its conversation is, which the mark does not name then."""

    activity: PersonActivity
    sealed: bool


class RecordedActivity(NamedTuple):
    """The records of an activity, what counts it without details by the contact or company that has it, and how many records were looked at."""

    records: list[Any]
    marked: dict[str, MarkedActivity]
    looked_at: int


async def recorded(kafka: KafkaSettings, topic: str, activity: str) -> RecordedActivity:
    """Read a topic whole for an activity. Its records have keys that end in its id. Raises Unavailable."""
    count, suffix, mark = 0, f"|{activity}".encode(), bytes.fromhex(mark_of(activity))
    with_mark: dict[str, bytes] = {}

    def keep(record: Any) -> Any:
        nonlocal count
        count += 1
        key = record.key or b""
        if topic == RECORDS_TOPIC and b"|=" in key:
            text = key.decode("utf-8", "replace")
            with_mark.pop(text, None)
            if record.value and mark in record.value:
                with_mark[text] = record.value
        return record if key.endswith(suffix) else None

    found = await read_to_end(kafka, topic, keep)
    marked = {}
    for key, value in with_mark.items():
        subject, _, item = key.partition("|")
        known = None if item.startswith(PASSED) else _marked(value, activity)
        if known is not None:
            marked[subject] = known
    return RecordedActivity(found, marked, count)


def _marked(value: bytes, activity: str) -> MarkedActivity | None:
    message, mark = RECORD.decode(value), mark_of(activity)
    if not isinstance(message, MarksRecord):
        return None
    kept = find(message.marks, mark, MARK if message.sealed else REMNANT)
    if kept is None:
        return None
    remnant = Remnant.of(kept) if kept else Remnant(0, 0, live=False)
    return MarkedActivity(remembered(activity, message.conversation, message.kind, remnant), message.sealed is not None)
