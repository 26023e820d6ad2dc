"""The agents of other systems' records, one for people and one for organisations: a row per record, its claim, its patches and edges."""

from hashlib import sha256
from typing import Final, NamedTuple, cast

from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.message import Message, header
from schemas.profiles import erasure
from schemas.profiles.checkpoints import CHECKPOINT, is_checkpoint
from schemas.profiles.identity import ORG, PERSON, ClaimMessage, Scope
from schemas.profiles.records import TOPICS, WITHDRAWN, decode
from schemas.profiles.registers import (
    ERASED,
    Assignment,
    Patch,
    PatchCause,
    RecordTableRow,
    Registers,
    SourceRecordRow,
)
from schemas.tenancy import Tenancy
from streams.agents.foreign.withdrawal import Withdrawing, decode_work, encode_work, mark_of, next_records, withdraw
from streams.agents.identity.assignments import Assigned, assign, assignments_topic
from streams.agents.identity.claim_events import send_claim
from streams.agents.membership.edges import edges_of, may_differ, send_changes
from streams.agents.open_record import OpenRecord
from streams.agents.patches import PatchTopic
from streams.agents.policies.denial import Denial
from streams.agents.policies.in_force import Policies, RecordPolicies, TenantRules
from streams.agents.policies.walk import is_of_policy
from streams.agents.retention.erasure import erase
from streams.agents.source_records import ROW, RecordChange
from streams.core.identity.claims import FOREIGN, claim_of_foreign
from streams.core.profiles.orgs import ORG as ORG_SCHEMA
from streams.core.profiles.people import PERSON as PERSON_SCHEMA
from streams.core.profiles.storage import join_stored
from streams.core.records.foreign import check, registers_of
from streams.core.records.packing import decode as unpacked
from streams.core.records.packing import encode
from streams.core.records.registers import NOTHING, join
from streams.core.records.withdrawal import sent_again
from streams.engine.agent import Agent, Batch, Cursor, Outbox, Table

_NAMES: Final = {PERSON: "person_records", ORG: "org_records"}
_SCHEMAS: Final = {PERSON: PERSON_SCHEMA, ORG: ORG_SCHEMA}
_PROFILE_TYPES: Final = {topic: profile_type for profile_type, topic in TOPICS.items()}
_REPEATED: Final = (Origin.REPLAY, Origin.CHECKPOINT)


class _Event(NamedTuple):
    """What a record asserts, and whose it is. `sent` says that its system has sent it, and nobody repeats it for other reasons."""

    key: str
    tenant: str
    cause: PatchCause
    trace: str | None
    asserted: Registers
    sent: bool


def person_records(tenancy: Tenancy, avro: Avro) -> Agent:
    """Return the agent of people as other systems know them."""
    return _agent(PERSON, tenancy, avro)


def org_records(tenancy: Tenancy, avro: Avro) -> Agent:
    """Return the agent of organisations as other systems know them."""
    return _agent(ORG, tenancy, avro)


def _agent(profile_type: str, tenancy: Tenancy, avro: Avro) -> Agent:
    name, topic = _NAMES[profile_type], TOPICS[profile_type]
    patches = PatchTopic(profile_type=profile_type, topic=f"{profile_type}.patches", source=f"/intercom-streams/{name}")
    policies = Policies(f"{topic}.policies", _SCHEMAS[profile_type], tenancy)

    def denied(tenant: str, key: str, change: RecordChange, cause: PatchCause, out: Outbox) -> None:
        """Withdraw what a record's denied fields had claimed, and its denied edges."""
        _send_consequences(patches, tenant, key, change, cause=cause, step="policy", trace=None, out=out)

    erasures = (erasure.FOREIGN_TOPIC,) if profile_type == PERSON else ()
    agent = _ForeignAgent(tenancy, avro, patches, policies, Denial(policies, tenancy, denied))
    return Agent(
        name=name,
        sources=(topic, assignments_topic(profile_type), policies.topic, *erasures),
        step=agent.step,
        codec=ROW,
        resume=agent.resume,
        leading=(policies.topic,),
    )


class _ForeignAgent(NamedTuple):
    """What the steps of one agent have in common."""

    tenancy: Tenancy
    avro: Avro
    patches: PatchTopic
    policies: Policies
    denial: Denial

    def step(self, batch: Batch, table: Table[RecordTableRow], out: Outbox) -> Cursor | None:
        """Join each record to its row, begin to withdraw sources, place records by assignments, or put policies in force."""
        rows = cast("Table[SourceRecordRow]", table)
        if batch.topic == assignments_topic(self.patches.profile_type):
            for assigned in assign(self.patches, self.tenancy, batch, rows, out):
                _move_edges(assigned, out)
            return None
        if batch.topic == erasure.FOREIGN_TOPIC:
            erase(self.patches, self.tenancy, self.avro, batch, rows, out=out)
            return None
        if batch.topic == self.policies.topic:
            return self.denial.apply(batch, table, out)
        rules = TenantRules(self.policies, RecordPolicies(table))
        left: list[Withdrawing] = []
        for message in batch.records:
            if header(message.headers, "ce_type") == WITHDRAWN:
                left += withdraw(self.tenancy, message, rows)
            elif (event := _event(self.tenancy, self.avro, batch, message, out)) is not None:
                _apply(self.patches, event, rows, out, rules=rules)
        return encode_work(left)

    def resume(self, cursor: Cursor, table: Table[RecordTableRow], out: Outbox) -> Cursor | None:
        """Withdraw the next records of a source, or take out of the next ones what a policy denies."""
        if is_of_policy(cursor):
            return self.denial.resume(cursor, table, out)
        rows, rules = cast("Table[SourceRecordRow]", table), TenantRules(self.policies, RecordPolicies(table))
        current, *others = decode_work(cursor)
        records, rest = next_records(current, rows)
        for key in records:
            event = _Event(key, current.tenant, PatchCause(current.event, current.time), None, NOTHING, sent=False)
            _apply(self.patches, event, rows, out, rules=rules)
        return encode_work([*([rest] if rest else ()), *others])


