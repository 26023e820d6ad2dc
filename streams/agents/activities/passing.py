"""Where activities and marks of a conversation belong: with the contact that got it, or with those who take part by now.

Marks are a contact's own from `activity.records`, which a rebuild is made of, and those of conversations that it has joined.
"""

from typing import NamedTuple

import msgspec

from schemas.activities.marks import MARK, REMNANT, Remnant, mark_of, unpack
from schemas.activities.messages import ActivityRecord, MarksRecord, Participants, ParticipantsRow, company_of_subject
from schemas.activities.records import PersonActivity
from streams.agents.activities.contact import Contact
from streams.agents.activities.details import PREFIX, item_of
from streams.agents.activities.expiry import remembered
from streams.agents.activities.sending import PASSED, ContactCause


class Passage(NamedTuple):
    """What a contact knew of a conversation, who takes part by what is known now, whether the contact does, and to whom else it has to go."""

    known: ParticipantsRow | None
    latest: Participants | None
    stays: bool
    others: tuple[str, ...]


def passage(contact: Contact, conversation: str, sent: Participants | None) -> Passage:
    """Return where belongs what was sent to a contact about a conversation, given who took part as far as its sender knew.

    What was sent before others joined is passed on to them; by contacts only: the company gets it from them.
    """
    known = contact.owner.participants(conversation) if conversation else None
    if sent is None and known is None:
        return Passage(None, None, stays=True, others=())
    latest = max(each for each in (sent, known.participants if known else None) if each is not None)
    is_late = sent is not None and sent.number < latest.number and company_of_subject(contact.key) is None
    others = tuple(each for each in latest.contacts if each != contact.key) if is_late else ()
    return Passage(known, latest, contact.key in latest.contacts, others)


def add_and_record(contact: Contact, observed: PersonActivity, cause: ContactCause) -> None:
    """Add an activity of a conversation whose contacts have changed. A tombstone of a time when this one took no part can lie behind its record."""
    item = item_of(observed)
    before = contact.details.get(item)
    contact.add(observed, cause)
    after = contact.details.get(item)
    if before is None and after is not None:
        contact.send.record(after, cause)


def redacted_as_known(contact: Contact, activity: PersonActivity) -> PersonActivity | None:
    """Return what a contact has of a sealed activity, redacted, None where it has neither details nor a mark of its own; marks that are sealed are none.

    Its conversation does not know the part any more, so what a redaction alone shows says nothing of what it was.
    """
    mark = mark_of(activity.id)
    known = contact.details.get(item_of(activity))
    if known is None and (found := contact.summaries.find(activity.type, activity.conversation, mark)) is not None:
        known = remembered(activity.id, activity.conversation, *found)
    return None if known is None else msgspec.structs.replace(known, redacted=True)


def keep_on_record(contact: Contact, sent: ActivityRecord, cause: ContactCause) -> None:
    """Have `activity.records` say of an activity that was sent what the contact has of it: what is no row here would expire there never.

    A record of what is sealed adds nothing to who has nothing, so it may not be the last one that compaction leaves.
    """
    known = contact.details.get(item_of(sent.activity))
    if known is None:
        contact.send.forget_activity(sent.activity, cause)
    elif known != sent.activity or sent.of_sealed:
        contact.send.record(known, cause)


def keep_what_is_back(contact: Contact, activity: str, conversation: str, cause: ContactCause) -> None:
    """Write an activity to `activity.records` again that a record there took away after it had come back: compaction would leave nothing of it."""
    known = contact.details.get(f"{PREFIX}{conversation}|{mark_of(activity)}")
    if known is not None:
        contact.send.record(known, cause)


def receive_marks(contact: Contact, item: str, message: MarksRecord, cause: ContactCause) -> None:
    """Join marks, and pass them on to those in the conversation whom their sender did not know of."""
    if message.sealed is not None:
        contact.expired.put_sealed(message.kind, unpack(message.marks, MARK), message.sealed, cause)
        return
    to = passage(contact, message.conversation, message.participants)
    if to.stays:
        known_here = contact.remnants_at(item.removeprefix("="))  # most are what this agent wrote itself
        unknown = {mark: kept for mark, kept in unpack(message.marks, REMNANT).items() if known_here.get(mark) != kept}
        remnants = {mark: Remnant.of(kept) for mark, kept in unknown.items()}
        new = {
            mark: remnant
            for mark, remnant in remnants.items()
            if not contact.join_mark(message.conversation, mark, message.kind, remnant, cause)
        }
        if new:
            contact.expired.put(message.kind, message.conversation, new, cause)
    if to.others:
        passed = msgspec.structs.replace(message, cause=cause.cause, participants=to.latest)
        for other in to.others:
            contact.send.pass_on_marks(passed, other, cause)
    if item.startswith(PASSED):
        contact.send.forget(item, cause)


def send_marks(contact: Contact, conversation: str, participants: Participants, to: tuple[str, ...], cause: ContactCause) -> None:
    """Send a conversation's marks to the contacts that joined it."""
    for kind, marks in list(contact.summaries.marks(conversation)):
        message = MarksRecord(kind, conversation, marks, cause.cause, participants=participants)
        for other in to:
            contact.send.pass_on_marks(message, other, cause)


def move_marks(contact: Contact, left: str, type_: str, marks: list[str], cause: ContactCause, *, erased: bool) -> None:
    """Move marks from a profile that the contact has left to its profile of now; an erased contact's are deleted at the end."""
    profile = contact.owner.profile
    if left != profile:
        contact.send.patch_marks(left, type_, None, cause, gone=marks)
    if not erased:
        step = ("moved", contact.owner.assignment.number)
        contact.send.patch_marks(profile, type_, contact.summaries.totals(type_), cause, expired=marks, step=step)
