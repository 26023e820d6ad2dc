"""What the agents of people and organisations share: join the patches of each record, resolve and publish the profile."""

from typing import Final

from schemas.codec import Avro
from schemas.encoded import NIL
from schemas.errors import InvalidRecord
from schemas.message import Message, header
from schemas.profiles.registers import (
    BASIS,
    PATCH,
    ProfileTableRow,
    PublishedProfile,
    Registers,
    SourceRecordRow,
)
from schemas.versioned import Versioned
from streams.agents.profile_events import (
    PatchContext,
    ProfileType,
    Public,
    PublicState,
    publish_changes,
    publish_memberships,
    publish_profile,
)
from streams.agents.stored_registers import stored_edges, stored_registers
from streams.core.profiles.policies import Records
from streams.core.profiles.public_value import public_value
from streams.core.records.packing import decode, encode
from streams.core.records.registers import join
from streams.engine.agent import Batch, Outbox, Table

ROW: Final = Versioned(ProfileTableRow)
_NEVER_SENT: Final = PublishedProfile(0, NIL)


def step(profile_type: ProfileType, avro: Avro, batch: Batch, table: Table[ProfileTableRow], out: Outbox) -> None:
    """Join each patch to its record; publish the profile, what changed in it, and its memberships."""
    for record in batch.records:
        context = _context(profile_type, avro, record, out)
        stored = table.get(context.profile, context.patch.record)
        before = stored.row if stored else None
        after, registers = _join(context, before)
        if after != before:
            table.put(context.profile, context.patch.record, ProfileTableRow(row=after))
            _publish(context, table, before, after, registers)


def _context(profile_type: ProfileType, avro: Avro, record: Message, out: Outbox) -> PatchContext:
    if not record.key or not record.value:
        raise InvalidRecord("a patch has its profile's id as key, and a value; only our own agents write patches")
    return PatchContext(
        profile_type=profile_type,
        avro=avro,
        profile=record.key.decode(),
        patch=PATCH.receive(record.value, out),
        basis=header(record.headers, BASIS),
        trace=header(record.headers, "traceparent"),
        out=out,
    )


def _join(context: PatchContext, before: SourceRecordRow | None) -> tuple[SourceRecordRow, Registers]:
    """Join register by register: patches arrive in any order, and a later one need not contain all that an earlier one did."""
    patch = context.patch.row
    registers = decode(patch.registers)
    if before is None or context.basis == before.digest():
        return patch, registers
    registers = join(stored_registers(before), registers)
    return SourceRecordRow(encode(registers), max(before.assignment, patch.assignment)), registers


def _publish(
    context: PatchContext,
    table: Table[ProfileTableRow],
    before: SourceRecordRow | None,
    after: SourceRecordRow,
    registers: Registers,
) -> None:
    """Resolve the profile from all its records, and publish it where it differs from what was last sent."""
    stored = table.get(context.profile)
    published = stored.profile if stored and stored.profile else _NEVER_SENT
    records = _records(context, table, after, registers)
    state = PublicState.of(_value(context, records))
    old_memberships = _memberships(context, before, stored_edges(before)) if before else {}
    memberships = _memberships(context, after, registers)
    if state.encoded == published.value and old_memberships == memberships:
        return
    sequence = published.sequence + 1
    table.put(context.profile, "", ProfileTableRow(profile=PublishedProfile(sequence, state.encoded)))
    if state.encoded != published.value:
        publish_profile(context, state, sequence)
        publish_changes(context, PublicState.decoded(published.value), state, sequence)
    publish_memberships(context, old_memberships, memberships, sequence)


def _value(context: PatchContext, records: Records) -> Public | None:
    if not records:
        return None
    return public_value(context.profile_type.schema, profile=context.profile, tenant=context.patch.tenant, records=records)


def _records(context: PatchContext, table: Table[ProfileTableRow], after: SourceRecordRow, registers: Registers) -> Records:
    """Return the registers of every record that belongs to the profile; a record that moved away keeps its row."""
    rows = {key: stored.row for key, stored in table.walk(context.profile) if stored.row}
    records = {
        key: stored_registers(row)
        for key, row in rows.items()
        if key != context.patch.record and row.assignment.profile == context.profile
    }
    if after.assignment.profile == context.profile:
        records[context.patch.record] = registers
    return records


def _memberships(context: PatchContext, row: SourceRecordRow, edges: Registers) -> dict[str, Public]:
    if row.assignment.profile != context.profile:
        return {}
    return context.profile_type.memberships(context.patch.tenant, context.profile, context.patch.record, edges)
