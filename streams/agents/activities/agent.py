"""The activities agent: a contact's activities, each once, whatever repeats it, and what its profile learns of them.

A contact that moves to another profile takes its activities along, and a conversation that gains or loses contacts moves between them: some
at a time, between new records. What arrives for a contact that no longer takes part is passed on to those who do. Details expire by wakes
and policies alone (`purge`).
"""

from collections.abc import Callable
from functools import partial
from typing import Final, cast

import msgspec

from schemas.activities.marks import mark_of
from schemas.activities.messages import (
    ASSIGNMENTS_TOPIC,
    RECORD,
    RECORDS_TOPIC,
    ActivityMessage,
    ActivityRecord,
    ActivityTableRow,
    MarksRecord,
    ParticipantsRecord,
    ParticipantsRow,
    company_of_subject,
)
from schemas.activities.retention import POLICIES_TOPIC, WAKES_TOPIC
from schemas.errors import InvalidRecord
from schemas.message import TRACE_PARENT, Message, header
from schemas.profiles.identity import ASSIGNMENT
from schemas.profiles.registers import ERASED, Assignment, PatchCause
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.agents.activities.contact import Contact
from streams.agents.activities.moves import ContactMove, ConversationMove, is_beside_another, move_contact, move_conversation
from streams.agents.activities.passing import (
    add_and_record,
    keep_on_record,
    keep_what_is_back,
    passage,
    receive_marks,
    redacted_as_known,
    send_marks,
)
from streams.agents.activities.purge import Purge, purge
from streams.agents.activities.retention import limits_of, next_day, receive_day, receive_policy
from streams.agents.activities.sending import ContactCause
from streams.agents.activities.values import is_value
from streams.core.activities.join import redacted, without_words
from streams.core.activities.limits import RetentionLimits
from streams.engine.agent import Agent, Batch, Cursor, Outbox, Table

ROWS: Final[Versioned[ActivityTableRow]] = Versioned(cast("type[ActivityTableRow]", ActivityTableRow))

_AT_A_TIME: Final = 200  # activities of a move: some 20 ms


_Work = ContactMove | ConversationMove | Purge
FindContact = Callable[[], Contact]


def activities(tenancy: Tenancy) -> Agent:
    """Return the agent for the workspaces of an installation."""
    return Agent(
        name="activities",
        sources=(RECORDS_TOPIC, ASSIGNMENTS_TOPIC, POLICIES_TOPIC, WAKES_TOPIC),
        step=partial(_step, tenancy),
        codec=ROWS,
        wake=next_day,
        resume=partial(_resume, tenancy),
        leading=(POLICIES_TOPIC,),
    )


def _step(tenancy: Tenancy, batch: Batch, table: Table[ActivityTableRow], out: Outbox) -> Cursor | None:
    if batch.topic in (POLICIES_TOPIC, WAKES_TOPIC):
        return _advanced(tenancy, _limits_changed(batch, table, out), table, out)
    work: list[_Work] = []
    read = _assigned if batch.topic == ASSIGNMENTS_TOPIC else _observed
    limits: dict[str, RetentionLimits] = {}  # which only records of the other topics change
    for record in batch.records:
        move = read(partial(_contact, tenancy, _key(record)[0], table, out, limits), record, out)
        work += [] if move is None else [move]
    return _left(work) if work and _follows(tenancy, work[0], table, out) else _advanced(tenancy, work, table, out)


def _limits_changed(batch: Batch, table: Table[ActivityTableRow], out: Outbox) -> list[_Work]:
    """Take over policies or a day, and return the work of leaving no details that have expired."""
    if batch.topic == WAKES_TOPIC:
        days = [receive_day(record, table) for record in batch.records]
        return [Purge()] if any(days) else []
    tenants = [receive_policy(record, table, out) for record in batch.records]
    return [Purge(tenant) for tenant in sorted({tenant for tenant in tenants if tenant is not None})]


