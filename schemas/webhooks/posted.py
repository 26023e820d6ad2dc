"""What is posted to a webhook endpoint: an event of a finding in the envelope that Standard Webhooks recommends.

Source of the form: Standard Webhooks 1.0, "Payload structure": `type`, `timestamp`, `data`.
"""

from datetime import datetime
from typing import Final

import msgspec

from schemas.cloudevents import timestamp
from schemas.errors import InvalidRecord
from schemas.message import Message, header_texts

SOURCE: Final = "access.violations.json"
"""The topic whose events are posted."""

REDELIVERIES: Final = "webhook.redeliveries"
"""The topic of events that an endpoint did not accept, and that an operator sends to it again."""

REDELIVER_TO: Final = "ce_redeliverto"
"""Header of a redelivery: the endpoint, as `tenant|name`."""

EVENT_TYPES: Final = ("access.violation.opened", "access.violation.updated", "access.violation.closed")

_AGENT: Final = "webhook "
_VERSION: Final = ".v1"


class PostedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event: `id` is the idempotency key, the same each time it is posted; `finding` names the order it belongs to."""

    id: str
    type: str
    finding: str
    body: bytes = b""

    def __repr__(self) -> str:
        return f"PostedEvent({self.id!r}, {self.type!r})"


class _FindingInfo(msgspec.Struct):
    uid: str


class _EventMetadata(msgspec.Struct):
    uid: str


class _Occurrence(msgspec.Struct):
    finding_info: _FindingInfo
    metadata: _EventMetadata
    time: int


class _Envelope(msgspec.Struct):
    type: str
    timestamp: str
    data: msgspec.Raw


_decode: Final = msgspec.json.Decoder(_Occurrence).decode
_encode: Final = msgspec.json.Encoder().encode


def event_type(record: Message) -> str:
    """Return the type of an event without its version."""
    (name,) = header_texts(record.headers, "ce_type")
    return (name or "").removesuffix(_VERSION)


def posted_event(record: Message) -> PostedEvent:
    """Return what is posted of a record. Its value is embedded byte for byte. Raises InvalidRecord for other bytes."""
    try:
        found = _decode(record.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, msgspec.ValidationError) else "it is not JSON"
        raise InvalidRecord(f"a record of {SOURCE} is no event of a finding: {reason}") from None
    (time,) = header_texts(record.headers, "ce_time")
    name = event_type(record)
    body = _encode(_Envelope(type=name, timestamp=time or timestamp(found.time), data=msgspec.Raw(record.value or b"")))
    return PostedEvent(id=found.metadata.uid, type=name, finding=found.finding_info.uid, body=body)


def dead_letter_agent(endpoint: str) -> str:
    """Return who rejected an event, as its dead letter has it: an endpoint `tenant|name`."""
    return f"{_AGENT}{endpoint}"


def endpoint_of(agent: str) -> str | None:
    """Return the endpoint of a dead letter, None where an agent wrote it."""
    return agent.removeprefix(_AGENT) if agent.startswith(_AGENT) else None


def since_ms(text: str) -> int:
    """Return an RFC 3339 time as milliseconds. Raises ValueError, also for one without a zone."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("without a zone")
    return int(at.timestamp() * 1000)
