"""The conversations agent: what Intercom posts about a conversation or ticket, and shows when it is read, becomes its row and its parts."""

from collections.abc import Iterator
from functools import partial
from typing import Final, cast

import msgspec

from schemas.codec import Avro
from schemas.errors import InvalidRecord
from schemas.intercom.conversations import (
    CHECKPOINT,
    ERASURE,
    ERASURES_TOPIC,
    SEALED,
    ConversationCheckpoint,
    ConversationRow,
    ConversationTableRow,
    Part,
    SealedParts,
)
from schemas.intercom.envelope import body, envelope
from schemas.intercom.rest_objects import READ_AS, reading_in
from schemas.intercom.routes import destinations
from schemas.message import TRACE_PARENT, Message, header
from schemas.profiles.checkpoints import is_checkpoint
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.agents.activities.happenings import is_live, is_replayed
from streams.agents.conversations.activities import send_activities
from streams.agents.conversations.change import ConversationChange, ShownPart
from streams.agents.conversations.publication import Cause, publish
from streams.agents.conversations.read_requests import request_read
from streams.agents.conversations.sealing import seal_of
from streams.core.activities.conversations import form_of_beginning, form_of_part
from streams.core.conversations.erased import (
    beginning_of,
    erased_contacts,
    erasure_of,
    observed_without,
    part_without,
    says_more,
    without_contacts,
)
from streams.core.conversations.observation import Observed, posted, read
from streams.core.conversations.parts import ObservedPart, join_parts, united
from streams.core.conversations.row import joined_registers, row_of, since, with_part, without_details
from streams.core.conversations.sealing import after as after_seal
from streams.core.conversations.sealing import is_before, is_of_before, with_sealed
from streams.core.conversations.sealing import joined as later_seal
from streams.core.conversations.tallies import tallied
from streams.core.records import packing
from streams.core.records.registers import NOTHING
from streams.engine.agent import Agent, Batch, Outbox, Table

TOPIC: Final = "intercom.conversations"
ROWS: Final[Versioned[ConversationTableRow]] = Versioned(cast("type[ConversationTableRow]", ConversationTableRow))

_PARTS_IN_A_CHECKPOINT: Final = 5_000  # some 300 kB


def conversations(tenancy: Tenancy, avro: Avro) -> Agent:
    """Return the agent for the workspaces of an installation."""
    return Agent(name="conversations", sources=(TOPIC, ERASURES_TOPIC), step=partial(_step, tenancy, avro), codec=ROWS)


def _step(tenancy: Tenancy, avro: Avro, batch: Batch, table: Table[ConversationTableRow], out: Outbox) -> None:
    for record in batch.records:
        key, observed, cause = (_erased if batch.topic == ERASURES_TOPIC else observed_in)(tenancy, record, out)
        for _ in range(observed.nameless):
            out.note("part_without_id")
        seal = seal_of(key, table)
        if seal is not None and is_before(observed.sealed, seal) and batch.topic != ERASURES_TOPIC:
            newer = after_seal(seal, observed)
            if newer is None:
                if not cause.checkpoint:
                    out.note("conversation_too_late")
                continue
            observed = newer
        change, observed = _join(key, observed, cause.topic, table)
        if change.before != change.after and says_more(change.registers):
            publish(avro, key, change, cause, out)
            if not cause.checkpoint and batch.topic != ERASURES_TOPIC:
                request_read(avro, tenancy.owners[key.partition(":")[0]], key, change, observed=observed, cause=cause, out=out)
        forgotten = frozenset[str]()
        if batch.topic == ERASURES_TOPIC:
            forgotten = erased_contacts(change.registers) - erased_contacts(change.registers_before)
        until = 0 if seal is None else seal.until
        send_activities(key, change, observed, cause, forgotten, sealed_until=until, table=table, out=out)


def observed_in(tenancy: Tenancy, record: Message, out: Outbox) -> tuple[str, Observed, Cause]:
    """Return a record's key, what it says, and the event that follows from it has as its cause."""
    key = (record.key or b"").decode("utf-8", "replace")
    app_id, _, entity = key.partition(":")
    if app_id not in tenancy.owners:
        raise InvalidRecord("no tenant has this workspace; add it to the configuration and redrive the record")
    if "|" in key or not entity:
        raise InvalidRecord("a record of conversations has the key `app_id:conversation_id`; send posts through the ingress")
    trace = header(record.headers, TRACE_PARENT)
    if is_checkpoint(record):
        message = CHECKPOINT.receive(record.value or b"", out)
        parts = tuple(ObservedPart(item, part, {}) for item, part in message.parts)
        registers = packing.decode(message.registers)
        observed = Observed(registers=registers, parts=parts, offered=message.offered, sealed=message.sealed, began=message.began)
        return key, observed, Cause(header(record.headers, "ce_id") or "", None, trace, checkpoint=True)
    if header(record.headers, READ_AS) is not None:
        reading = reading_in(record)
        return (
            key,
            read(reading),
            Cause(reading.id, reading.requested_at, trace, live=is_live(record), replayed=is_replayed(record)),
        )
    notification = envelope(body(record))
    if all(each.key != key for each in destinations(notification) if each.topic == TOPIC):
        raise InvalidRecord(f"this is no event of {TOPIC} with this key; send it through the ingress")
    time = None if notification.created_at is None else notification.created_at * 1000
    return (
        key,
        posted(notification, notification.id),
        Cause(notification.id, time, trace, topic=notification.topic, live=is_live(record), replayed=is_replayed(record)),
    )