def _key(record: Message) -> tuple[str, str]:
    """Return the contact that a record is about, and the rest of its key."""
    contact, _, item = (record.key or b"").decode("utf-8", "replace").partition("|")
    return contact, item


def _resume(tenancy: Tenancy, cursor: Cursor, table: Table[ActivityTableRow], out: Outbox) -> Cursor | None:
    return _advanced(tenancy, msgspec.msgpack.decode(cursor, type=list[_Work]), table, out)


def _advanced(tenancy: Tenancy, work: list[_Work], table: Table[ActivityTableRow], out: Outbox) -> Cursor | None:
    """Do a piece of the first work, and return the rest of all of it."""
    if not work:
        return None
    current, *others = work
    rest: _Work | None
    if isinstance(current, Purge):
        rest = purge(current, tenancy, partial(_contact, tenancy, table=table, out=out), table, most=_AT_A_TIME)
    else:
        contact = _contact(tenancy, current.contact, table, out)
        rest = (
            move_contact(contact, current, _AT_A_TIME)
            if isinstance(current, ContactMove)
            else move_conversation(contact, current, _AT_A_TIME)
        )
    return _left([*([] if rest is None else [rest]), *others])


def _left(work: list[_Work]) -> Cursor | None:
    return msgspec.msgpack.encode(work) if work else None


def _follows(tenancy: Tenancy, work: _Work, table: Table[ActivityTableRow], out: Outbox) -> bool:
    """Return whether work has to wait for earlier work."""
    return isinstance(work, ConversationMove) and is_beside_another(_contact(tenancy, work.contact, table, out), work)


def _contact(
    tenancy: Tenancy, key: str, table: Table[ActivityTableRow], out: Outbox, limits: dict[str, RetentionLimits] | None = None
) -> Contact:
    """Return a contact; `limits` remembers those of tenants."""
    tenant = tenancy.tenant_of(key)
    if not tenant:
        raise InvalidRecord("no tenant has the workspace of this contact; add it to the configuration and redrive the record")
    if limits is None:
        return Contact(tenant, key, table, out)
    if tenant not in limits:
        limits[tenant] = limits_of(tenant, table)
    return Contact(tenant, key, table, out, limits=limits[tenant])


def _assigned(find: FindContact, record: Message, out: Outbox) -> ContactMove | None:
    """Put a contact's assignment, and return the move that follows from it. A tombstone erases the contact."""
    trace = header(record.headers, TRACE_PARENT)
    if record.value is None:
        cause = PatchCause(header(record.headers, "ce_causationid") or "", 0)
        assignment = ERASED
    else:
        message = ASSIGNMENT.receive(record.value, out)
        assignment, cause = Assignment(*message.assignment[:2]), message.cause
    contact = find()
    before = contact.owner.assignment
    if assignment.number <= before.number:
        return None
    if assignment.profile == before.profile:
        contact.owner.assign(assignment)
        return None
    contact.owner.assign(assignment, leaves=before.profile)
    return ContactMove(
        contact.key, before.profile, ContactCause(cause, trace, among=_place_of(record, contact)), divided=contact.owner.divided
    )


def _place_of(record: Message, contact: Contact) -> int | None:
    """Return where a record is that concerns what only a value names."""
    return record.offset if is_value(contact.key) else None


def _observed(find: FindContact, record: Message, out: Outbox) -> ConversationMove | None:
    """Add an activity, or learn with whom a conversation is. A tombstone is what this agent wrote itself, and an erased contact has nothing."""
    _, item = _key(record)
    if record.value is None:
        if (conversation := header(record.headers, "ce_subject")) is not None:
            cause = ContactCause(
                PatchCause(header(record.headers, "ce_causationid") or "", 0), header(record.headers, TRACE_PARENT)
            )
            keep_what_is_back(find(), item, conversation, cause)
        return None
    message = RECORD.receive(record.value, out)
    if not item:
        raise InvalidRecord("an activity has the key `app_id:contact_id|activity id`; only our own agents write activities")
    contact = find()
    cause = ContactCause(message.cause, header(record.headers, TRACE_PARENT), among=_place_of(record, contact))
    if contact.owner.erased:
        contact.send.forget(item, cause)  # or its words would stay on the compacted topic
        contact.leave_conversations([conversation_of(message)], cause)
        return None
    match message:
        case ParticipantsRecord():
            return _participants(contact, message, cause)
        case MarksRecord():
            receive_marks(contact, item, message, cause)
        case ActivityRecord():
            _add(contact, message, cause)
    return None


