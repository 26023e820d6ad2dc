"""What the agents of people and of organisations have in common: join the patches of each record, resolve the profile, tell of it."""

from typing import Final, NamedTuple

from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.message import Message, header
from schemas.profiles.registers import PATCH, Assignment, ProfileTableRow, PublishedProfile, Registers, SourceRecordRow
from schemas.versioned import Versioned
from streams.agents.profile_events import PatchContext, ProfileType, Public, publish_changes, publish_memberships, publish_profile
from streams.core.profiles.policies import Records
from streams.core.profiles.public_value import public_value
from streams.core.records.registers import join, pack, unpack
from streams.engine.agent import Batch, Outbox, Table

ROW: Final = Versioned(ProfileTableRow)


class _OpenProfile(NamedTuple):
    """A row with its registers unpacked."""

    registers: Registers
    assignment: Assignment


def step(kind: ProfileType, avro: Avro, batch: Batch, table: Table[ProfileTableRow], out: Outbox) -> None:
    """Join each patch to the record it is of; publish the profile, what changed in it, and its memberships."""
    for record in batch.records:
        turn = _context(kind, avro, record, out)
        entry = table.get(turn.profile, turn.patch.record)
        held = _open(entry.row) if entry and entry.row else None
        told = _open(turn.patch.row)
        joined = _joined(held, told)
        if joined != held:
            row = turn.patch.row if joined == told else SourceRecordRow(pack(joined.registers), joined.assignment)
            table.put(turn.profile, turn.patch.record, ProfileTableRow(row=row))
            _publish(turn, table, held, joined)


def _context(kind: ProfileType, avro: Avro, record: Message, out: Outbox) -> PatchContext:
    if not record.key or not record.value:
        raise InvalidRecord("a patch has its profile's id as key, and a value; only our own agents write patches")
    patch, trace = PATCH.receive(record.value, out), header(record.headers, "traceparent")
    return PatchContext(profile_type=kind, avro=avro, profile=record.key.decode(), patch=patch, trace=trace, out=out)


def _open(row: SourceRecordRow) -> _OpenProfile:
    return _OpenProfile(unpack(row.registers), row.assignment)


def _joined(held: _OpenProfile | None, told: _OpenProfile) -> _OpenProfile:
    """Join register by register: patches arrive in any order, and a later one need not know all that an earlier one did."""
    if held is None:
        return told
    return _OpenProfile(join(held.registers, told.registers), max(held.assignment, told.assignment))


def _publish(turn: PatchContext, table: Table[ProfileTableRow], held: _OpenProfile | None, joined: _OpenProfile) -> None:
    """Resolve the profile afresh, and tell of it when anything about it is other than what was last sent."""
    entry = table.get(turn.profile)
    before = entry.profile if entry and entry.profile else PublishedProfile(0, None)
    records = _records(turn, table, joined)
    form, tenant = turn.profile_type.schema, turn.patch.tenant
    value = public_value(form, profile=turn.profile, tenant=tenant, records=records) if records else None
    belonged, belongs = _memberships(turn, held), _memberships(turn, joined)
    if value == before.value and belonged == belongs:
        return
    sent = before.sequence + 1
    table.put(turn.profile, "", ProfileTableRow(profile=PublishedProfile(sent, value)))
    if value != before.value:
        publish_profile(turn, value, sent)
        publish_changes(turn, before.value, value, sent)
    publish_memberships(turn, belonged, belongs, sent)


def _records(turn: PatchContext, table: Table[ProfileTableRow], joined: _OpenProfile) -> Records:
    """Return the registers of every record that belongs to the profile; one that moved on is kept, and does not count."""
    rows = {key: entry.row for key, entry in table.walk(turn.profile) if entry.row and key != turn.patch.record}
    found = {key: _open(row) for key, row in rows.items()} | {turn.patch.record: joined}
    return {key: one.registers for key, one in found.items() if one.assignment.profile == turn.profile}


def _memberships(turn: PatchContext, of: _OpenProfile | None) -> dict[str, Public]:
    if of is None or of.assignment.profile != turn.profile:
        return {}
    return turn.profile_type.memberships(turn.patch.tenant, turn.profile, turn.patch.record, of.registers)
