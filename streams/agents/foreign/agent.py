"""The agents of other systems' records, one for people and one for organisations: a row per record, its claim, its patches and edges."""

from hashlib import sha256
from typing import Final, NamedTuple

from schemas.cloudevents import Origin
from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.ids import derived
from schemas.message import Message, header
from schemas.profiles import erasure
from schemas.profiles.identity import ORG, PERSON, ClaimMessage, Scope
from schemas.profiles.records import TOPICS, WITHDRAWN, decode
from schemas.profiles.registers import ERASED, Assignment, Patch, PatchCause, Registers, SourceRecordRow
from schemas.tenancy import Tenancy
from streams.agents.erasure import erase
from streams.agents.foreign.withdrawal import Withdrawing, decode_work, encode_work, mark_of, next_records, withdraw
from streams.agents.identity.assignments import Assigned, assign, assignments_topic
from streams.agents.identity.claim_events import send_claim
from streams.agents.membership.edges import edges_of, may_differ, send_changes
from streams.agents.open_record import OpenRecord
from streams.agents.patches import PatchTopic
from streams.agents.source_records import ROW, RecordChange
from streams.core.identity.claims import FOREIGN, claim_of_foreign
from streams.core.records.foreign import check, registers_of
from streams.core.records.packing import encode
from streams.core.records.registers import NOTHING, join
from streams.core.records.withdrawal import sent_again
from streams.engine.agent import Agent, Batch, Cursor, Outbox, Table

_NAMES: Final = {PERSON: "person_records", ORG: "org_records"}
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
    name, topic, assignments = _NAMES[profile_type], TOPICS[profile_type], assignments_topic(profile_type)
    patches = PatchTopic(profile_type=profile_type, topic=f"{profile_type}.patches", source=f"/intercom-streams/{name}")

    def step(batch: Batch, table: Table[SourceRecordRow], out: Outbox) -> Cursor | None:
        if batch.topic == assignments:
            for assigned in assign(patches, tenancy, batch, table, out):
                _move_edges(assigned, out)
            return None
        if batch.topic == erasure.FOREIGN_TOPIC:
            erase(patches, tenancy, avro, batch, table, out=out)
            return None
        left: list[Withdrawing] = []
        for message in batch.records:
            if header(message.headers, "ce_type") == WITHDRAWN:
                left += withdraw(tenancy, message, table)
            elif (event := _event(tenancy, avro, batch, message, out)) is not None:
                _apply(patches, event, table, out)
        return encode_work(left) if left else None

    def resume(cursor: Cursor, table: Table[SourceRecordRow], out: Outbox) -> Cursor | None:
        current, *others = decode_work(cursor)
        records, rest = next_records(current, table)
        for key in records:
            event = _Event(key, current.tenant, PatchCause(current.event, current.time), None, NOTHING, sent=False)
            _apply(patches, event, table, out)
        left = [*([rest] if rest else ()), *others]
        return encode_work(left) if left else None

    sources = (topic, assignments, *([erasure.FOREIGN_TOPIC] if profile_type == PERSON else []))
    return Agent(name=name, sources=sources, step=step, codec=ROW, resume=resume)


def _apply(patches: PatchTopic, event: _Event, table: Table[SourceRecordRow], out: Outbox) -> None:
    change = _join(patches, event, table)
    if change is not None:
        _follow_up(patches, event, change, out)


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
    return _Event(
        record.key,
        tenant,
        PatchCause(event, record.updated_at),
        header(message.headers, "traceparent"),
        registers_of(_PROFILE_TYPES[batch.topic], record, event),
        sent=header(message.headers, "ce_origin") not in _REPEATED,
    )


def _join(patches: PatchTopic, event: _Event, table: Table[SourceRecordRow]) -> RecordChange | None:
    """Join a record to its row. It changes nothing where it was repeated, or later ones superseded it.

    Once its source was withdrawn, the record is too, until it is sent again.
    """
    key = event.key
    row = table.get(key)
    if row is not None and row.assignment.number == ERASED.number:
        return None
    before = NOTHING if row is None else OpenRecord(row).registers
    joined = join(before, event.asserted)
    mark = mark_of(key, table)
    if mark is not None:
        joined = join(joined, mark)
        if event.sent:
            joined = join(joined, sent_again(mark))
    if joined == before:
        return None
    assignment = Assignment(0, patches.own_profile(event.tenant, key)) if row is None else row.assignment
    after = SourceRecordRow(encode(joined), assignment)
    table.put(key, "", after)
    return RecordChange(row, after, before, joined)


def _follow_up(patches: PatchTopic, event: _Event, change: RecordChange, out: Outbox) -> None:
    """Send the row to its profile, and its claim and edges where they changed."""
    key, cause, trace = event.key, event.cause, event.trace
    assignment, before, after = change.after.assignment, change.registers_before, change.registers
    patch = Patch(event.tenant, key, change.after, cause)
    event_id = derived(key, "patch", cause.event)
    patches.send(patch, profile=assignment.profile, event_id=event_id, trace=trace, out=out, basis=change.before)
    own = patches.own_profile(event.tenant, key)
    if assignment.number and before == NOTHING and own != assignment.profile:
        patches.send_departure(patch, profile=own, trace=trace, out=out)
    form = FOREIGN[patches.profile_type]
    claim = claim_of_foreign(key, after, form)
    if before == NOTHING or claim != claim_of_foreign(key, before, form):
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