def conversation_of(message: ActivityMessage) -> str:
    """Return the conversation that a message is about, empty where it is about none."""
    match message:
        case ActivityRecord():
            return message.activity.conversation
        case ParticipantsRecord():
            return message.conversation
    return ""


def _add(contact: Contact, message: ActivityRecord, cause: ContactCause) -> None:
    """Add an activity where the contact takes part, and pass it on to those whom its sender did not know of."""
    activity = message.activity
    known, latest, stays, others = passage(contact, activity.conversation, message.participants)
    if known is not None and known.closed:
        activity = without_words(activity)
    if known is not None and contact.owner.is_redacted(activity.conversation, mark_of(activity.id)):
        activity = redacted(activity)
    if stays and known is not None and known.sealed and message.participants is not None and not message.of_sealed:
        contact.owner.is_sealed_no_more(activity.conversation)  # what is new is not sealed with what was left then
    adds = redacted_as_known(contact, activity) if message.of_sealed else activity
    if stays and adds is not None:
        if known is None:
            contact.add(adds, cause)
        else:
            add_and_record(contact, adds, cause.since(known.participants))
    if adds is None and known is not None:
        contact.owner.put_redaction(activity.conversation, mark_of(activity.id))
    if not stays or activity != message.activity or message.of_sealed:
        keep_on_record(contact, message, cause)
    if latest is not None:
        for other in others:
            contact.send.pass_on(activity, latest, other, cause, of_sealed=message.of_sealed)


def _participants(contact: Contact, message: ParticipantsRecord, cause: ContactCause) -> ConversationMove | None:
    """Remember with whom a conversation is, and return the move of its activities, where the contact has to send or drop them."""
    conversation, latest = message.conversation, message.participants
    known = contact.owner.participants(conversation)
    if known is not None and (known.participants.number, known.closed, known.sealed) >= (
        latest.number,
        message.closed,
        message.sealed,
    ):
        return None
    closed = message.closed or (known is not None and known.closed)
    sealed = message.sealed or (known is not None and known.sealed)
    row = msgspec.structs.replace(known or ParticipantsRow(latest), participants=latest, closed=closed, sealed=sealed)
    contact.owner.put_participants(conversation, row)
    stays = contact.key in latest.contacts
    sends, joined = _passing_on(contact, message)
    if sends and joined:
        send_marks(contact, conversation, latest, joined, cause)
    if not stays:
        contact.expired.forget(conversation, cause)
    elif message.sealed:
        contact.expired.seal(conversation, cause)
    if stays and not closed and not (sends and joined) and not message.forgotten:
        return None
    contact.owner.put_participants(conversation, msgspec.structs.replace(row, moves=row.moves + 1))
    to = joined if sends else ()
    return ConversationMove(contact.key, conversation, to, stays, closed, latest, cause, forgotten=message.forgotten)


def _passing_on(contact: Contact, message: ParticipantsRecord) -> tuple[bool, tuple[str, ...]]:
    """Return whether a contact sends what it has of a conversation, and to whom: the first of those who took part before, to those who did not.

    Whom an erasure takes out may have been the first, with nothing left to send: then everybody who stays does, to everybody else.
    """
    latest = message.participants.contacts
    if message.forgotten:
        sends = contact.key in latest and company_of_subject(contact.key) is None
        return sends, tuple(each for each in latest if each != contact.key)
    first = min((each for each in message.before if company_of_subject(each) is None), default="")
    return contact.key == first, tuple(each for each in latest if each not in message.before)
