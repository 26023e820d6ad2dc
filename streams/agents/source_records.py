"""What the agents of contacts and companies share: join events into a row per source record, and send patches of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, cast

import msgspec

from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.intercom.envelope import CONTENT_ENCODING, NULL, Envelope, envelope, inflated
from schemas.intercom.rest_objects import READ_AS, Reading, reading_in
from schemas.intercom.routes import Destination, destinations
from schemas.message import TRACE_PARENT, Message, header, header_texts
from schemas.profiles.checkpoints import CHECKPOINT, is_checkpoint
from schemas.profiles.registers import (
    ERASED,
    Assignment,
    EarlierState,
    Patch,
    PatchCause,
    RecordTableRow,
    Registers,
    SourceRecordRow,
)
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.agents.open_record import OpenRecord
from streams.agents.patches import PatchTopic
from streams.agents.policies.in_force import TenantRules
from streams.agents.working_set import WorkingSet
from streams.core.profiles.storage import join_stored
from streams.core.records.intercom.objects import ObjectSchema
from streams.core.records.intercom.readings import observe
from streams.core.records.intercom.translate import SECOND, translate
from streams.core.records.intercom.webhook_topics import TopicRule
from streams.core.records.packing import decode, encode
from streams.core.records.registers import NOTHING
from streams.engine.agent import Batch, Outbox, Table

ROW: Final[Versioned[RecordTableRow]] = Versioned(cast("type[RecordTableRow]", RecordTableRow))

_LARGEST_HISTORY: Final = 64 << 10  # bytes of registers in one patch, unless one state has more


class Event(msgspec.Struct, frozen=True, gc=False):
    """What one record says about its key, and its trace. An object read over REST has `reading` in place of a topic of Intercom's."""

    notification: Envelope
    destination: Destination
    trace: str | None
    reading: Reading | None = None
    registers: Registers | None = None  # of a checkpoint

    @property
    def cause(self) -> PatchCause:
        """Return the event as the cause of what follows from it."""
        return PatchCause(self.destination.id, (self.notification.created_at or 0) * SECOND)


class _Rows:
    """The rows of a batch's records, each decoded once."""

    def __init__(self, table: Table[SourceRecordRow]) -> None:
        self._table = table
        self._open: WorkingSet[OpenRecord | None] = WorkingSet()
        self.end_chunk = self._open.end_chunk

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


class RecordChange(msgspec.Struct, frozen=True, gc=False):
    """The row before an event and after it, with the registers of both."""

    before: SourceRecordRow | None
    after: SourceRecordRow
    registers_before: Registers
    registers: Registers


FollowUp = Callable[[str, Event, RecordChange, Outbox], None]
"""Given the tenant, send what follows from a change beside its patch."""


class SourceRecordType(msgspec.Struct, frozen=True, kw_only=True):
    """One type of source record: its name, the topic of its events, what each asserts, what its objects have, and the topic of its patches."""

    type: str
    topic: str
    patches: PatchTopic
    schema: ObjectSchema
    rules: Mapping[str, TopicRule]
    secondary_rules: Mapping[str, TopicRule]  # for the second record an event changes, such as the contact merged away
    follow_up: FollowUp | None = None  # what else follows from a change


def step(
    record_type: SourceRecordType,
    tenancy: Tenancy,
    batch: Batch,
    table: Table[SourceRecordRow],
    out: Outbox,
    *,
    rules: TenantRules,
) -> None:
    """Join what may be stored of each event to the row of its record, and send a patch where the row changed."""
    rows = _Rows(table)
    for records in batch.chunks():
        events = [event for record in records if (event := _event(record_type, record, out)) is not None]
        assertions = [_assertion(record_type, tenancy, event) for event in events]
        changes = [
            _join(record_type, tenancy, event, assertion, rows, rules=rules)
            for event, assertion in zip(events, assertions, strict=True)
        ]
        changed = [(event, change) for event, change in zip(events, changes, strict=True) if change is not None]
        for history in _histories(changed):
            _send_patches(record_type, tenancy, history, out)
        if (follow_up := record_type.follow_up) is not None:
            for event, change in changed:
                follow_up(tenancy.owners[event.notification.app_id], event, change, out)
        rows.end_chunk(records)


def _event(record_type: SourceRecordType, record: Message, out: Outbox) -> Event | None:
    encoding, trace, read_as = header_texts(record.headers, CONTENT_ENCODING, TRACE_PARENT, READ_AS)
    if read_as is not None:
        return _reading(record_type, record, trace)
    if is_checkpoint(record):
        return _checkpoint(record_type, record, trace, out)
    notification = envelope(inflated(record.value or b"", encoding))
    destination = _destination(record_type, record, notification, out)
    return None if destination is None else Event(notification, destination, trace)


