"""What the agents of people and organisations share: join the patches of each record, resolve and publish the profile."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final, NamedTuple

import msgspec

from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.message import Message
from schemas.profiles.policies import PolicyInForce
from schemas.profiles.registers import (
    BASIS,
    ERASED,
    PATCH,
    Assignment,
    Patch,
    ProfileTableRow,
    Registers,
    SourceRecordRow,
)
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.agents.open_profile import OpenProfile
from streams.agents.open_record import OpenRecord
from streams.agents.patches import NO_REGISTERS
from streams.agents.policies.in_force import Policies, TablePolicies, TenantRules, cause_of
from streams.agents.policies.walk import begin, proceed
from streams.agents.profile_aliases import Alias, alias_of, publish_alias
from streams.agents.profile_events import (
    ENTERED,
    LEFT,
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
from streams.core.profiles.rules import ProfileRules
from streams.core.profiles.selection import Answer
from streams.core.records.packing import decode, encode
from streams.core.records.registers import NOTHING, join
from streams.engine.agent import Agent, Batch, Cursor, Outbox, Table

ROW: Final = Versioned(ProfileTableRow)


class _RecordChange(msgspec.Struct, frozen=True, gc=False):
    """A patch or a policy that changed a profile's records, or what counts of them, and the registers of those that it then had."""

    context: PatchContext
    profile: OpenProfile
    records: Records
    rules: ProfileRules
    had_records: bool


class _Publication(msgspec.Struct, frozen=True, gc=False):
    """A profile as it was last sent and as it is now."""

    context: PatchContext
    sequence: int
    before: PublicState
    after: PublicState
    alias: Alias | None
    alias_differs: bool
    selection: str | None


class ProfileAgent(NamedTuple):
    """What the steps of an agent of profiles have in common."""

    profile_type: ProfileType
    avro: Avro
    policies: Policies


def profile_agent(name: str, source: str, profile_type: ProfileType, tenancy: Tenancy, avro: Avro) -> Agent:
    """Return an agent that reads patches and policies."""
    agent = ProfileAgent(profile_type, avro, Policies(f"{name}.policies", profile_type.schema, tenancy))
    topic = agent.policies.topic
    return Agent(
        name=name,
        sources=(source, topic),
        step=partial(step, agent),
        codec=ROW,
        resume=partial(resume, agent),
        leading=(topic,),
    )


def step(agent: ProfileAgent, batch: Batch, table: Table[ProfileTableRow], out: Outbox) -> Cursor | None:
    """Join each patch to its record; publish the profile and what changed in it."""
    if batch.topic == agent.policies.topic:
        applied = [agent.policies.receive(record, TablePolicies(table), out) for record in batch.records]
        return begin([each for each in applied if each is not None])
    profiles: WorkingSet[OpenProfile] = WorkingSet()
    load = partial(OpenProfile, table=table)
    rules = TenantRules(agent.policies, TablePolicies(table))
    for records in batch.chunks():
        contexts = [context for record in records for context in _contexts(agent, record, out)]
        received = [decode(context.patch.row.registers) for context in contexts]
        joined = [
            _join(context, rules.of(context.patch.tenant), registers, profiles.get(context.profile, load))
            for context, registers in zip(contexts, received, strict=True)
        ]
        _publish([change for change in joined if change is not None])
        profiles.end_chunk(records)
    return None


def resume(agent: ProfileAgent, cursor: Cursor, table: Table[ProfileTableRow], out: Outbox) -> Cursor | None:
    """Resolve the next profiles of a tenant by its new policy, and publish what changed in them."""
    changes: list[_RecordChange] = []

    def visit(profile_id: str, tenant: str, row: PolicyInForce) -> int:
        profile = OpenProfile(profile_id, table)
        if profile.tenant != tenant:
            return 0
        changes.append(change := _reconsider(agent, profile, tenant, row, out))
        return 1 + len(change.records)

    rest = proceed(cursor, table, TablePolicies(table), visit)
    _publish(changes)
    return rest


def _reconsider(agent: ProfileAgent, profile: OpenProfile, tenant: str, row: PolicyInForce, out: Outbox) -> _RecordChange:
    """Take out of a profile's records what a policy denies."""
    rules, had_records = agent.policies.rules(tenant, row), profile.has_records
    if rules.storage is not None:
        for key, record in profile.rows():
            kept = rules.storage.stored(record.registers)
            if kept is not record.registers:
                profile.put_record(key, OpenRecord(SourceRecordRow(encode(kept), record.row.assignment), kept))
    name = f"policy:{agent.profile_type.name}:{row.message.version}"
    patch = Patch(tenant, name, SourceRecordRow(NO_REGISTERS, Assignment(0, profile.id)), cause_of(row))
    context = PatchContext(
        profile_type=agent.profile_type, avro=agent.avro, profile=profile.id, patch=patch, basis=None, trace=None, out=out
    )
    return _RecordChange(context, profile, profile.registers(), rules, had_records)


