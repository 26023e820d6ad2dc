"""The conversations agent learns which contacts of a conversation are erased: only the contact's own agent knows both."""

from collections.abc import Iterable

from schemas.cloudevents import EventContext, Origin
from schemas.ids import derived
from schemas.intercom.conversations import ERASURE, ERASURES_TOPIC, ConversationErasure
from schemas.profiles.registers import PatchCause
from streams.engine.agent import Outbox


def send_erasures(contact: str, conversations: Iterable[str], cause: PatchCause, *, trace: str | None, out: Outbox) -> None:
    """Have conversations forget a contact, those without a name left out. To send one again changes nothing."""
    for conversation in sorted({each for each in conversations if each}):
        key = f"{conversation}|{contact.partition(':')[2]}"
        context = EventContext(
            id=derived(key, "erased", cause.event),
            source="/intercom-streams/activities",
            type="conversation.contact.erased.v1",
            origin=Origin.DERIVED,
            causation_id=cause.event,
            trace_parent=trace,
        )
        out.send(ERASURES_TOPIC, key, ERASURE.encode(ConversationErasure(cause), out.encoding), context.headers())
