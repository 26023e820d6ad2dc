"""What the agents of people and of organisations have in common: join the patches of each record, resolve the profile, tell of it."""

from typing import Final, NamedTuple

from schemas.codec import Avro
from schemas.errors import Unusable
from schemas.message import Record, header
from schemas.profiles.registers import Assignment, Entry, Profile, Registers, Row
from schemas.versioned import Versioned
from streams.agents.profile_events import Kind, Public, Turn, tell_changes, tell_memberships, tell_state
from streams.agents.source_records import PATCH
from streams.core.profiles.policies import Records
from streams.core.profiles.public_value import published
from streams.core.records.registers import join, pack, unpack
from streams.engine.agent import Batch, Outbox, Table

ENTRY: Final = Versioned(Entry)


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
    patch, trace = PATCH.receive(record.value, out), header(record.headers, "traceparent")
    return Turn(kind=kind, avro=avro, profile=record.key.decode(), patch=patch, trace=trace, out=out)


def _opened(row: Row) -> _Open:
    return _Open(unpack(row.registers), row.assignment)


def _joined(held: _Open | None, told: _Open) -> _Open:
    """Join register by register: patches arrive in any order, and a later one need not know all that an earlier one did."""
    if held is None:
        return told
    return _Open(join(held.registers, told.registers), max(held.assignment, told.assignment))


def _publish(turn: Turn, table: Table[Entry], held: _Open | None, joined: _Open) -> None:
    """Resolve the profile afresh, and tell of it when anything about it is other than what was last sent."""
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
        tell_state(turn, value, sent)
        tell_changes(turn, before.value, value, sent)
    tell_memberships(turn, belonged, belongs, sent)


def _records(turn: Turn, table: Table[Entry], joined: _Open) -> Records:
    """Return the registers of every record that belongs to the profile; one that moved on is kept, and does not count."""
    rows = {key: entry.row for key, entry in table.walk(turn.profile) if entry.row and key != turn.patch.record}
    found = {key: _opened(row) for key, row in rows.items()} | {turn.patch.record: joined}
    return {key: one.registers for key, one in found.items() if one.assignment.profile == turn.profile}


def _memberships(turn: Turn, of: _Open | None) -> dict[str, Public]:
    if of is None or of.assignment.profile != turn.profile:
        return {}
    return turn.kind.memberships(turn.patch.tenant, turn.profile, turn.patch.record, of.registers)
