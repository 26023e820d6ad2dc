"""What the conversations agent sends to the activities agent: the activities that a record shows, and with whom the conversation is.

The row has no words, so activities go out with the record that shows them. While nobody is known to take part, they wait under a name that
stands for the conversation, and follow its contacts from there. The company that a conversation names takes part in it as a contact does.
"""

from collections.abc import Collection, Iterator
from typing import Final

from schemas.activities.messages import (
    RECORD,
    RECORDS_TOPIC,
    WAITING,
    ActivityRecord,
    Participants,
    ParticipantsRecord,
    company_of_subject,
    company_subject,
    fits_in_a_key,
)
from schemas.activities.records import PersonActivity
from schemas.cloudevents import EventContext, Origin
from schemas.ids import derived
from schemas.intercom.conversations import SENT, ConversationTableRow, SentTo
from schemas.profiles.registers import PatchCause, Registers
from streams.agents.conversations.change import ConversationChange
from streams.agents.conversations.publication import SOURCE, Cause
from streams.core.activities.conversations import ConversationActivities, EventMoment
from streams.core.activities.join import for_company, without_words
from streams.core.conversations.erased import GONE, erased_contacts
from streams.core.conversations.objects import reference_of
from streams.core.conversations.observation import Observed, updated_second
from streams.core.conversations.row import company_of, contacts_of, is_deleted
from streams.engine.agent import Outbox, Table

_CONTACT: Final = "contact:"


def send_activities(
    key: str,
    change: ConversationChange,
    observed: Observed,
    cause: Cause,
    forgotten: Collection[str] = (),
    *,
    sealed_until: int = 0,
    table: Table[ConversationTableRow],
    out: Outbox,
) -> None:
    """Send what a record shows to everybody who takes part now, and to everybody concerned who that is, where it changed.

    `forgotten` are contacts who are erased from now on: what they wrote is not in parts alone, and parts are no rows where it is sealed.
    What is not later than `sealed_until` (a second) is too late: of that, redactions alone go out, to those who have what they are of.
    """
    because = PatchCause(cause.event, cause.time or 0)
    sent = _participants(key, change, cause, tuple(sorted(forgotten)), table=table, out=out)
    if cause.checkpoint:
        return
    _inform_absent(key, change, sent, cause, out, rated=_rater(observed))
    deleted = is_deleted(change.registers)
    participants = Participants(sent.number, sent.contacts)
    for activity, is_late in _shown(key, change, observed, cause, sealed_until):
        whole = without_words(activity) if deleted else activity
        for contact in sent.contacts:
            shown = for_company(whole) if company_of_subject(contact) else whole
            message = RECORD.encode(ActivityRecord(shown, because, participants, is_late), out.encoding)
            send_to(contact, activity.id, message, cause, out)


def activities_of(key: str, observed: Observed, cause: Cause) -> ConversationActivities:
    """Return what makes activities of a record about a conversation, as of when the record says that it happened."""
    second, updated = (cause.time or 0) // 1000, updated_second(observed.item)
    return ConversationActivities(
        key, EventMoment(cause.topic, second, cause.live, cause.event, again=cause.replayed, updated=updated)
    )


def _shown(
    key: str, change: ConversationChange, observed: Observed, cause: Cause, sealed_until: int
) -> Iterator[tuple[PersonActivity, bool]]:
    """Yield the activities of a record, and whether each is the redaction of one that is sealed.

    Of a reading, which shows all parts again and again, those that changed, unless it is replayed.
    """
    shown = activities_of(key, observed, cause)
    for activity in shown.of_parts(
        (each.shown, each.known) for each in change.parts if cause.topic or cause.live or cause.replayed or each.changed
    ):
        yield activity, False
    for activity in shown.of_parts((each, each.part) for each in observed.redactions):
        yield activity, True
    for activity in shown.beside_parts(observed, change.registers_before, begins=change.begins):
        is_late = activity.time <= sealed_until * 1000
        if activity.redacted or not is_late:
            yield activity, is_late


def _inform_absent(key: str, change: ConversationChange, sent: SentTo, cause: Cause, out: Outbox, *, rated: str) -> None:
    """Inform contacts who do not take part that they wrote something or once took part: who is erased is found in the conversations that they know."""
    concerned = (
        {rated}
        | {each.known.author for each in change.parts if each.changed}
        | (_ever_with(change.registers) - _ever_with(change.registers_before))
    )
    if change.begins:
        concerned |= {str(values["source_author"]) for _, values in change.registers.now if "source_author" in values}
    app_id = key.partition(":")[0]
    named = {each.removeprefix(_CONTACT) for each in concerned if each.startswith(_CONTACT) and each != GONE}
    contacts = {f"{app_id}:{each}" for each in named if fits_in_a_key(each)}
    participants = Participants(sent.number, sent.contacts)
    because = PatchCause(cause.event, cause.time or 0)
    for contact in sorted(contacts.difference(sent.contacts)):
        message = ParticipantsRecord(key, participants, (), because, sent.deleted)
        send_to(contact, f"={key}", RECORD.encode(message, out.encoding), cause, out)


def _ever_with(registers: Registers) -> set[str]:
    """Return the contacts that a conversation was ever with, as authors are named."""
    return {name for _, names in registers.on for name in names if name.startswith(_CONTACT)}


def _rater(observed: Observed) -> str:
    rating = observed.item.get("conversation_rating")
    return reference_of(rating.get("contact")) if isinstance(rating, dict) else ""


def _participants(
    key: str,
    change: ConversationChange,
    cause: Cause,
    forgotten: tuple[str, ...],
    *,
    table: Table[ConversationTableRow],
    out: Outbox,
) -> SentTo:
    """Return to whom activities go; where that changed, or the conversation was deleted, say so to all who had or get them."""
    app_id, _, entity = key.partition(":")
    because = PatchCause(cause.event, cause.time or 0)
    row = table.get(key, SENT)
    before = row if isinstance(row, SentTo) else None
    contacts = _subjects(app_id, entity, change.registers)
    deleted = is_deleted(change.registers)
    if before is not None and (before.contacts, before.deleted) == (contacts, deleted) and not forgotten:
        return before
    after = SentTo(before.number + 1 if before else 1, contacts, deleted)
    table.put(key, SENT, after)
    if before is not None:
        participants = Participants(after.number, contacts)
        message = ParticipantsRecord(key, participants, before.contacts, because, deleted, forgotten=forgotten)
        for contact in sorted({*before.contacts, *contacts}):
            send_to(contact, f"={key}", RECORD.encode(message, out.encoding), cause, out)
    return after


def _subjects(app_id: str, entity: str, registers: Registers) -> tuple[str, ...]:
    """Return who has a conversation's activities: its contacts, or what stands for them, and its company."""
    contacts = [f"{app_id}:{each}" for each in contacts_of(registers) if fits_in_a_key(each)]
    if not contacts and not erased_contacts(registers):  # words of a conversation with those who are erased wait for nobody
        contacts = [f"{app_id}:{WAITING}{entity}"]
    company = company_of(registers)
    companies = [company_subject(f"{app_id}:{company}")] if company and fits_in_a_key(company) else []
    return tuple(sorted([*contacts, *companies]))


def send_to(contact: str, item: str, value: bytes, cause: Cause, out: Outbox) -> None:
    """Send a record to the activities agent."""
    context = EventContext(
        id=derived(contact, item, cause.event, SOURCE),
        source=SOURCE,
        type="activity.observed.v1",
        origin=Origin.DERIVED,
        causation_id=cause.event,
        trace_parent=cause.trace,
    )
    out.send(RECORDS_TOPIC, f"{contact}|{item}", value, context.headers())
