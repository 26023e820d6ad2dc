"""What the agents of people and organisations share: join the patches of each record, resolve and publish the profile."""

from functools import partial
from typing import Final, NamedTuple

from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.message import Message
from schemas.profiles.registers import BASIS, PATCH, ProfileTableRow, Registers, SourceRecordRow
from schemas.versioned import Versioned
from streams.agents.open_profile import OpenProfile
from streams.agents.open_record import OpenRecord
from streams.agents.profile_events import (
    PatchContext,
    ProfileType,
    Public,
    PublicState,
    publish_changes,
    publish_memberships,
    publish_profile,
)
from streams.agents.working_set import WorkingSet
from streams.core.profiles.policies import Records
from streams.core.profiles.public_value import public_value
from streams.core.records.packing import decode, encode
from streams.core.records.registers import join
from streams.engine.agent import Batch, Outbox, Table

ROW: Final = Versioned(ProfileTableRow)


class _RecordChange(NamedTuple):
    """What a patch did to its record, and the registers of all records that the profile then had."""

    context: PatchContext
    profile: OpenProfile
    before: OpenRecord | None
    after: OpenRecord
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
    profiles: WorkingSet[OpenProfile] = WorkingSet(batch.records)
    load = partial(OpenProfile, table=table)
    for records in batch.chunks():
        contexts = [_context(profile_type, avro, record, out) for record in records]
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
        for context, sequence, _, _, memberships_before, memberships in publications:
            publish_memberships(context, memberships_before, memberships, sequence)
        profiles.release(records)


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
    if before is not None:
        if context.basis != before.row.digest():
            registers = join(before.registers, registers)
            row = SourceRecordRow(encode(registers), max(before.row.assignment, row.assignment))
        if row == before.row:
            return None
    after = OpenRecord(row, registers)
    profile.put_record(patch.record, after)
    return _RecordChange(context, profile, before, after, profile.registers())


def _value(change: _RecordChange) -> Public | None:
    """Resolve the profile from all its records."""
    if not change.records:
        return None
    context = change.context
    return public_value(context.profile_type.schema, profile=context.profile, tenant=context.patch.tenant, records=change.records)


def _publication(change: _RecordChange, state: PublicState) -> _Publication | None:
    """Return what to publish where the profile differs from what was last sent, and count it."""
    context, profile, before, after, _ = change
    last_sent = profile.last_sent
    memberships_before = _memberships(context, before) if before else {}
    memberships = _memberships(context, after)
    if state.digest == last_sent.digest and memberships_before == memberships:
        return None
    profile.put_sent(state)
    return _Publication(context, profile.sequence, last_sent, state, memberships_before, memberships)


def _memberships(context: PatchContext, record: OpenRecord) -> dict[str, Public]:
    if record.row.assignment.profile != context.profile:
        return {}
    return context.profile_type.memberships(context.patch.tenant, context.profile, context.patch.record, record.edges)
