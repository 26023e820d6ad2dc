"""What the agents of contacts and of companies have in common: keep a row per source record, and tell the agent of its profile."""

from collections.abc import Mapping
from typing import Final

import msgspec

from schemas.cloudevents import EventContext, Origin
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.intercom.envelope import Envelope, body, envelope
from schemas.intercom.routes import Destination, destinations
from schemas.message import Message, header
from schemas.profiles.registers import PATCH, Assignment, Patch, PatchCause, SourceRecordRow
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.core.records.intercom.topics import TopicRule
from streams.core.records.intercom.translate import SECOND, translate
from streams.core.records.registers import NOTHING, join, pack, unpack
from streams.engine.agent import Batch, Outbox, Table

ROW: Final = Versioned(SourceRecordRow)


class SourceRecordType(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of source record: where its events come from, what they mean, and where its patches go."""

    profile_type: str  # "person" or "org"
    topic: str
    patches: str
    rules: Mapping[str, TopicRule]
    secondary_rules: Mapping[str, TopicRule]  # by topic: what an event means to the second record of this kind that it is about


def step(source: SourceRecordType, tenancy: Tenancy, batch: Batch, table: Table[SourceRecordRow], out: Outbox) -> None:
    """Join each event to the row of the record it is about, and send the row on when it changed."""
    for record in batch.records:
        note = envelope(body(record))
        place = _destinations(source, record, note, out)
        if place is None:
            continue
        before = table.get(place.key)
        row = _joined(source, tenancy, note, place, before)
        if row is not None:
            table.put(place.key, "", row)
            patch = Patch(tenancy.owners[note.app_id], place.key, row, PatchCause(place.id, (note.created_at or 0) * SECOND))
            _send_patch(source, patch, header(record.headers, "traceparent"), out)


def _destinations(source: SourceRecordType, record: Message, note: Envelope, out: Outbox) -> Destination | None:
    """Return the place this record was sent to; a record with another key goes on, unchanged, to where it belongs."""
    mine = [place for place in destinations(note) if place.topic == source.topic]
    if not mine:
        raise InvalidRecord(f"this is no event of {source.topic}, or it names no entity; send it through the ingress")
    key = (record.key or b"").decode("utf-8", "replace")
    for place in mine:
        if place.key == key:
            return place
    for place in mine:
        out.send(source.topic, place.key, record.value, record.headers)
    return None


def _joined(
    source: SourceRecordType, tenancy: Tenancy, note: Envelope, place: Destination, before: SourceRecordRow | None
) -> SourceRecordRow | None:
    """Return the row after the event, or None where it changes nothing: a repetition, or superseded by what is known."""
    tenant = tenancy.owners.get(note.app_id)
    if tenant is None:
        raise InvalidRecord("no tenant has this workspace; add it to the configuration and redrive the record")
    if "|" in place.key:
        raise InvalidRecord("the entity's id holds a `|`, which separates parts of keys; no id of Intercom's does")
    meanings = source.secondary_rules if place.causation else source.rules
    known = NOTHING if before is None else unpack(before.registers)
    joined = join(known, translate(meanings[note.topic], note, place.id))
    if joined == known:
        return None
    assignment = before.assignment if before else Assignment(0, derived(tenant, source.profile_type, place.key))
    return SourceRecordRow(pack(joined), assignment)


def _send_patch(source: SourceRecordType, patch: Patch, trace: str | None, out: Outbox) -> None:
    profile = patch.row.assignment.profile
    event = EventContext(
        id=derived(patch.record, "patch", patch.cause.event),
        source="/intercom-streams/" + source.topic.removeprefix("intercom."),
        type=f"{source.profile_type}.patched.v1",
        origin=Origin.DERIVED,
        time=patch.cause.time or None,
        subject=patch.record,
        partition_key=profile,
        causation_id=patch.cause.event,
        trace_parent=trace,
    )
    out.send(source.patches, profile, PATCH.encode(patch, out.encoding), event.headers())