def _erased(tenancy: Tenancy, record: Message, out: Outbox) -> tuple[str, Observed, Cause]:
    """Return a conversation, the mark that one of its contacts is erased, and the event because of which it is; the conversation has none."""
    message = ERASURE.receive(record.value or b"", out)
    key, _, contact = (record.key or b"").decode("utf-8", "replace").partition("|")
    app_id, _, entity = key.partition(":")
    if app_id not in tenancy.owners or not entity or not contact:
        raise InvalidRecord("an erasure has the key `app_id:conversation_id|contact id`; only our own agents write them")
    cause = Cause(message.cause.event, message.cause.time or None, header(record.headers, TRACE_PARENT))
    return key, Observed(registers=erasure_of(contact)), cause


def _join(key: str, observed: Observed, topic: str, table: Table[ConversationTableRow]) -> tuple[ConversationChange, Observed]:
    """Join what was observed to the row and its parts, and return both states, and what was observed without those who are erased."""
    row = table.get(key)
    before = row if isinstance(row, ConversationRow) else None
    stored = NOTHING if before is None else packing.decode(before.registers)
    began = united(united(before.began if before else b"", observed.began), form_of_beginning(observed.item))
    forgotten, erased = erased_contacts(stored), erased_contacts(observed.registers)
    observed = observed_without(observed, forgotten | erased)
    seal, is_new = _seal(key, observed, table)
    lasting = since(stored, seal.until) if seal is not None and is_new else stored
    tallies, parts = before.tallies if before else (), list[ShownPart]()
    if not erased <= forgotten:
        observed = msgspec.structs.replace(observed, item={**beginning_of(stored, erased), **observed.item})
        parts = _forget_authors(key, erased, table)
        tallies = tallied(_parts(key, table)) if parts else tallies
    registers = joined_registers(without_contacts(lasting, forgotten | erased), observed.registers)
    if seal is not None:
        registers = without_details(registers, seal.until)
    for each in observed.parts:
        known = table.get(key, each.item)
        old = known if isinstance(known, Part) else None
        joined = join_parts(old, _with_form(each, topic))
        parts.append(ShownPart(each, joined, joined != old))
        if joined != old:
            table.put(key, each.item, joined)
            tallies = with_part(tallies, old, joined, partial(_parts, key, table))
    if seal is not None:  # a category that a part left is counted again without those that are sealed
        tallies = with_sealed(seal, tallied(_parts(key, table)))
    after = row_of(registers, tallies, max(before.offered if before else 0, observed.offered), began)
    if before != after:
        table.put(key, "", after)
    return ConversationChange(before, after, stored, registers, tuple(parts)), observed


def _with_form(shown: ObservedPart, topic: str) -> Part:
    """Return a part with the mark of the form in which an event has it."""
    mark = form_of_part(shown, topic)
    return msgspec.structs.replace(shown.part, shown=united(shown.part.shown, mark)) if mark else shown.part


def _forget_authors(key: str, contacts: frozenset[str], table: Table[ConversationTableRow]) -> list[ShownPart]:
    """Take contacts that are erased off the parts that they wrote, and return these parts."""
    parts = [(item, part, part_without(part, contacts)) for item, part in table.walk(key) if isinstance(part, Part)]
    written = [(item, after) for item, part, after in parts if after is not part]
    for item, after in written:
        table.put(key, item, after)
    return [ShownPart(ObservedPart(item, after, {}), after, changed=True) for item, after in written]


def _seal(key: str, observed: Observed, table: Table[ConversationTableRow]) -> tuple[SealedParts | None, bool]:
    """Return the seal of a conversation with what was observed of it, and whether it is another one; the parts that it has are no rows any more."""
    known = seal_of(key, table)
    if observed.sealed is None:
        return known, False
    seal = later_seal(known, observed.sealed)
    if seal == known:
        return known, False
    table.put(key, SEALED, seal)
    for item in [item for item, part in table.walk(key) if isinstance(part, Part) and is_of_before(seal, item, part)]:
        table.delete(key, item)
    return seal, True


def _parts(key: str, table: Table[ConversationTableRow]) -> Iterator[Part]:
    return (part for _, part in table.walk(key) if isinstance(part, Part))


def checkpoint_messages(key: str, table: Table[ConversationTableRow], encoding: int) -> Iterator[bytes]:
    """Yield what stands for a conversation on its inbound topic: its registers, and its parts some thousands at a time."""
    row = table.get(key)
    if isinstance(row, ConversationRow):
        parts = [(item, part) for item, part in table.walk(key) if isinstance(part, Part)]
        seal = seal_of(key, table)
        for start in range(0, max(len(parts), 1), _PARTS_IN_A_CHECKPOINT):
            some = tuple(parts[start : start + _PARTS_IN_A_CHECKPOINT])
            message = ConversationCheckpoint(row.registers, row.offered, some, seal, row.began)
            yield CHECKPOINT.encode(message, encoding)
