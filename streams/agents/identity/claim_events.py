"""Claims on their way to the identity agent: what a record says about who it is, because of the event that changed it."""

from typing import Final

from schemas.cloudevents import EventContext, Origin
from schemas.ids import derived
from schemas.profiles.identity import CLAIM, ClaimMessage, Scope
from schemas.profiles.registers import PatchCause
from streams.engine.agent import Outbox

CLAIMS_TOPIC: Final = "identity.claims"

OF_CONTACTS: Final = "/intercom-streams/contacts"
"""The source of the claims of contacts."""

ERASED_TYPE: Final = "record.erased.v1"
"""The type of a claim's tombstone whose record is erased: nothing of it stays, its assignment neither."""


def send_claim(scope: Scope, record: str, message: ClaimMessage, *, source: str, trace: str | None, out: Outbox) -> None:
    """Send the claim of a record."""
    key, cause = scope.key(record), message.cause
    context = EventContext(
        id=derived(key, "claim", cause.event),
        source=source,
        type="record.claimed.v1",
        origin=Origin.DERIVED,
        causation_id=cause.event,
        trace_parent=trace,
    )
    out.send(CLAIMS_TOPIC, key, CLAIM.encode(message, out.encoding), context.headers())


def withdraw_claim(scope: Scope, record: str, cause: PatchCause, *, source: str, trace: str | None, out: Outbox) -> None:
    """Withdraw the claim of a record that is erased."""
    key = scope.key(record)
    context = EventContext(
        id=derived(key, "erased", cause.event),
        source=source,
        type=ERASED_TYPE,
        origin=Origin.DERIVED,
        time=cause.time or None,
        subject=record,
        partition_key=scope.tenant,
        causation_id=cause.event,
        trace_parent=trace,
    )
    out.send(CLAIMS_TOPIC, key, None, context.headers())
