"""A record on its way to Kafka, and the port that publishes it: the same value whether it goes at once or over the spool."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

import msgspec

from schemas.errors import Unavailable

Headers = list[tuple[str, bytes]]


class OutboundRecord(msgspec.Struct, frozen=True, array_like=True):
    """One record. `topic` is the name on the broker, prefix included; `timestamp` is milliseconds since 1970."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers
    timestamp: int

    def __repr__(self) -> str:
        return f"OutboundRecord({self.topic!r}, {len(self.value)} bytes)"

    @property
    def size(self) -> int:
        """Approximate bytes of memory or disk for this record: key, value and an allowance for headers."""
        return len(self.key) + len(self.value) + 512


class FailureKind(StrEnum):
    """What has to change before a record that was not persisted can be."""

    RECORD = "record"  # the record itself, or a limit of the broker: it will be refused again
    TOPIC = "topic"  # its topic, which is missing; other topics exist
    KAFKA = "kafka"  # Kafka, which is away


class PublishError(NamedTuple):
    """A record that was not persisted, and why."""

    record: OutboundRecord
    kind: FailureKind
    reason: str


class Publisher(Protocol):
    """Persists records for good."""

    async def publish(self, records: Sequence[OutboundRecord]) -> list[PublishError]:
        """Persist all records and return an error for each that was not; raise `Unavailable` if none could be sent."""


class MemoryPublisher:
    """A publisher that appends records to a list: for tests, and for trying the ingress without Kafka.

    `outage` is the error text of a simulated outage, empty without one; `missing_topics` are topics it does not have;
    `rejected_keys` are keys it never accepts; `gate`, if set, is an event that every round waits for.
    """

    def __init__(self) -> None:
        self.records: list[OutboundRecord] = []
        self.rounds = 0
        self.outage = ""
        self.missing_topics: set[str] = set()
        self.rejected_keys: set[bytes] = set()
        self.gate: asyncio.Event | None = None

    async def publish(self, records: Sequence[OutboundRecord]) -> list[PublishError]:
        if self.gate is not None:
            await self.gate.wait()
        if self.outage:
            raise Unavailable(self.outage)
        self.rounds += 1
        errors = [error for record in records if (error := self._error_of(record)) is not None]
        failed = {id(error.record) for error in errors}
        self.records += [record for record in records if id(record) not in failed]
        return errors

    def _error_of(self, record: OutboundRecord) -> PublishError | None:
        if record.topic in self.missing_topics:
            return PublishError(record, FailureKind.TOPIC, f"topic {record.topic} is missing")
        return PublishError(record, FailureKind.RECORD, "too large") if record.key in self.rejected_keys else None
