"""Requests to read a conversation again, sent where parts of it are missing or a second is in doubt.

Webhooks carry only the parts that made the event, and lists none, so most conversations lack some. A state of a conversation (its
`updated_at`) asks once for each reason; a reading that shows what there is asks for nothing.
"""

from typing import Final

from schemas.codec import Avro
from schemas.ids import derived
from schemas.intercom.conversations import CONVERSATION, TICKET
from schemas.profiles.registers import Registers, Value
from streams.agents.conversations.change import ConversationChange
from streams.agents.conversations.publication import SOURCE, Cause
from streams.agents.derived_event import derived_event
from streams.core.conversations.observation import TICKET_MARK, UPDATED, Observed
from streams.core.conversations.row import is_deleted
from streams.core.conversations.value import completeness
from streams.core.records.registers import active_edges, unsettled
from streams.engine.agent import Outbox

TOPIC: Final = "conversation.read.requests"
PARTS_MISSING: Final = "parts_missing"
UNSETTLED: Final = "unsettled"
_SCHEMA: Final = "conversation_read_request"
_SETTLED_MS: Final = 2_000  # a reading this long after a second reflects all of it


def request_read(
    avro: Avro, tenant: str, key: str, change: ConversationChange, *, observed: Observed, cause: Cause, out: Outbox
) -> None:
    """Ask for the conversation where the change leaves something open."""
    if observed.offered or is_deleted(change.registers):
        return
    updated = _updated(change.registers)
    if _updated(change.registers_before) != updated and not completeness(change.after, change.registers).complete:
        _request(avro, tenant, key, change.registers, reason=PARTS_MISSING, cause=cause, out=out)
    if unsettled(change.registers) - unsettled(change.registers_before):
        _request(avro, tenant, key, change.registers, reason=UNSETTLED, cause=cause, out=out)


def _updated(registers: Registers) -> Value:
    return next((values[UPDATED] for _, values in registers.now if UPDATED in values), None)


def _request(avro: Avro, tenant: str, key: str, registers: Registers, *, reason: str, cause: Cause, out: Outbox) -> None:
    app_id, _, entity = key.partition(":")
    is_ticket = any(name == TICKET_MARK for name, _ in active_edges(registers))
    value = {
        "tenant": tenant, "app_id": app_id, "conversation": entity, "kind": TICKET if is_ticket else CONVERSATION, "reason": reason,
        "not_before": (cause.time or 0) + _SETTLED_MS, "event": cause.event,
    }  # fmt: skip
    context = derived_event(
        avro,
        _SCHEMA,
        id=derived(key, "read", reason, cause.event),
        source=SOURCE,
        type="conversation.read.requested",
        time=cause.time,
        subject=key,
        partition_key=key,
        sequence=None,
        causation_id=cause.event,
        trace_parent=cause.trace,
    )
    out.send(TOPIC, key, avro.encode(_SCHEMA, value), context.headers())
