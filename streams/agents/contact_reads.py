"""Requests to read a contact again, sent by the contacts agent where an event leaves something open."""

from typing import Final

import msgspec

from schemas.codec import Avro
from schemas.ids import derived
from schemas.intercom.rest_objects import ReadAs
from schemas.profiles.read_requests import (
    LIST_TRUNCATED,
    MERGED_FROM_UNKNOWN,
    READ_REQUEST,
    TOPIC,
    UNSETTLED,
    ContactReadRequest,
)
from schemas.profiles.registers import Layers, Registers
from schemas.profiles.version import Version
from streams.agents.derived_event import derived_event
from streams.agents.source_records import Event, RecordChange
from streams.core.profiles.policies import ALIVE, contact_status
from streams.core.records.completeness import incomplete_lists, lists_in_part
from streams.core.records.intercom.translate import SECOND, names_merged_contact
from streams.core.records.intercom.webhook_topics import ABSORBED_UNNAMED
from streams.core.records.registers import unsettled, version_of
from streams.engine.agent import Outbox

_MERGED: Final = "contact.merged"
_DAY: Final = 86_400  # seconds
_SETTLED: Final = 2 * SECOND  # a reading this long after an event's second reflects all of that second


def request_read(avro: Avro, tenant: str, event: Event, change: RecordChange, out: Outbox) -> None:
    """Ask for the contact to be read where an event leaves something open, once for each reason."""
    for reason in (*_unnamed_merge(event, change), *_truncated_list(event, change), *_contradiction(change)):
        _request(avro, tenant, event, reason, out)


def _unnamed_merge(event: Event, change: RecordChange) -> tuple[str, ...]:
    """Ask for the contact's merge history where a contact was merged into it that the event does not name.

    The row remembers the latest such merge into the contact, so an event that is repeated, or older than one that asked, asks for nothing.
    """
    notification = event.notification
    if notification.topic != _MERGED or names_merged_contact(notification):
        return ()
    if version_of(change.registers.on, ABSORBED_UNNAMED) == version_of(change.registers_before.on, ABSORBED_UNNAMED):
        return ()
    return (MERGED_FROM_UNKNOWN,)


def _truncated_list(event: Event, change: RecordChange) -> tuple[str, ...]:
    """Ask for the contact's lists where one becomes incomplete, and once a day as long as events say that it still is.

    A reading of Intercom's list of contacts is there to find what events did not bring, so for it a count that fits proves nothing: a company
    that came and one that went are the same number. It asks where it shows a part that is later than all that is known whole.
    """
    if _edges(change.registers) == _edges(change.registers_before):
        return ()
    if event.reading is not None and event.reading.read_as is ReadAs.LISTED:
        known = lists_in_part(change.registers_before)
        later = (kind not in known or version > known[kind] for kind, version in lists_in_part(change.registers).items())
        return (LIST_TRUNCATED,) if any(later) else ()
    after = incomplete_lists(change.registers)
    if not after:
        return ()
    before = incomplete_lists(change.registers_before)
    new = any(kind not in before or _day(version) > _day(before[kind]) for kind, version in after.items())
    return (LIST_TRUNCATED,) if new else ()


def _contradiction(change: RecordChange) -> tuple[str, ...]:
    """Ask for a contact about which two events of one second contradict each other. One that is deleted or merged away cannot be read."""
    after = change.registers
    names = unsettled(after) if after.on or after.contested else set()
    if not names or names <= unsettled(change.registers_before) or contact_status(after) not in ALIVE:
        return ()
    return (UNSETTLED,)


def _edges(registers: Registers) -> tuple[Layers, ...]:
    """Return what the completeness of lists follows from. An older event of one entry, too, makes a count wrong that was right."""
    return registers.complete, registers.on, registers.off, registers.since


def _day(version: Version) -> int:
    return version.second // _DAY


def _request(avro: Avro, tenant: str, event: Event, reason: str, out: Outbox) -> None:
    notification, destination, trace = event.notification, event.destination, event.trace
    app_id, _, contact = destination.key.partition(":")
    request = ContactReadRequest(
        tenant=tenant,
        app_id=app_id,
        contact=contact,
        reason=reason,
        not_before=(notification.created_at or 0) * SECOND + _SETTLED,
        event=destination.id,
    )
    context = derived_event(
        avro,
        READ_REQUEST,
        id=derived(destination.key, "read", reason, destination.id),
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
