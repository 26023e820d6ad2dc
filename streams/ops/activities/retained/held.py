"""Which details of activities a record has: whose, of which type, and of what time. Pure."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from schemas import dead_letters
from schemas.activities.messages import (
    PATCH,
    PATCHES_TOPIC,
    RECORD,
    RECORDS_TOPIC,
    ActivityPatch,
    ActivityRecord,
    ContactActivityRow,
    SharedActivity,
)
from schemas.activities.records import PersonActivity
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.intercom.envelope import body, envelope
from schemas.intercom.rest_objects import READ_AS, reading_in
from schemas.intercom.routes import ACTIVITIES as RAW_ACTIVITIES
from schemas.message import Message, header
from schemas.profiles.checkpoints import is_checkpoint
from schemas.tenancy import Tenancy
from streams.agents.activities.agent import ROWS as CONTACT_ROWS
from streams.agents.activities.timelines import ACTIVITIES
from streams.agents.activities.timelines import ROWS as TIMELINE_ROWS
from streams.agents.conversations.agent import TOPIC as RAW_CONVERSATIONS
from streams.core.activities.conversations import part_type
from streams.core.activities.happenings import activity_of
from streams.core.conversations.observation import Observed, posted, read
from streams.core.conversations.parts import second_of
from streams.engine.tables import commit_state

RAW = (RAW_ACTIVITIES, RAW_CONVERSATIONS)


class HeldDetail(NamedTuple):
    """A detail of an activity. The tenant is empty where nobody has the workspace."""

    tenant: str
    type: str
    time: int


def of_record(topic: str, record: Message, avro: Avro, tenancy: Tenancy) -> list[HeldDetail]:
    """Return the details that a record of a topic has."""
    if not record.value:
        return []
    if topic == ACTIVITIES:
        value = avro.decode(record.value)[1]
        return [HeldDetail(value["tenant"], value["type"], value["time"])]
    key = (record.key or b"").decode("utf-8", "replace")
    if topic == RECORDS_TOPIC:
        message = RECORD.decode(record.value)
        return [_held(tenancy, key, message.activity)] if isinstance(message, ActivityRecord) else []
    if topic == PATCHES_TOPIC:
        patch = PATCH.decode(record.value)
        return [_held(tenancy, patch.contact, patch.activity)] if isinstance(patch, ActivityPatch) else []
    if topic == dead_letters.TOPIC:
        return _in_dead_letter(record, tenancy)
    return list(_in_post(topic, record, key, tenancy))


def of_row(agent: str, record: Message, tenancy: Tenancy) -> list[HeldDetail]:
    """Return the detail that a row of an agent's table has."""
    key, value = record.key, record.value
    if not value or not key or key == commit_state.KEY:
        return []
    row: Any = (CONTACT_ROWS if agent == "activities" else TIMELINE_ROWS).decode(value)
    if isinstance(row, ContactActivityRow):
        return [_held(tenancy, key.decode(), row.activity)]
    return [_held(tenancy, row.contacts[0], row.activity)] if isinstance(row, SharedActivity) else []


def _held(tenancy: Tenancy, contact: str, activity: PersonActivity) -> HeldDetail:
    return HeldDetail(tenancy.tenant_of(contact) or "", activity.type, activity.time)


def _in_dead_letter(record: Message, tenancy: Tenancy) -> list[HeldDetail]:
    origin = dead_letters.origin_of(record.headers)
    if origin is None or origin.topic not in (*RAW, RECORDS_TOPIC, PATCHES_TOPIC):
        return []
    tenant = tenancy.tenant_of((record.key or b"").decode("utf-8", "replace")) or ""
    return [HeldDetail(tenant, header(record.headers, "ce_type") or origin.topic, origin.timestamp)]


def _in_post(topic: str, record: Message, key: str, tenancy: Tenancy) -> Iterator[HeldDetail]:
    """Yield what a post or a reading says of activities; what cannot be read is a dead letter."""
    if is_checkpoint(record):
        return
    tenant = tenancy.tenant_of(key) or ""
    try:
        if topic == RAW_ACTIVITIES:
            found = activity_of(envelope(body(record)), key.partition(":")[2], "", live=False)
            if found is not None:
                yield HeldDetail(tenant, found[0].type, found[0].time)
            return
        observed = _observed(record)
    except InvalidRecord:
        return
    for part in observed.parts:
        yield HeldDetail(tenant, part_type(part.part), part.part.second * 1000)
    created = second_of(observed.item.get("created_at"))
    if created and observed.item.get("source"):
        yield HeldDetail(tenant, "conversation.started", created * 1000)


def _observed(record: Message) -> Observed:
    if header(record.headers, READ_AS) is None:
        return posted(envelope(body(record)), "")
    return read(reading_in(record))
