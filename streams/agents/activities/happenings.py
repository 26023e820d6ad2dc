"""The happenings agent: posts on `intercom.activities` become activities of the contact, or of the value, that each names. It has no table."""

from functools import partial
from typing import Final

import msgspec

from schemas.activities.messages import RECORD, RECORDS_TOPIC, ActivityRecord, company_subject, fits_in_a_key
from schemas.cloudevents import EventContext, Origin
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.intercom.envelope import Envelope, body, envelope
from schemas.intercom.routes import ACTIVITIES, destinations
from schemas.message import TRACE_PARENT, Message, header, header_texts
from schemas.profiles.registers import PatchCause
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.core.activities.happenings import NOT_UNDERSTOOD, activity_of
from streams.core.activities.join import for_company
from streams.engine.agent import Agent, Batch, Outbox, Table

SOURCE: Final = "/intercom-streams/happenings"
LIVE: Final = frozenset({Origin.WEBHOOK.value, Origin.RESYNC.value})
"""The origins of what happens now, as against what is repeated or read later."""
_ORIGIN: Final = "ce_origin"


class NoRow(msgspec.Struct, frozen=True, array_like=True):
    """The agent has no table."""


ROWS: Final = Versioned(NoRow)


def happenings(tenancy: Tenancy) -> Agent:
    """Return the agent for the workspaces of an installation."""
    return Agent(name="happenings", sources=(ACTIVITIES,), step=partial(_step, tenancy), codec=ROWS)


def is_live(record: Message) -> bool:
    """Return whether a record is of something that happens now."""
    return header(record.headers, _ORIGIN) in LIVE


def is_replayed(record: Message) -> bool:
    """Return whether a record repeats one that is in the log before it."""
    return header(record.headers, _ORIGIN) == Origin.REPLAY


def _step(tenancy: Tenancy, batch: Batch, table: Table[NoRow], out: Outbox) -> None:
    for record in batch.records:
        notification = envelope(body(record))
        key = (record.key or b"").decode("utf-8", "replace")
        entity, event = _place(tenancy, notification, key)
        origin, trace = header_texts(record.headers, _ORIGIN, TRACE_PARENT)
        found = activity_of(notification, entity, event, live=origin in LIVE)
        if found is None:
            raise InvalidRecord(f"the topic of this post is no activity of a contact; it does not belong on {ACTIVITIES}")
        activity, understood = found
        if not understood:
            out.note(NOT_UNDERSTOOD)
        cause = PatchCause(event, (notification.created_at or 0) * 1000)
        send_record(key, ActivityRecord(activity, cause), item=activity.id, source=SOURCE, trace=trace, out=out)
        if activity.company and fits_in_a_key(activity.company):
            subject = company_subject(f"{notification.app_id}:{activity.company}")
            of_company = ActivityRecord(for_company(activity), cause)
            send_record(subject, of_company, item=activity.id, source=SOURCE, trace=trace, out=out)


def send_record(contact: str, message: ActivityRecord, *, item: str, source: str, trace: str | None, out: Outbox) -> None:
    """Send an activity of a contact to the activities agent."""
    context = EventContext(
        id=derived(contact, item, message.cause.event, source),
        source=source,
        type="activity.observed.v1",
        origin=Origin.DERIVED,
        causation_id=message.cause.event,
        trace_parent=trace,
    )
    out.send(RECORDS_TOPIC, f"{contact}|{item}", RECORD.encode(message, out.encoding), context.headers())


def _place(tenancy: Tenancy, notification: Envelope, key: str) -> tuple[str, str]:
    """Return the contact, or the value, that a record is about, and the id of its event."""
    if notification.app_id not in tenancy.owners:
        raise InvalidRecord("no tenant has this workspace; add it to the configuration and redrive the record")
    for each in destinations(notification):
        if each.topic == ACTIVITIES and each.key == key and "|" not in key:
            return each.entity or "", notification.id
    raise InvalidRecord(f"this is no post about an activity of this contact; send posts to {ACTIVITIES} through the ingress")
