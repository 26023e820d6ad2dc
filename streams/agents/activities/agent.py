"""The activities agent: a contact's activities, each once, whatever repeats it, and what its profile learns of them.

A contact that moves to another profile takes its activities along, and a conversation that gains or loses contacts moves between them: some
at a time, between new records. What arrives for a contact that no longer takes part is passed on to those who do. Details expire by wakes
and policies alone (`purge`).
"""

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Final, cast

import msgspec

from schemas.activities.messages import (
    ASSIGNMENTS_TOPIC,
    RECORD,
    RECORDS_TOPIC,
    ActivityMessage,
    ActivityRecord,
    ActivityTableRow,
    MarksRecord,
    Participants,
    ParticipantsRecord,
    ParticipantsRow,
    company_of_subject,
)
from schemas.activities.records import PersonActivity
from schemas.activities.retention import POLICIES_TOPIC, WAKES_TOPIC
from schemas.errors import InvalidRecord
from schemas.message import TRACE_PARENT, Message, header
from schemas.profiles.identity import ASSIGNMENT
from schemas.profiles.registers import ERASED, Assignment, PatchCause
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.agents.activities.contact import Contact
from streams.agents.activities.passing import move_marks, receive_marks, send_marks
from streams.agents.activities.purge import Purge, purge
from streams.agents.activities.retention import limits_of, next_day, receive_day, receive_policy
from streams.agents.activities.sending import ContactCause
from streams.core.activities.join import without_words
from streams.core.activities.limits import RetentionLimits
from streams.engine.agent import Agent, Batch, Cursor, Outbox, Table

ROWS: Final[Versioned[ActivityTableRow]] = Versioned(cast("type[ActivityTableRow]", ActivityTableRow))

_AT_A_TIME: Final = 200  # activities of a move: some 20 ms


class ContactMove(msgspec.Struct, frozen=True, array_like=True, tag="contact"):
    """A contact's activities on their way from a profile to the one that the contact has now, up to an item."""

    contact: str
    left: str
    cause: ContactCause
    after: str = ""


class ConversationMove(msgspec.Struct, frozen=True, array_like=True, tag="conversation"):
    """A conversation's activities on their way from one contact to others, up to an item."""

    contact: str
    conversation: str
    to: tuple[str, ...]
    stays: bool
    closed: bool
    participants: Participants
    cause: ContactCause
    after: str = ""


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
    return _advanced(tenancy, work, table, out)


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
        rest = _move_contact(contact, current) if isinstance(current, ContactMove) else _move_conversation(contact, current)
    left = [*([] if rest is None else [rest]), *others]
    return msgspec.msgpack.encode(left) if left else None


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
    return ContactMove(contact.key, before.profile, ContactCause(cause, trace))


def _observed(find: FindContact, record: Message, out: Outbox) -> ConversationMove | None:
    """Add an activity, or learn with whom a conversation is. A tombstone is what this agent wrote itself, and an erased contact has nothing."""
    if record.value is None:
        return None
    message, trace = RECORD.receive(record.value, out), header(record.headers, TRACE_PARENT)
    if not _key(record)[1]:
        raise InvalidRecord("an activity has the key `app_id:contact_id|activity id`; only our own agents write activities")
    contact, item, cause = find(), _key(record)[1], ContactCause(message.cause, trace)
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
    activity, sent = message.activity, message.participants
    known = contact.owner.participants(activity.conversation) if activity.conversation else None
    latest = max((each for each in (sent, known.participants if known else None) if each is not None), default=None)
    if known is not None and known.closed:
        activity = without_words(activity)
    if latest is None or contact.key in latest.contacts:
        contact.add(activity, cause if known is None else cause.since(known.participants))
    if latest is not None and sent is not None and sent.number < latest.number and company_of_subject(contact.key) is None:
        for other in latest.contacts:
            if other != contact.key:
                contact.send.pass_on(activity, latest, other, cause)


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
    row = ParticipantsRow(latest, closed, sealed, known.moves if known else 0)
    contact.owner.put_participants(conversation, row)
    stays = contact.key in latest.contacts
    joined = tuple(each for each in latest.contacts if each not in message.before)
    sends = contact.key == min((each for each in message.before if company_of_subject(each) is None), default="")
    if sends and joined:
        send_marks(contact, conversation, latest, joined, cause)
    if not stays:
        contact.expired.forget(conversation, cause)
    elif message.sealed:
        contact.expired.seal(conversation, cause)
    if stays and not closed and not (sends and joined):
        return None
    contact.owner.put_participants(conversation, msgspec.structs.replace(row, moves=row.moves + 1))
    return ConversationMove(contact.key, conversation, joined if sends else (), stays, closed, latest, cause)


def _move_contact(contact: Contact, move: ContactMove) -> ContactMove | None:
    """Move some activities of a contact to its profile of now, which can be another one than when the move began; an erased one's are gone."""
    profile, erased = contact.owner.profile, contact.owner.erased
    some = list(islice(contact.all_of_it(move.after), _AT_A_TIME))
    for item, found in some:
        if not isinstance(found, PersonActivity):
            move_marks(contact, move.left, *found, move.cause, erased=erased)
            continue
        if move.left != profile:
            contact.leave(move.left, found, move.cause)
        if erased:
            contact.drop(item, found, move.cause)
        else:
            contact.arrive(found, move.cause)
    if len(some) == _AT_A_TIME:
        return msgspec.structs.replace(move, after=some[-1][0])
    contact.owner.has_left(move.left)
    if erased:
        contact.clear(move.cause)
    return None


def _move_conversation(contact: Contact, move: ConversationMove) -> ConversationMove | Purge | None:
    """Send some activities of a conversation to the contacts that joined it, and drop them where the contact has left it.

    A contact that is back meanwhile keeps what is not dropped yet, and counts it again. What expires meanwhile does so at the end.
    """
    latest = contact.owner.participants(move.conversation)
    if not move.stays and latest is not None and contact.key in latest.participants.contacts:
        contact.count_again(move.conversation, move.cause)
        return _moved(contact, move)
    some = list(islice(contact.details.walk(move.conversation, move.after), _AT_A_TIME))
    for item, activity in some:
        shown = without_words(activity) if move.closed else activity
        for other in move.to:
            contact.send.pass_on(shown, move.participants, other, move.cause)
        if not move.stays:
            contact.drop(item, activity, move.cause)
        elif shown != activity:
            contact.replace(item, shown, move.cause)
    if len(some) == _AT_A_TIME:
        return msgspec.structs.replace(move, after=some[-1][0])
    return _moved(contact, move)


def _moved(contact: Contact, move: ConversationMove) -> Purge | None:
    """Note the end of a move, and return the work of leaving no details that have expired meanwhile."""
    row = contact.owner.participants(move.conversation)
    if row is not None:
        contact.owner.put_participants(move.conversation, msgspec.structs.replace(row, moves=max(row.moves - 1, 0)))
    return None if contact.limits.day is None else Purge(contact=contact.key)