def _checkpoint(record_type: SourceRecordType, record: Message, trace: str | None, out: Outbox) -> Event:
    """Return a row that was written to the topic again as an event about its record."""
    key = (record.key or b"").decode("utf-8", "replace")
    app_id, _, entity = key.partition(":")
    registers = decode(CHECKPOINT.receive(record.value or b"", out).registers)
    event_id = header(record.headers, "ce_id") or derived(key, record.offset)
    notification = Envelope(id=event_id, topic="", app_id=app_id, created_at=None, item=NULL)
    return Event(notification, Destination(topic=record_type.topic, key=key, id=event_id, entity=entity), trace, None, registers)


def _reading(record_type: SourceRecordType, record: Message, trace: str | None) -> Event:
    """Return an object read over REST as an event about its record."""
    reading = reading_in(record)
    key, second = (record.key or b"").decode("utf-8", "replace"), reading.requested_at // SECOND
    notification = Envelope(id=reading.id, topic="", app_id=reading.app_id, created_at=second, item=msgspec.Raw(reading.value))
    destination = Destination(topic=record_type.topic, key=key, id=reading.id, entity=reading.entity)
    return Event(notification, destination, trace, reading)


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


def _assertion(record_type: SourceRecordType, tenancy: Tenancy, event: Event) -> Registers:
    """Return what the event asserts of its record."""
    if event.notification.app_id not in tenancy.owners:
        raise InvalidRecord("no tenant has this workspace; add it to the configuration and redrive the record")
    if "|" in event.destination.key:
        raise InvalidRecord("the entity's id holds a `|`, which separates parts of keys; no id of Intercom's does")
    if event.registers is not None:
        return event.registers
    if event.reading is not None:
        return observe(record_type.schema, event.reading)
    rules = record_type.secondary_rules if event.destination.causation else record_type.rules
    return translate(rules[event.notification.topic], event.notification, event.destination.id)


def _join(
    record_type: SourceRecordType, tenancy: Tenancy, event: Event, assertion: Registers, rows: _Rows, *, rules: TenantRules
) -> RecordChange | None:
    """Join an assertion to the row. It changes nothing where the event was repeated, or later events superseded it."""
    key = event.destination.key
    before = rows.get(key)
    if before is not None and before.row.assignment.number == ERASED.number:
        return None
    registers = NOTHING if before is None else before.registers
    owner = tenancy.owners[event.notification.app_id]
    joined = join_stored(rules.of(owner).storage, registers, assertion)
    if joined == registers:
        return None
    assignment = before.row.assignment if before else Assignment(0, record_type.patches.own_profile(owner, key))
    after = SourceRecordRow(encode(joined), assignment)
    rows.put(key, OpenRecord(after, joined))
    return RecordChange(before.row if before else None, after, registers, joined)


def _histories(changed: Iterable[tuple[Event, RecordChange]]) -> Iterator[list[tuple[Event, RecordChange]]]:
    """Yield what happened to one record, in order: a patch has all of it, unless that would make the patch large."""
    history: list[tuple[Event, RecordChange]] = []
    size = 0
    for event, change in changed:
        added = memoryview(change.after.registers).nbytes
        size += added
        if history and (history[-1][0].destination.key != event.destination.key or size > _LARGEST_HISTORY):
            yield history
            history, size = [], added
        history.append((event, change))
    if history:
        yield history


def _send_patches(
    record_type: SourceRecordType, tenancy: Tenancy, history: Sequence[tuple[Event, RecordChange]], out: Outbox
) -> None:
    """Send a record's row to its profile, with what it had in between.

    The first patch of a record that is assigned already goes to the profile of its own id too.
    """
    (_, first), (event, last) = history[0], history[-1]
    key, trace, row, patches = event.destination.key, event.trace, last.after, record_type.patches
    tenant, profile = tenancy.owners[event.notification.app_id], row.assignment.profile
    earlier = tuple([EarlierState(change.after.registers, each.cause, each.trace) for each, change in history[:-1]])
    patch = Patch(tenant, key, row, event.cause, earlier=earlier)
    event_id = derived(key, "patch", event.destination.id)
    patches.send(patch, profile=profile, event_id=event_id, trace=trace, out=out, basis=first.before)
    if row.assignment.number and first.registers_before == NOTHING:
        own = patches.own_profile(tenant, key)
        if own != profile:
            patches.send_departure(patch, profile=own, trace=trace, out=out)
