"""Activities that move, some at a time: a contact's to its profile of now, and a conversation's from one contact to others."""

from itertools import islice

import msgspec

from schemas.activities.messages import Participants
from schemas.activities.records import PersonActivity
from streams.agents.activities.contact import Contact
from streams.agents.activities.passing import move_marks
from streams.agents.activities.purge import Purge
from streams.agents.activities.sending import ContactCause
from streams.agents.activities.summaries import BEFORE_MARKS
from streams.core.activities.join import without_author, without_words


class ContactMove(msgspec.Struct, frozen=True, array_like=True, tag="contact"):
    """A contact's activities on their way from a profile to the one that the contact has now, up to an item.

    `divided` is how often marks were in other rows when it began with them: where that happens on the way, it goes through all of them again.
    """

    contact: str
    left: str
    cause: ContactCause
    after: str = ""
    divided: int = 0


class ConversationMove(msgspec.Struct, frozen=True, array_like=True, tag="conversation"):
    """A conversation's activities on their way from one contact to others, up to an item; `forgotten` are authors who are erased."""

    contact: str
    conversation: str
    to: tuple[str, ...]
    stays: bool
    closed: bool
    participants: Participants
    cause: ContactCause
    after: str = ""
    forgotten: tuple[str, ...] = ()


def is_beside_another(contact: Contact, move: ConversationMove) -> bool:
    """Return whether another move of the same conversation is not at its end. What the one has to pass on, the other may drop."""
    row = contact.owner.participants(move.conversation)
    return row is not None and row.moves > 1


def move_contact(contact: Contact, move: ContactMove, most: int) -> ContactMove | None:
    """Move some activities of a contact to its profile of now, which can be another one than when the move began; an erased one's are gone."""
    profile, erased = contact.owner.profile, contact.owner.erased
    some = list(islice(contact.all_of_it(move.after), most))
    for item, found in some:
        if not isinstance(found, PersonActivity):
            move_marks(contact, move.left, *found, move.cause, erased=erased)
            continue
        if move.left != profile:
            contact.leave(move.left, found, move.cause)
        if erased:
            contact.drop(item, found, move.cause)
        else:
            contact.arrive(found, move.cause, ("moved", contact.owner.assignment.number))
    if len(some) == most:
        return msgspec.structs.replace(move, after=some[-1][0])
    if (divided := contact.owner.divided) != move.divided:
        return msgspec.structs.replace(move, after=BEFORE_MARKS, divided=divided, cause=move.cause.again("divided", divided))
    contact.owner.has_left(move.left)
    if erased and not contact.owner.is_leaving:  # a later move has yet to take what an earlier one gave another profile
        contact.clear(move.cause)
    return None


def move_conversation(contact: Contact, move: ConversationMove, most: int) -> ConversationMove | Purge | None:
    """Send some activities of a conversation to the contacts that joined it, and drop them where the contact has left it.

    A contact that is back meanwhile keeps what is not dropped yet, and counts it again at the end; what it has to send goes out all the same,
    for nobody else does. Where it left once more, the last move drops: what came in between is for those who joined then, and an earlier move
    does not send to them. What expires meanwhile does so at the end.
    """
    latest = contact.owner.participants(move.conversation)
    is_back = not move.stays and latest is not None and contact.key in latest.participants.contacts
    takes_part = move.stays or is_back
    drops = not takes_part and not is_beside_another(contact, move)
    some = list(islice(contact.details.walk(move.conversation, move.after), most))
    for item, activity in some:
        shown = without_author(without_words(activity) if move.closed else activity, move.forgotten)
        for other in move.to:
            contact.send.pass_on(shown, move.participants, other, move.cause)
        if drops:
            contact.drop(item, activity, move.cause)
        elif takes_part and shown != activity:
            contact.replace(item, shown, move.cause)
    if len(some) == most:
        return msgspec.structs.replace(move, after=some[-1][0])
    if is_back:
        contact.count_again(move.conversation, move.cause)
    return _moved(contact, move)


def _moved(contact: Contact, move: ConversationMove) -> Purge | None:
    """Note the end of a move, and return the work of leaving no details that have expired meanwhile."""
    row = contact.owner.participants(move.conversation)
    if row is not None:
        contact.owner.put_participants(move.conversation, msgspec.structs.replace(row, moves=max(row.moves - 1, 0)))
    return None if contact.limits.day is None else Purge(contact=contact.key)
