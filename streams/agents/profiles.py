"""What the agents of people and organisations share: join the patches of each record, resolve and publish the profile."""

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


class _SourceRecord(NamedTuple):
    """A row with its registers unpacked."""

    registers: Registers
    assignment: Assignment


def step(profile_type: ProfileType, avro: Avro, batch: Batch, table: Table[ProfileTableRow], out: Outbox) -> None:
    """Join each patch to its record; publish the profile, what changed in it, and its memberships."""
    for record in batch.records:
        context = _context(profile_type, avro, record, out)
        stored = table.get(context.profile, context.patch.record)
        before = _unpack(stored.row) if stored and stored.row else None
        patch = _unpack(context.patch.row)
        after = _join(before, patch)
        if after != before:
            row = context.patch.row if after == patch else SourceRecordRow(pack(after.registers), after.assignment)
            table.put(context.profile, context.patch.record, ProfileTableRow(row=row))
            _publish(context, table, before, after)


def _context(profile_type: ProfileType, avro: Avro, record: Message, out: Outbox) -> PatchContext:
    if not record.key or not record.value:
        raise InvalidRecord("a patch has its profile's id as key, and a value; only our own agents write patches")
    patch, trace = PATCH.receive(record.value, out), header(record.headers, "traceparent")
    return PatchContext(profile_type=profile_type, avro=avro, profile=record.key.decode(), patch=patch, trace=trace, out=out)


def _unpack(row: SourceRecordRow) -> _SourceRecord:
    return _SourceRecord(unpack(row.registers), row.assignment)


def _join(before: _SourceRecord | None, patch: _SourceRecord) -> _SourceRecord:
    """Join register by register: patches arrive in any order, and a later one need not contain all that an earlier one did."""
    if before is None:
        return patch
    return _SourceRecord(join(before.registers, patch.registers), max(before.assignment, patch.assignment))


def _publish(context: PatchContext, table: Table[ProfileTableRow], before: _SourceRecord | None, after: _SourceRecord) -> None:
    """Resolve the profile from all its records, and publish it where it differs from what was last sent."""
    stored = table.get(context.profile)
    published = stored.profile if stored and stored.profile else PublishedProfile(0, None)
    records = _records(context, table, after)
    schema, tenant = context.profile_type.schema, context.patch.tenant
    value = public_value(schema, profile=context.profile, tenant=tenant, records=records) if records else None
    old_memberships, memberships = _memberships(context, before), _memberships(context, after)
    if value == published.value and old_memberships == memberships:
        return
    sequence = published.sequence + 1
    table.put(context.profile, "", ProfileTableRow(profile=PublishedProfile(sequence, value)))
    if value != published.value:
        publish_profile(context, value, sequence)
        publish_changes(context, published.value, value, sequence)
    publish_memberships(context, old_memberships, memberships, sequence)


def _records(context: PatchContext, table: Table[ProfileTableRow], after: _SourceRecord) -> Records:
    """Return the registers of every record that belongs to the profile; a record that moved away keeps its row."""
    rows = {key: stored.row for key, stored in table.walk(context.profile) if stored.row and key != context.patch.record}
    records = {key: _unpack(row) for key, row in rows.items()} | {context.patch.record: after}
    return {key: record.registers for key, record in records.items() if record.assignment.profile == context.profile}


def _memberships(context: PatchContext, record: _SourceRecord | None) -> dict[str, Public]:
    if record is None or record.assignment.profile != context.profile:
        return {}
    return context.profile_type.memberships(context.patch.tenant, context.profile, context.patch.record, record.registers)