def _apply(patches: PatchTopic, event: _Event, table: Table[SourceRecordRow], out: Outbox, *, rules: TenantRules) -> None:
    change = _join(patches, event, table, rules)
    if change is not None:
        _follow_up(patches, event, change, out)


def _event(tenancy: Tenancy, avro: Avro, batch: Batch, message: Message, out: Outbox) -> _Event | None:
    """Return the event that a record is. One without key, or in another partition than its key's, is sent to where it belongs, unchanged."""
    if is_checkpoint(message):
        return _checkpoint(tenancy, message, out)
    record = decode(avro, message.value)
    tenant = check(record, tenancy, message.timestamp)
    key = record.key.encode()
    if message.key and message.key != key:
        raise InvalidRecord("the key of a record is `source:id`, as its value has them; nobody writes another system's records")
    if not message.key or not batch.is_in_place(key):
        out.send(batch.topic, key, message.value, message.headers)
        return None
    content = sha256(message.value or b"").hexdigest()  # a producer that gives several records one id loses none of them
    event = derived(record.key, header(message.headers, "ce_id"), content)
    return _Event(
        record.key,
        tenant,
        PatchCause(event, record.updated_at),
        header(message.headers, "traceparent"),
        registers_of(_PROFILE_TYPES[batch.topic], record, event),
        sent=header(message.headers, "ce_origin") not in _REPEATED,
    )


def _checkpoint(tenancy: Tenancy, message: Message, out: Outbox) -> _Event:
    """Return a row that was written to the topic again as an event."""
    key = (message.key or b"").decode("utf-8", "replace")
    tenant = tenancy.tenant_of(key)
    if tenant is None:
        raise InvalidRecord(
            "no tenant has the source of this checkpoint; add it under [[tenants.sources]] and redrive the record"
        )
    registers = unpacked(CHECKPOINT.receive(message.value or b"", out).registers)
    event_id = header(message.headers, "ce_id") or derived(key, message.offset)
    return _Event(key, tenant, PatchCause(event_id, 0), header(message.headers, "traceparent"), registers, sent=False)


def _join(patches: PatchTopic, event: _Event, table: Table[SourceRecordRow], rules: TenantRules) -> RecordChange | None:
    """Join what may be stored of a record to its row. It changes nothing where it was repeated, or later ones superseded it.

    Once its source was withdrawn, the record is too, until it is sent again.
    """
    key = event.key
    row = table.get(key)
    if row is not None and row.assignment.number == ERASED.number:
        return None
    before = NOTHING if row is None else OpenRecord(row).registers
    asserted = event.asserted
    mark = mark_of(key, table)
    if mark is not None:
        asserted = join(asserted, mark)
        if event.sent:
            asserted = join(asserted, sent_again(mark))
    joined = join_stored(rules.of(event.tenant).storage, before, asserted)
    if joined == before:
        return None
    assignment = Assignment(0, patches.own_profile(event.tenant, key)) if row is None else row.assignment
    after = SourceRecordRow(encode(joined), assignment)
    table.put(key, "", after)
    return RecordChange(row, after, before, joined)


def _follow_up(patches: PatchTopic, event: _Event, change: RecordChange, out: Outbox) -> None:
    """Send the row to its profile, and its claim and edges where they changed."""
    key, cause, trace = event.key, event.cause, event.trace
    assignment, before = change.after.assignment, change.registers_before
    patch = Patch(event.tenant, key, change.after, cause)
    event_id = derived(key, "patch", cause.event)
    patches.send(patch, profile=assignment.profile, event_id=event_id, trace=trace, out=out, basis=change.before)
    own = patches.own_profile(event.tenant, key)
    if assignment.number and before == NOTHING and own != assignment.profile:
        patches.send_departure(patch, profile=own, trace=trace, out=out)
    _send_consequences(patches, event.tenant, key, change, cause=cause, step="event", trace=trace, out=out)


def _send_consequences(
    patches: PatchTopic,
    tenant: str,
    key: str,
    change: RecordChange,
    *,
    cause: PatchCause,
    step: str,
    trace: str | None,
    out: Outbox,
) -> None:
    assignment, before, after = change.after.assignment, change.registers_before, change.registers
    form = FOREIGN[patches.profile_type]
    claim = claim_of_foreign(key, after, form)
    if before == NOTHING or claim != claim_of_foreign(key, before, form):
        scope = Scope(tenant, patches.profile_type)
        send_claim(scope, key, ClaimMessage(claim, cause), source=patches.source, trace=trace, out=out)
    if patches.profile_type == PERSON and may_differ(before, after):
        edges_before, edges_after = edges_of(key, assignment, before), edges_of(key, assignment, after)
        send_changes(key, edges_before, edges_after, cause=cause, step=step, trace=trace, out=out)


def _move_edges(assigned: Assigned, out: Outbox) -> None:
    record, assignment, patch = assigned
    registers: Registers = OpenRecord(patch.row).registers
    before, after = edges_of(patch.record, assignment, registers), edges_of(patch.record, patch.row.assignment, registers)
    step, trace = f"assigned {patch.row.assignment.number}", header(record.headers, "traceparent")
    send_changes(patch.record, before, after, cause=patch.cause, step=step, trace=trace, out=out)
