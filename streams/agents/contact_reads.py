"""Requests to read a contact again, sent by the contacts agent where an event leaves something open."""

from typing import Final

import msgspec

from schemas.codec import Avro
from schemas.ids import derived
from schemas.intercom.routes import destinations
from schemas.profiles.read_requests import MERGED_FROM_UNKNOWN, READ_REQUEST, TOPIC, ContactReadRequest
from streams.agents.derived_event import derived_event
from streams.agents.source_records import Event, RecordChange
from streams.core.records.intercom.translate import SECOND
from streams.core.records.intercom.webhook_topics import ABSORBED
from streams.core.records.registers import version_of
from streams.engine.agent import Outbox

_MERGED: Final = "contact.merged"
_SETTLED: Final = 2 * SECOND  # a reading this long after an event's second reflects all of that second


def request_read(avro: Avro, tenant: str, event: Event, change: RecordChange, out: Outbox) -> None:
    """Ask for the contact's merge history where a contact was merged into it that the event does not name.

    The row remembers the latest merge into the contact, so an event that is repeated, or older than one that asked, asks for nothing.
    """
    notification, destination, trace, _ = event
    if notification.topic != _MERGED or len(destinations(notification)) > 1:
        return
    if version_of(change.registers.on, ABSORBED) == version_of(change.registers_before.on, ABSORBED):
        return
    app_id, _, contact = destination.key.partition(":")
    request = ContactReadRequest(
        tenant=tenant,
        app_id=app_id,
        contact=contact,
        reason=MERGED_FROM_UNKNOWN,
        not_before=(notification.created_at or 0) * SECOND + _SETTLED,
        event=destination.id,
    )
    context = derived_event(
        avro,
        READ_REQUEST,
        id=derived(destination.key, "read", destination.id),
        source="/intercom-streams/contacts",
        type="contact.read.requested",
        time=(notification.created_at or 0) * SECOND or None,
        subject=destination.key,
        partition_key=destination.key,
        sequence=None,
        causation_id=destination.id,
        trace_parent=trace,
    )
    out.send(TOPIC, destination.key, avro.encode(READ_REQUEST, msgspec.structs.asdict(request)), context.headers())
