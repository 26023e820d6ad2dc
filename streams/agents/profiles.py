"""What the agents of people and organisations share: join the patches of each record, resolve and publish the profile."""

from typing import Final, NamedTuple

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


class _RecordChange(NamedTuple):
    """What a patch did to its record's row, and the registers of all records that the profile then had."""

    context: PatchContext
    before: SourceRecordRow | None
    after: SourceRecordRow
    registers: Registers  # of the row after
    records: Records


class _Publication(NamedTuple):
    """A profile as it was last sent and as it is now, with the memberships that one record has in it."""

    context: PatchContext
    sequence: int
    before: PublicState
    after: PublicState
    memberships_before: dict[str, Public]
    memberships: dict[str, Public]


def step(profile_type: ProfileType, avro: Avro, batch: Batch, table: Table[ProfileTableRow], out: Outbox) -> None:
    """Join each patch to its record; publish the profile, what changed in it, and its memberships."""
    for records in batch.chunks():
        contexts = [_context(profile_type, avro, record, out) for record in records]
        received = [decode(context.patch.row.registers) for context in contexts]
        joined = [_join(context, registers, table) for context, registers in zip(contexts, received, strict=True)]
        changes = [change for change in joined if change is not None]
        states = [PublicState.of(_value(change)) for change in changes]
        compared = [_publication(change, state, table) for change, state in zip(changes, states, strict=True)]
        publications = [publication for publication in compared if publication is not None]
        changed = [each for each in publications if each.after.encoded != each.before.encoded]
        for publication in changed:
            publish_profile(publication.context, publication.after, publication.sequence)
        for publication in changed:
            publish_changes(publication.context, publication.before, publication.after, publication.sequence)
        for context, sequence, _, _, memberships_before, memberships in publications:
            publish_memberships(context, memberships_before, memberships, sequence)


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


def _join(context: PatchContext, registers: Registers, table: Table[ProfileTableRow]) -> _RecordChange | None:
    """Join register by register: patches arrive in any order, and a later one need not contain all that an earlier one did."""
    patch = context.patch
    stored = table.get(context.profile, patch.record)
    before, after = stored.row if stored else None, patch.row
    if before is not None and context.basis != before.digest():
        registers = join(stored_registers(before), registers)
        after = SourceRecordRow(encode(registers), max(before.assignment, patch.row.assignment))
    if after == before:
        return None
    table.put(context.profile, patch.record, ProfileTableRow(row=after))
    return _RecordChange(context, before, after, registers, _records(context, table, after, registers))


def _records(context: PatchContext, table: Table[ProfileTableRow], after: SourceRecordRow, registers: Registers) -> Records:
    """Return the registers of every record that belongs to the profile; a record that moved away keeps its row."""
    records = {
        key: stored_registers(stored.row)
        for key, stored in table.walk(context.profile)
        if key != context.patch.record and stored.row and stored.row.assignment.profile == context.profile
    }
    if after.assignment.profile == context.profile:
        records[context.patch.record] = registers
    return records


def _value(change: _RecordChange) -> Public | None:
    """Resolve the profile from all its records."""
    if not change.records:
        return None
    context = change.context
    return public_value(context.profile_type.schema, profile=context.profile, tenant=context.patch.tenant, records=change.records)


def _publication(change: _RecordChange, state: PublicState, table: Table[ProfileTableRow]) -> _Publication | None:
    """Return what to publish where the profile differs from what was last sent, and count it."""
    context, before, after, registers, _ = change
    stored = table.get(context.profile)
    published = stored.profile if stored and stored.profile else _NEVER_SENT
    memberships_before = _memberships(context, before, stored_edges(before)) if before else {}
    memberships = _memberships(context, after, registers)
    if state.encoded == published.value and memberships_before == memberships:
        return None
    sequence = published.sequence + 1
    table.put(context.profile, "", ProfileTableRow(profile=PublishedProfile(sequence, state.encoded)))
    last_sent = PublicState.decoded(published.value)
    return _Publication(context, sequence, last_sent, state, memberships_before, memberships)


def _memberships(context: PatchContext, row: SourceRecordRow, edges: Registers) -> dict[str, Public]:
    if row.assignment.profile != context.profile:
        return {}
    return context.profile_type.memberships(context.patch.tenant, context.profile, context.patch.record, edges)
