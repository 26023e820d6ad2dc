"""What the agents of people and organisations share: join the patches of each record, resolve and publish the profile."""

from collections.abc import Iterator
from functools import partial
from typing import Final, NamedTuple

import msgspec

from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.message import Message
from schemas.profiles.registers import BASIS, ERASED, PATCH, Patch, ProfileTableRow, Registers, SourceRecordRow
from schemas.versioned import Versioned
from streams.agents.open_profile import OpenProfile
from streams.agents.open_record import OpenRecord
from streams.agents.patches import NO_REGISTERS
from streams.agents.profile_aliases import Alias, alias_of, publish_alias
from streams.agents.profile_events import (
    PatchContext,
    ProfileType,
    Public,
    PublicState,
    publish_changes,
    publish_profile,
)
from streams.agents.working_set import WorkingSet
from streams.core.profiles.policies import Records
from streams.core.profiles.public_value import public_value
from streams.core.records.packing import decode, encode
from streams.core.records.registers import NOTHING, join
from streams.engine.agent import Batch, Outbox, Table

ROW: Final = Versioned(ProfileTableRow)


class _RecordChange(NamedTuple):
    """A patch that changed its record, and the registers of all records that the profile then had."""

    context: PatchContext
    profile: OpenProfile
    records: Records


class _Publication(NamedTuple):
    """A profile as it was last sent and as it is now."""

    context: PatchContext
    sequence: int
    before: PublicState
    after: PublicState
    alias: Alias | None
    alias_differs: bool


def step(profile_type: ProfileType, avro: Avro, batch: Batch, table: Table[ProfileTableRow], out: Outbox) -> None:
    """Join each patch to its record; publish the profile and what changed in it."""
    profiles: WorkingSet[OpenProfile] = WorkingSet()
    load = partial(OpenProfile, table=table)
    for records in batch.chunks():
        contexts = [context for record in records for context in _contexts(profile_type, avro, record, out)]
        received = [decode(context.patch.row.registers) for context in contexts]
        joined = [
            _join(context, registers, profiles.get(context.profile, load))
            for context, registers in zip(contexts, received, strict=True)
        ]
        changes = [change for change in joined if change is not None]
        states = [PublicState.of(_value(change)) for change in changes]
        compared = [_publication(change, state) for change, state in zip(changes, states, strict=True)]
        publications = [publication for publication in compared if publication is not None]
        changed = [each for each in publications if each.after.digest != each.before.digest]
        for publication in changed:
            publish_profile(publication.context, publication.after, publication.sequence)
        for publication in changed:
            publish_changes(publication.context, publication.before, publication.after, publication.sequence)
        for publication in publications:
            if publication.alias_differs:
                publish_alias(publication.context, publication.alias, publication.sequence)
        profiles.end_chunk(records)


def _contexts(profile_type: ProfileType, avro: Avro, record: Message, out: Outbox) -> Iterator[PatchContext]:
    """Yield a patch for each event that a record is about, as if each had been sent alone."""
    last = _context(profile_type, avro, record, out)
    previous = None
    for registers, cause, trace in last.patch.earlier:
        row = SourceRecordRow(registers, last.patch.row.assignment)
        patch = Patch(last.patch.tenant, last.patch.record, row, cause)
        yield msgspec.structs.replace(last, patch=patch, previous=previous, trace=trace)
        previous = row
    yield last if previous is None else msgspec.structs.replace(last, previous=previous)


def _context(profile_type: ProfileType, avro: Avro, record: Message, out: Outbox) -> PatchContext:
    if not record.key or not record.value:
        raise InvalidRecord("a patch has its profile's id as key, and a value; only our own agents write patches")
    headers = dict(record.headers)
    trace = headers.get("traceparent")
    return PatchContext(
        profile_type=profile_type,
        avro=avro,
        profile=record.key.decode(),
        patch=PATCH.receive(record.value, out),
        basis=headers.get(BASIS),
        trace=None if trace is None else trace.decode("utf-8", "replace"),
        out=out,
    )


def _join(context: PatchContext, registers: Registers, profile: OpenProfile) -> _RecordChange | None:
    """Join register by register: patches arrive in any order, and a later one need not contain all that an earlier one did."""
    patch = context.patch
    before, row = profile.record(patch.record), patch.row
    if row.assignment.number == ERASED.number:
        if before is None:
            return None
        profile.delete_record(patch.record)
        return _RecordChange(context, profile, profile.registers())
    if before is not None and not context.was_joined_to(before.row):
        registers = join(before.registers, registers)
        row = SourceRecordRow(encode(registers), max(before.row.assignment, row.assignment))
    if row.assignment.profile != context.profile:  # it has moved away: all that stays is where it is
        registers, row = NOTHING, SourceRecordRow(NO_REGISTERS, row.assignment)
    if before is not None and row == before.row:
        return None
    profile.put_record(patch.record, OpenRecord(row, registers))
    return _RecordChange(context, profile, profile.registers())


def _value(change: _RecordChange) -> Public | None:
    """Resolve the profile from all its records."""
    if not change.records:
        return None
    context = change.context
    return public_value(context.profile_type.schema, profile=context.profile, tenant=context.patch.tenant, records=change.records)


def _publication(change: _RecordChange, state: PublicState) -> _Publication | None:
    """Return what to publish where the profile differs from what was last sent, and count it."""
    context, profile, records = change
    last_sent = profile.last_sent
    alias = None if records else alias_of(context, profile.assignments())
    moved_to = None if alias is None else alias.moved_to
    alias_differs = moved_to != profile.alias
    if state.digest == last_sent.digest and not alias_differs:
        return None
    profile.put_sent(state, moved_to)
    return _Publication(context, profile.sequence, last_sent, state, alias, alias_differs)
