"""What the agents of contacts and companies share: join events into a row per source record, and send patches of it."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from schemas.cloudevents import EventContext, Origin
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.intercom.envelope import Envelope, body, envelope
from schemas.intercom.routes import Destination, destinations
from schemas.message import Message, header
from schemas.profiles.registers import BASIS, PATCH, Assignment, Patch, PatchCause, Registers, SourceRecordRow
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.agents.open_record import OpenRecord
from streams.agents.working_set import WorkingSet
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


class _Event(NamedTuple):
    """One record that is an event about its key."""

    record: Message
    notification: Envelope
    destination: Destination


class _Rows:
    """The rows of a batch's records, each decoded once."""

    def __init__(self, table: Table[SourceRecordRow], records: Sequence[Message]) -> None:
        self._table = table
        self._open: WorkingSet[OpenRecord | None] = WorkingSet(records)
        self.release = self._open.release

    def get(self, key: str) -> OpenRecord | None:
        """Return a record's row."""
        return self._open.get(key, self._load)

    def put(self, key: str, record: OpenRecord) -> None:
        """Change a record's row."""
        self._open.put(key, record)
        self._table.put(key, "", record.row)

    def _load(self, key: str) -> OpenRecord | None:
        row = self._table.get(key)
        return None if row is None else OpenRecord(row)


class _Change(NamedTuple):
    """The row before an event and after it."""

    before: SourceRecordRow | None
    after: SourceRecordRow


def step(record_type: SourceRecordType, tenancy: Tenancy, batch: Batch, table: Table[SourceRecordRow], out: Outbox) -> None:
    """Join each event to the row of its record, and send a patch where the row changed."""
    rows = _Rows(table, batch.records)
    for records in batch.chunks():
        events = [event for record in records if (event := _event(record_type, record, out)) is not None]
        assertions = [_assertion(record_type, tenancy, event) for event in events]
        changes = [
            _join(record_type, tenancy, event, assertion, rows) for event, assertion in zip(events, assertions, strict=True)
        ]
        for event, change in zip(events, changes, strict=True):
            if change is not None:
                _send_patch(record_type, tenancy, event, change, out)
        rows.release(records)


def _event(record_type: SourceRecordType, record: Message, out: Outbox) -> _Event | None:
    notification = envelope(body(record))
    destination = _destination(record_type, record, notification, out)
    return None if destination is None else _Event(record, notification, destination)


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


def _assertion(record_type: SourceRecordType, tenancy: Tenancy, event: _Event) -> Registers:
    """Return what the event asserts of its record."""
    if event.notification.app_id not in tenancy.owners:
        raise InvalidRecord("no tenant has this workspace; add it to the configuration and redrive the record")
    if "|" in event.destination.key:
        raise InvalidRecord("the entity's id holds a `|`, which separates parts of keys; no id of Intercom's does")
    rules = record_type.secondary_rules if event.destination.causation else record_type.rules
    return translate(rules[event.notification.topic], event.notification, event.destination.id)


def _join(record_type: SourceRecordType, tenancy: Tenancy, event: _Event, assertion: Registers, rows: _Rows) -> _Change | None:
    """Join an assertion to the row. It changes nothing where the event was repeated, or later events superseded it."""
    key = event.destination.key
    before = rows.get(key)
    registers = NOTHING if before is None else before.registers
    joined = join(registers, assertion)
    if joined == registers:
        return None
    owner = tenancy.owners[event.notification.app_id]
    assignment = before.row.assignment if before else Assignment(0, derived(owner, record_type.profile_type, key))
    after = SourceRecordRow(encode(joined), assignment)
    rows.put(key, OpenRecord(after, joined))
    return _Change(before.row if before else None, after)


def _send_patch(record_type: SourceRecordType, tenancy: Tenancy, event: _Event, change: _Change, out: Outbox) -> None:
    record, notification, destination = event
    cause = PatchCause(destination.id, (notification.created_at or 0) * SECOND)
    patch = Patch(tenancy.owners[notification.app_id], destination.key, change.after, cause)
    profile = change.after.assignment.profile
    context = EventContext(
        id=derived(destination.key, "patch", cause.event),
        source="/intercom-streams/" + record_type.topic.removeprefix("intercom."),
        type=f"{record_type.profile_type}.patched.v1",
        origin=Origin.DERIVED,
        time=cause.time or None,
        subject=destination.key,
        partition_key=profile,
        causation_id=cause.event,
        trace_parent=header(record.headers, "traceparent"),
    )
    headers = context.headers()
    if change.before is not None:
        headers.append((BASIS, change.before.digest()))
    out.send(record_type.patches, profile, PATCH.encode(patch, out.encoding), headers)
