"""The activities agent: a contact's activities, each once, whatever repeats it, and what its profile learns of them.

A contact that moves to another profile takes its activities along, and a conversation that gains or loses contacts moves between them: some
at a time, between new records. What arrives for a contact that no longer takes part is passed on to those who do.
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
    ActivityRecord,
    ActivityTableRow,
    Participants,
    ParticipantsRecord,
    ParticipantsRow,
    company_of_subject,
)
from schemas.errors import InvalidRecord
from schemas.message import TRACE_PARENT, Message, header
from schemas.profiles.identity import ASSIGNMENT
from schemas.profiles.registers import ERASED, Assignment, PatchCause
from schemas.tenancy import Tenancy
from schemas.versioned import Versioned
from streams.agents.activities.contact import Contact, ContactCause
from streams.core.activities.join import without_words
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


_Move = ContactMove | ConversationMove
FindContact = Callable[[], Contact]


def activities(tenancy: Tenancy) -> Agent:
    """Return the agent for the workspaces of an installation."""
    return Agent(
        name="activities",
        sources=(RECORDS_TOPIC, ASSIGNMENTS_TOPIC),
        step=partial(_step, tenancy),
        codec=ROWS,
        resume=partial(_resume, tenancy),
    )


def _step(tenancy: Tenancy, batch: Batch, table: Table[ActivityTableRow], out: Outbox) -> Cursor | None:
    moves: list[_Move] = []
    read = _assigned if batch.topic == ASSIGNMENTS_TOPIC else _observed
    for record in batch.records:
        move = read(partial(_contact, tenancy, _key(record)[0], table, out), record, out)
        moves += [] if move is None else [move]
    return _advanced(tenancy, moves, table, out)


def _key(record: Message) -> tuple[str, str]:
    """Return the contact that a record is about, and the rest of its key."""
    contact, _, item = (record.key or b"").decode("utf-8", "replace").partition("|")
    return contact, item


def _resume(tenancy: Tenancy, cursor: Cursor, table: Table[ActivityTableRow], out: Outbox) -> Cursor | None:
    return _advanced(tenancy, msgspec.msgpack.decode(cursor, type=list[_Move]), table, out)


def _advanced(tenancy: Tenancy, moves: list[_Move], table: Table[ActivityTableRow], out: Outbox) -> Cursor | None:
    """Do a piece of the first move, and return the rest of all of them."""
    if not moves:
        return None
    current, *others = moves
    contact = _contact(tenancy, current.contact, table, out)
    rest = _move_contact(contact, current) if isinstance(current, ContactMove) else _move_conversation(contact, current)
    left = [*([] if rest is None else [rest]), *others]
    return msgspec.msgpack.encode(left) if left else None


def _contact(tenancy: Tenancy, key: str, table: Table[ActivityTableRow], out: Outbox) -> Contact:
    tenant = tenancy.tenant_of(key)
    if not tenant:
        raise InvalidRecord("no tenant has the workspace of this contact; add it to the configuration and redrive the record")
    return Contact(tenant, key, table, out)


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
    before = contact.assignment
    if assignment.number <= before.number:
        return None
    if assignment.profile == before.profile:
        contact.assign(assignment)
        return None
    contact.assign(assignment, leaves=before.profile)
    return ContactMove(contact.key, before.profile, ContactCause(cause, trace))


def _observed(find: FindContact, record: Message, out: Outbox) -> ConversationMove | None:
    """Add an activity, or learn with whom a conversation is. A tombstone is what this agent wrote itself, and an erased contact has nothing."""
    if record.value is None:
        return None
    message, trace = RECORD.receive(record.value, out), header(record.headers, TRACE_PARENT)
    if not _key(record)[1]:
        raise InvalidRecord("an activity has the key `app_id:contact_id|activity id`; only our own agents write activities")
    contact = find()
    if contact.erased:
        contact.forget(_key(record)[1], ContactCause(message.cause, trace))  # or its words would stay on the compacted topic
        return None
    if isinstance(message, ParticipantsRecord):
        return _participants(contact, message, ContactCause(message.cause, trace))
    _add(contact, message, ContactCause(message.cause, trace))
    return None


def _add(contact: Contact, message: ActivityRecord, cause: ContactCause) -> None:
    """Add an activity where the contact takes part, and pass it on to those whom its sender did not know of."""
    activity, sent = message.activity, message.participants
    known = contact.participants(activity.conversation) if activity.conversation else None
    latest = max((each for each in (sent, known.participants if known else None) if each is not None), default=None)
    if known is not None and known.closed:
        activity = without_words(activity)
    if latest is None or contact.key in latest.contacts:
        contact.add(activity, cause)
    if latest is not None and sent is not None and sent.number < latest.number and company_of_subject(contact.key) is None:
        for other in latest.contacts:
            if other != contact.key:
                contact.pass_on(activity, latest, other, cause)


def _participants(contact: Contact, message: ParticipantsRecord, cause: ContactCause) -> ConversationMove | None:
    """Remember with whom a conversation is, and return the move of its activities, where the contact has to send or drop them."""
    conversation, latest = message.conversation, message.participants
    known = contact.participants(conversation)
    if known is not None and (known.participants.number, known.closed) >= (latest.number, message.closed):
        return None
    closed = message.closed or (known is not None and known.closed)
    contact.put_participants(conversation, ParticipantsRow(latest, closed))
    stays = contact.key in latest.contacts
    joined = tuple(each for each in latest.contacts if each not in message.before)
    sends = contact.key == min((each for each in message.before if company_of_subject(each) is None), default="")
    if stays and not closed and not (sends and joined):
        return None
    if not stays:
        contact.forget_totals(conversation)
    return ConversationMove(contact.key, conversation, joined if sends else (), stays, closed, latest, cause)


def _move_contact(contact: Contact, move: ContactMove) -> ContactMove | None:
    """Move some activities of a contact to its profile of now, which can be another one than when the move began; an erased one's are gone."""
    profile, erased = contact.assignment.profile, contact.erased
    some = list(islice(contact.activities(after=move.after), _AT_A_TIME))
    for item, activity in some:
        if move.left != profile:
            contact.leave(move.left, activity, move.cause)
        if erased:
            contact.drop(item, activity, move.cause)
        else:
            contact.arrive(activity, move.cause)
    if len(some) == _AT_A_TIME:
        return msgspec.structs.replace(move, after=some[-1][0])
    contact.has_left(move.left)
    if erased:
        contact.clear(move.cause)
    return None


def _move_conversation(contact: Contact, move: ConversationMove) -> ConversationMove | None:
    """Send some activities of a conversation to the contacts that joined it, and drop them where the contact has left it.

    A contact that is back meanwhile keeps what is not dropped yet, and counts it again.
    """
    latest = contact.participants(move.conversation)
    if not move.stays and latest is not None and contact.key in latest.participants.contacts:
        contact.count_again(move.conversation, move.cause)
        return None
    some = list(islice(contact.activities(move.conversation, move.after), _AT_A_TIME))
    for item, activity in some:
        shown = without_words(activity) if move.closed else activity
        for other in move.to:
            contact.pass_on(shown, move.participants, other, move.cause)
        if not move.stays:
            contact.drop(item, activity, move.cause)
        elif shown != activity:
            contact.replace(item, shown, move.cause)
    return msgspec.structs.replace(move, after=some[-1][0]) if len(some) == _AT_A_TIME else None
