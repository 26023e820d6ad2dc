"""Whether events are posted to a webhook endpoint, as its topic has it. An endpoint without a record is active."""

from enum import StrEnum
from typing import Final

import msgspec

from schemas.cloudevents import AVRO, EventContext, Origin
from schemas.codec import Avro
from schemas.ids import derived
from schemas.plain_values import plain

TOPIC: Final = "webhook.endpoints"
SCHEMA: Final = "webhook_endpoint"


class EndpointStatus(StrEnum):
    """Whether events are posted to an endpoint."""

    ACTIVE = "active"
    PAUSED = "paused"


class EndpointState(msgspec.Struct, frozen=True, kw_only=True):
    """The state of an endpoint since a time (ms), who brought it about (null: the product), and why."""

    tenant: str
    name: str
    state: EndpointStatus
    since: int
    actor: str | None = None
    reason: str | None = None

    @property
    def key(self) -> str:
        """The key of its record."""
        return f"{self.tenant}|{self.name}"


def encode(avro: Avro, state: EndpointState) -> bytes:
    """Return the state as framed Avro."""
    return avro.encode(SCHEMA, plain(state))


def decode(avro: Avro, data: bytes | None) -> EndpointState:
    """Return the state. Raises InvalidRecord for any other value."""
    return avro.decode_as(EndpointState, SCHEMA, data, what="state of an endpoint")


def event_context(avro: Avro, state: EndpointState) -> EventContext:
    """Return the CloudEvents context of a state's record."""
    return EventContext(
        id=derived(TOPIC, state.key, state.state, state.since),
        source="/webhooks",
        type=f"webhook.endpoint.{state.state}.v1",
        origin=Origin.OPERATOR,
        time=state.since,
        subject=state.key,
        partition_key=state.tenant,
        data_schema=avro.data_schema(SCHEMA),
        content_type=AVRO,
    )
