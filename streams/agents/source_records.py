"""What the agents of contacts and companies share: join events into a row per source record, and send patches of it."""

from collections.abc import Mapping
from typing import Final

import msgspec

from schemas.cloudevents import EventContext, Origin
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.intercom.envelope import Envelope, body, envelope
from schemas.intercom.routes import Destination, destinations
from schemas.message import Message, header
from schemas.profiles.registers import BASIS, PATCH, Assignment, Patch, PatchCause, SourceRecordRow
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.agents.stored_registers import stored_registers
from streams.core.records.intercom.translate import SECOND, translate
from streams.core.records.intercom.webhook_topics import TopicRule
from streams.core.records.packing import encode
from streams.core.records.registers import NOTHING, join
from streams.engine.agent import Batch, Outbox, Table

ROW: Final = Versioned(SourceRecordRow)


class SourceRecordType(msgspec.Struct, frozen=True, kw_only=True):
    """One type of source record: the topic of its events, what each event asserts, and the topic of its patches."""

    profile_type: str  # "person" or "org"
    topic: str
    patches: str
    rules: Mapping[str, TopicRule]
    secondary_rules: Mapping[str, TopicRule]  # for the second record an event changes, such as the contact merged away


def step(record_type: SourceRecordType, tenancy: Tenancy, batch: Batch, table: Table[SourceRecordRow], out: Outbox) -> None:
    """Join each event to the row of its record, and send a patch where the row changed."""
    for record in batch.records:
        notification = envelope(body(record))
        destination = _destination(record_type, record, notification, out)
        if destination is None:
            continue
        before = table.get(destination.key)
        row = _updated_row(record_type, tenancy, notification, destination, before)
        if row is not None:
            table.put(destination.key, "", row)
            cause = PatchCause(destination.id, (notification.created_at or 0) * SECOND)
            patch = Patch(tenancy.owners[notification.app_id], destination.key, row, cause)
            _send_patch(record_type, patch, before, header(record.headers, "traceparent"), out)


def _destination(record_type: SourceRecordType, record: Message, notification: Envelope, out: Outbox) -> Destination | None:
    """Return the destination that has the record's key. Where none has, send the record unchanged to each under its right key."""
    candidates = [destination for destination in destinations(notification) if destination.topic == record_type.topic]
    if not candidates:
        raise InvalidRecord(f"this is no event of {record_type.topic}, or it names no entity; send it through the ingress")
    key = (record.key or b"").decode("utf-8", "replace")
    for destination in candidates:
        if destination.key == key:
            return destination
    for destination in candidates:
        out.send(record_type.topic, destination.key, record.value, record.headers)
    return None


def _updated_row(
    record_type: SourceRecordType,
    tenancy: Tenancy,
    notification: Envelope,
    destination: Destination,
    before: SourceRecordRow | None,
) -> SourceRecordRow | None:
    """Return the row after the event, or None where the event changes nothing: it was repeated, or later events superseded it."""
    tenant = tenancy.owners.get(notification.app_id)
    if tenant is None:
        raise InvalidRecord("no tenant has this workspace; add it to the configuration and redrive the record")
    if "|" in destination.key:
        raise InvalidRecord("the entity's id holds a `|`, which separates parts of keys; no id of Intercom's does")
    rules = record_type.secondary_rules if destination.causation else record_type.rules
    registers = NOTHING if before is None else stored_registers(before)
    joined = join(registers, translate(rules[notification.topic], notification, destination.id))
    if joined == registers:
        return None
    assignment = before.assignment if before else Assignment(0, derived(tenant, record_type.profile_type, destination.key))
    return SourceRecordRow(encode(joined), assignment)


def _send_patch(
    record_type: SourceRecordType, patch: Patch, before: SourceRecordRow | None, trace: str | None, out: Outbox
) -> None:
    profile = patch.row.assignment.profile
    event = EventContext(
        id=derived(patch.record, "patch", patch.cause.event),
        source="/intercom-streams/" + record_type.topic.removeprefix("intercom."),
        type=f"{record_type.profile_type}.patched.v1",
        origin=Origin.DERIVED,
        time=patch.cause.time or None,
        subject=patch.record,
        partition_key=profile,
        causation_id=patch.cause.event,
        trace_parent=trace,
    )
    headers = event.headers()
    if before is not None:
        headers.append((BASIS, before.digest().encode()))
    out.send(record_type.patches, profile, PATCH.encode(patch, out.encoding), headers)
