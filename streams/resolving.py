"""What the agents of people and of organisations have in common: join patches per record, resolve the profile, say what changed."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec

from schemas.canonical import digest
from schemas.cloudevents import AVRO, Event, Origin
from schemas.codec import Avro
from schemas.errors import Unusable
from schemas.ids import derived
from schemas.internal import Versioned
from schemas.message import Record, header
from schemas.profiles import Assignment, Entry, Patch, Profile, Registers, Row
from streams.core.changes import changes
from streams.core.profiles import Records, caused
from streams.core.publication import Form, published
from streams.core.registers import join, pack, unpack
from streams.engine.agent import Batch, Outbox, Table
from streams.sources import PATCH

ENTRY: Final = Versioned(Entry)
Public = dict[str, Any]
_bytes: Final = msgspec.msgpack.Encoder(order="deterministic").encode


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of profile: its name (of its schema too), its topics, its public form, and what one of its records belongs to."""

    name: str
    topic: str
    form: Form
    memberships: Callable[[str, str, str, Registers], dict[str, Public]]


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One patch: whom it is about, and what everything sent because of it says about its cause."""

    kind: Kind
    avro: Avro
    profile: str
    patch: Patch
    trace: str | None
    out: Outbox

    def send(self, topic: str, key: str, schema: str, value: Public | None, *, event: str, kind: str, sequence: int) -> None:
        """Send a public value, or a tombstone."""
        context = Event(
            id=event,
            source=f"/intercom-streams/{self.kind.topic}",
            type=f"{kind}.v1",
            origin=Origin.DERIVED,
            time=self.patch.cause.time or None,
            subject=key,
            partition_key=key.partition("|")[0],
            sequence=sequence,
            data_schema=self.avro.data_schema(schema),
            causation_id=self.patch.cause.event,
            trace_parent=self.trace,
            content_type=AVRO,
        )
        self.out.send(topic, key, None if value is None else self.avro.encode(schema, value), context.headers())


class _Open(NamedTuple):
    """A row with its registers unpacked."""

    registers: Registers
    assignment: Assignment


def step(kind: Kind, avro: Avro, batch: Batch, table: Table[Entry], out: Outbox) -> None:
    """Join each patch to the record it is of; publish the profile, what changed in it, and its memberships."""
    for record in batch.records:
        turn = _turn(kind, avro, record, out)
        entry = table.get(turn.profile, turn.patch.record)
        held = _opened(entry.row) if entry and entry.row else None
        told = _opened(turn.patch.row)
        joined = _joined(held, told)
        if joined != held:
            row = turn.patch.row if joined == told else Row(pack(joined.registers), joined.assignment)
            table.put(turn.profile, turn.patch.record, Entry(row=row))
            _publish(turn, table, held, joined)


def _turn(kind: Kind, avro: Avro, record: Record, out: Outbox) -> Turn:
    if not record.key or not record.value:
        raise Unusable("a patch has its profile's id as key, and a value; only our own agents write patches")
    patch, trace = PATCH.decode(record.value), header(record.headers, "traceparent")
    return Turn(kind=kind, avro=avro, profile=record.key.decode(), patch=patch, trace=trace, out=out)


def _opened(row: Row) -> _Open:
    return _Open(unpack(row.registers), row.assignment)


def _joined(held: _Open | None, told: _Open) -> _Open:
    """Join register by register: patches arrive in any order, and a later one need not know all that an earlier one did."""
    if held is None:
        return told
    return _Open(join(held.registers, told.registers), max(held.assignment, told.assignment))


def _publish(turn: Turn, table: Table[Entry], held: _Open | None, joined: _Open) -> None:
    entry = table.get(turn.profile)
    before = entry.profile if entry and entry.profile else Profile(0, None)
    records = _records(turn, table, joined)
    form, tenant = turn.kind.form, turn.patch.tenant
    value = published(form, profile=turn.profile, tenant=tenant, records=records) if records else None
    belonged, belongs = _memberships(turn, held), _memberships(turn, joined)
    if value == before.value and belonged == belongs:
        return
    sent = before.sent + 1
    table.put(turn.profile, "", Entry(profile=Profile(sent, value)))
    if value != before.value:
        _send_state(turn, value, sent)
        _send_changes(turn, before.value, value, sent)
    for key in sorted(belonged.keys() | belongs.keys()):
        if belonged.get(key) != belongs.get(key):
            _send_membership(turn, key, belongs.get(key), sent)


def _records(turn: Turn, table: Table[Entry], joined: _Open) -> Records:
    """Return the registers of every record that belongs to the profile; one that moved on is kept, and does not count."""
    rows = {key: entry.row for key, entry in table.walk(turn.profile) if entry.row and key != turn.patch.record}
    found = {key: _opened(row) for key, row in rows.items()} | {turn.patch.record: joined}
    return {key: one.registers for key, one in found.items() if one.assignment.profile == turn.profile}


def _memberships(turn: Turn, of: _Open | None) -> dict[str, Public]:
    if of is None or of.assignment.profile != turn.profile:
        return {}
    return turn.kind.memberships(turn.patch.tenant, turn.profile, turn.patch.record, of.registers)


def _send_state(turn: Turn, value: Public | None, sent: int) -> None:
    kind = f"{turn.kind.name}.{'withdrawn' if value is None else 'updated'}"
    event = derived(turn.profile, "state", sent)
    turn.send(turn.kind.topic, turn.profile, turn.kind.name, value, event=event, kind=kind, sequence=sent)


def _send_changes(turn: Turn, before: Public | None, after: Public | None, sent: int) -> None:
    patch = turn.patch
    found = changes(before, after, caused(patch.record, patch.cause))
    moved = patch.row.assignment.profile
    if not found and before is not None and after is not None:
        return
    value = {
        "profile": turn.profile,
        "kind": turn.kind.name,
        "tenant": patch.tenant,
        "cause": patch.cause.event,
        "time": patch.cause.time,
        "created": before is None,
        "changes": found,
        "moved_from": None,
        "moved_to": None if moved == turn.profile else moved,
    }
    event = derived(turn.profile, patch.cause.event, *(digest(_bytes(side)) for side in (before, after)))
    turn.send(
        f"{turn.kind.topic}.changes",
        turn.profile,
        "profile_change",
        value,
        event=event,
        kind=f"{turn.kind.name}.changed",
        sequence=sent,
    )


def _send_membership(turn: Turn, key: str, value: Public | None, sent: int) -> None:
    kind = f"membership.{'ended' if value is None else 'updated'}"
    turn.send("memberships", key, "membership", value, event=derived(turn.profile, key, sent), kind=kind, sequence=sent)