def _publish(changes: Sequence[_RecordChange]) -> None:
    """Publish the profiles that differ from what was last sent of them, what changed in them, and aliases."""
    states = [PublicState.of(_value(change)) for change in changes]
    compared = [_publication(change, state) for change, state in zip(changes, states, strict=True)]
    publications = [publication for publication in compared if publication is not None]
    changed = [each for each in publications if each.after.digest != each.before.digest]
    for publication in changed:
        publish_profile(publication.context, publication.after, publication.sequence)
    for publication in changed:
        publish_changes(publication.context, publication.before, publication.after, publication.sequence, publication.selection)
    for publication in publications:
        if publication.alias_differs:
            publish_alias(publication.context, publication.alias, publication.sequence)


def _contexts(agent: ProfileAgent, record: Message, out: Outbox) -> Iterator[PatchContext]:
    """Yield a patch for each event that a record is about, as if each had been sent alone."""
    last = _context(agent, record, out)
    previous = None
    for registers, cause, trace in last.patch.earlier:
        row = SourceRecordRow(registers, last.patch.row.assignment)
        patch = Patch(last.patch.tenant, last.patch.record, row, cause)
        yield msgspec.structs.replace(last, patch=patch, previous=previous, trace=trace)
        previous = row
    yield last if previous is None else msgspec.structs.replace(last, previous=previous)


def _context(agent: ProfileAgent, record: Message, out: Outbox) -> PatchContext:
    if not record.key or not record.value:
        raise InvalidRecord("a patch has its profile's id as key, and a value; only our own agents write patches")
    headers = dict(record.headers)
    trace = headers.get("traceparent")
    return PatchContext(
        profile_type=agent.profile_type,
        avro=agent.avro,
        profile=record.key.decode(),
        patch=PATCH.receive(record.value, out),
        basis=headers.get(BASIS),
        trace=None if trace is None else trace.decode("utf-8", "replace"),
        out=out,
    )


def _join(context: PatchContext, rules: ProfileRules, registers: Registers, profile: OpenProfile) -> _RecordChange | None:
    """Join register by register: patches arrive in any order, and a later one need not contain all that an earlier one did."""
    patch, storage = context.patch, rules.storage
    before, row = profile.record(patch.record), patch.row
    if row.assignment.number == ERASED.number:
        if before is None:
            return None
        had_records = profile.has_records
        profile.delete_record(patch.record)
        return _RecordChange(context, profile, profile.registers(), rules, had_records)
    if storage is not None:
        kept = storage.stored(registers)
        if kept is not registers:
            registers, row = kept, SourceRecordRow(encode(kept), row.assignment)
    if before is not None and not context.was_joined_to(before.row):
        known = before.registers if storage is None else storage.stored(before.registers)
        registers = join(known, registers)
        row = SourceRecordRow(encode(registers), max(before.row.assignment, row.assignment))
    if row.assignment.profile != context.profile:  # it has moved away: all that stays is where it is
        registers, row = NOTHING, SourceRecordRow(NO_REGISTERS, row.assignment)
    if before is not None and row == before.row:
        return None
    had_records = profile.has_records
    profile.put_record(patch.record, OpenRecord(row, registers))
    return _RecordChange(context, profile, profile.registers(), rules, had_records)


def _value(change: _RecordChange) -> Public | None:
    """Resolve the profile from all its records; None where its tenant's policy does not select it."""
    if not change.records:
        return None
    context, rules = change.context, change.rules
    value = public_value(
        context.profile_type.schema,
        profile=context.profile,
        tenant=context.patch.tenant,
        records=change.records,
        rules=rules,
    )
    if value is None or rules.selection is None:
        return value
    answer = rules.selection.answer(value)
    if answer is Answer.FAILED:
        context.out.note("condition_failed")
    return value if answer is Answer.SELECTED else None


def _publication(change: _RecordChange, state: PublicState) -> _Publication | None:
    """Return what to publish where the profile differs from what was last sent, and count it."""
    context, profile = change.context, change.profile
    last_sent, tenant = profile.last_sent, context.patch.tenant
    alias = None if change.records else alias_of(context, profile.assignments())
    moved_to = None if alias is None else alias.moved_to
    alias_differs = moved_to != profile.alias
    if state.digest == last_sent.digest and not alias_differs:
        if state.value is None:
            profile.put_unpublished(tenant)
        return None
    profile.put_sent(state, moved_to, tenant)
    selection = None
    if last_sent.value is None and state.value is not None and change.had_records:
        selection = ENTERED
    elif last_sent.value is not None and state.value is None and change.records:
        selection = LEFT
    return _Publication(context, profile.sequence, last_sent, state, alias, alias_differs, selection)
