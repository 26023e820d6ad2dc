"""What the agents of contacts and of companies have in common: keep a row per source record, and tell the agent of its profile."""

from collections.abc import Mapping
from typing import Final

import msgspec

from schemas.cloudevents import Event, Origin
from schemas.errors import Unusable
from schemas.ids import derived
from schemas.intercom.envelope import Envelope, body, envelope
from schemas.intercom.routes import Place, places
from schemas.message import Record, header
from schemas.profiles.registers import Assignment, Cause, Patch, Row
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.core.records.intercom.topics import Meaning
from streams.core.records.intercom.translate import SECOND, translate
from streams.core.records.registers import NOTHING, join, pack, unpack
from streams.engine.agent import Batch, Outbox, Table

ROW: Final = Versioned(Row)
PATCH: Final = Versioned(Patch)


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of source record: where its events come from, what they mean, and where its patches go."""

    kind: str  # "person" or "org"
    topic: str
    patches: str
    meanings: Mapping[str, Meaning]
    twins: Mapping[str, Meaning]  # by topic: what an event means to the second record of this kind that it is about


def step(source: Source, tenancy: Tenancy, batch: Batch, table: Table[Row], out: Outbox) -> None:
    """Join each event to the row of the record it is about, and send the row on when it changed."""
    for record in batch.records:
        note = envelope(body(record))
        place = _here(source, record, note, out)
        if place is None:
            continue
        before = table.get(place.key)
        row = _joined(source, tenancy, note, place, before)
        if row is not None:
            table.put(place.key, "", row)
            patch = Patch(tenancy.owners[note.app_id], place.key, row, Cause(place.id, (note.created_at or 0) * SECOND))
            _tell(source, patch, header(record.headers, "traceparent"), out)


def _here(source: Source, record: Record, note: Envelope, out: Outbox) -> Place | None:
    """Return the place this record was sent to; a record with another key goes on, unchanged, to where it belongs."""
    mine = [place for place in places(note) if place.topic == source.topic]
    if not mine:
        raise Unusable(f"this is no event of {source.topic}, or it names no entity; send it through the ingress")
    key = (record.key or b"").decode("utf-8", "replace")
    for place in mine:
        if place.key == key:
            return place
    for place in mine:
        out.send(source.topic, place.key, record.value, record.headers)
    return None


def _joined(source: Source, tenancy: Tenancy, note: Envelope, place: Place, before: Row | None) -> Row | None:
    """Return the row after the event, or None where it changes nothing: a repetition, or superseded by what is known."""
    tenant = tenancy.owners.get(note.app_id)
    if tenant is None:
        raise Unusable("no tenant has this workspace; add it to the configuration and redrive the record")
    if "|" in place.key:
        raise Unusable("the entity's id holds a `|`, which separates parts of keys; no id of Intercom's does")
    meanings = source.twins if place.causation else source.meanings
    known = NOTHING if before is None else unpack(before.registers)
    joined = join(known, translate(meanings[note.topic], note, place.id))
    if joined == known:
        return None
    assignment = before.assignment if before else Assignment(0, derived(tenant, source.kind, place.key))
    return Row(pack(joined), assignment)


def _tell(source: Source, patch: Patch, trace: str | None, out: Outbox) -> None:
    profile = patch.row.assignment.profile
    event = Event(
        id=derived(patch.record, "patch", patch.cause.event),
        source="/intercom-streams/" + source.topic.removeprefix("intercom."),
        type=f"{source.kind}.patched.v1",
        origin=Origin.DERIVED,
        time=patch.cause.time or None,
        subject=patch.record,
        partition_key=profile,
        causation_id=patch.cause.event,
        trace_parent=trace,
    )
    out.send(source.patches, profile, PATCH.encode(patch, out.encoding), event.headers())
