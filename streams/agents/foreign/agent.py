"""The agents of other systems' records, one for people and one for organisations: a row per record, its claim, its patches and edges."""

from hashlib import sha256
from typing import Final, NamedTuple

from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.message import Message, header
from schemas.profiles.identity import ORG, PERSON, ClaimMessage, Scope
from schemas.profiles.records import TOPICS, ForeignRecord, decode
from schemas.profiles.registers import Assignment, Patch, PatchCause, Registers, SourceRecordRow
from schemas.tenancy import Tenancy
from streams.agents.identity.assignments import Assigned, assign, assignments_topic
from streams.agents.identity.claim_events import send_claim
from streams.agents.membership.edges import edges_of, may_differ, send_changes
from streams.agents.open_record import OpenRecord
from streams.agents.patches import PatchTopic
from streams.agents.source_records import ROW, RecordChange
from streams.core.identity.claims import FOREIGN, changed_claim
from streams.core.records.foreign import check, registers_of
from streams.core.records.packing import encode
from streams.core.records.registers import NOTHING, join
from streams.engine.agent import Agent, Batch, Outbox, Table

_NAMES: Final = {PERSON: "person_records", ORG: "org_records"}


class _Event(NamedTuple):
    """A record that was sent, and whose it is."""

    record: ForeignRecord
    tenant: str
    cause: PatchCause
    trace: str | None


def person_records(tenancy: Tenancy, avro: Avro) -> Agent:
    """Return the agent of people as other systems know them."""
    return _agent(PERSON, tenancy, avro)


def org_records(tenancy: Tenancy, avro: Avro) -> Agent:
    """Return the agent of organisations as other systems know them."""
    return _agent(ORG, tenancy, avro)


def _agent(profile_type: str, tenancy: Tenancy, avro: Avro) -> Agent:
    name, topic, assignments = _NAMES[profile_type], TOPICS[profile_type], assignments_topic(profile_type)
    patches = PatchTopic(profile_type=profile_type, topic=f"{profile_type}.patches", source=f"/intercom-streams/{name}")

    def step(batch: Batch, table: Table[SourceRecordRow], out: Outbox) -> None:
        if batch.topic == assignments:
            for assigned in assign(patches, tenancy, batch, table, out):
                _move_edges(assigned, out)
            return
        for record in batch.records:
            event = _event(tenancy, avro, batch, record, out)
            if event is not None and (change := _join(patches, event, table)) is not None:
                _follow_up(patches, event, change, out)

    return Agent(name=name, sources=(topic, assignments), step=step, codec=ROW)


def _event(tenancy: Tenancy, avro: Avro, batch: Batch, message: Message, out: Outbox) -> _Event | None:
    """Return the event that a record is. One without key, or in another partition than its key's, is sent to where it belongs, unchanged."""
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
    return _Event(record, tenant, PatchCause(event, record.updated_at), header(message.headers, "traceparent"))


def _join(patches: PatchTopic, event: _Event, table: Table[SourceRecordRow]) -> RecordChange | None:
    """Join a record to its row. It changes nothing where it was repeated, or later ones superseded it."""
    key = event.record.key
    row = table.get(key)
    before = NOTHING if row is None else OpenRecord(row).registers
    joined = join(before, registers_of(patches.profile_type, event.record, event.cause.event))
    if joined == before:
        return None
    assignment = Assignment(0, patches.own_profile(event.tenant, key)) if row is None else row.assignment
    after = SourceRecordRow(encode(joined), assignment)
    table.put(key, "", after)
    return RecordChange(row, after, before, joined)


def _follow_up(patches: PatchTopic, event: _Event, change: RecordChange, out: Outbox) -> None:
    """Send the row to its profile, and its claim and edges where they changed."""
    key, cause, trace = event.record.key, event.cause, event.trace
    assignment, before, after = change.after.assignment, change.registers_before, change.registers
    patch = Patch(event.tenant, key, change.after, cause)
    event_id = derived(key, "patch", cause.event)
    patches.send(patch, profile=assignment.profile, event_id=event_id, trace=trace, out=out, basis=change.before)
    own = patches.own_profile(event.tenant, key)
    if assignment.number and before == NOTHING and own != assignment.profile:
        patches.send_departure(patch, profile=own, trace=trace, out=out)
    claim = changed_claim(key, before, after, FOREIGN[patches.profile_type])
    if claim is not None:
        scope = Scope(event.tenant, patches.profile_type)
        send_claim(scope, key, ClaimMessage(claim, cause), source=patches.source, trace=trace, out=out)
    if patches.profile_type == PERSON and may_differ(before, after):
        edges_before, edges_after = edges_of(key, assignment, before), edges_of(key, assignment, after)
        send_changes(key, edges_before, edges_after, cause=cause, step="event", trace=trace, out=out)


def _move_edges(assigned: Assigned, out: Outbox) -> None:
    record, assignment, patch = assigned
    registers: Registers = OpenRecord(patch.row).registers
    before, after = edges_of(patch.record, assignment, registers), edges_of(patch.record, patch.row.assignment, registers)
    step, trace = f"assigned {patch.row.assignment.number}", header(record.headers, "traceparent")
    send_changes(patch.record, before, after, cause=patch.cause, step=step, trace=trace, out=out)
