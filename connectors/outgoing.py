"""A record on its way to Kafka, and the port it leaves by: the same value whether it goes at once, or over the spool."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

Headers = list[tuple[str, bytes]]


class Outgoing(msgspec.Struct, frozen=True, array_like=True):
    """One record. `topic` is the name on the broker, prefix included; `timestamp` is milliseconds since 1970."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers
    timestamp: int

    def __repr__(self) -> str:
        return f"Outgoing({self.topic!r}, {len(self.value)} bytes)"

    @property
    def size(self) -> int:
        """Bytes that holding this record costs, roughly: what it carries and a frame of headers."""
        return len(self.key) + len(self.value) + 512


class Cause(StrEnum):
    """What has to change before a record that was not kept can be."""

    RECORD = "record"  # the record itself, or a limit of the broker's: it will be refused again
    TOPIC = "topic"  # its topic is not there; others are
    KAFKA = "kafka"  # Kafka has to come back


class Refusal(NamedTuple):
    """A record that was not kept."""

    record: Outgoing
    cause: Cause
    reason: str


class Outlet(Protocol):
    """Where records are kept for good."""

    async def publish(self, records: Sequence[Outgoing]) -> list[Refusal]:
        """Keep them all and return those that were not; raise `Unavailable` where none could be offered."""
