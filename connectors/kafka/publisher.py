"""A record on its way to Kafka, and the port it leaves by: the same value whether it goes at once, or over the spool."""

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
        """Bytes that holding this record costs, roughly: what it carries and a frame of headers."""
        return len(self.key) + len(self.value) + 512


class FailureKind(StrEnum):
    """What has to change before a record that was not kept can be."""

    RECORD = "record"  # the record itself, or a limit of the broker's: it will be refused again
    TOPIC = "topic"  # its topic is not there; others are
    KAFKA = "kafka"  # Kafka has to come back


class PublishError(NamedTuple):
    """A record that was not kept."""

    record: OutboundRecord
    kind: FailureKind
    reason: str


class Publisher(Protocol):
    """Where records are kept for good."""

    async def publish(self, records: Sequence[OutboundRecord]) -> list[PublishError]:
        """Keep them all and return those that were not; raise `Unavailable` where none could be offered."""


class MemoryPublisher:
    """An outlet that keeps records in a list: for tests, and for trying the ingress without Kafka.

    `down` is a sentence while it is away; `missing` are topics it does not have; `refused` are keys it will never take; `held` is an
    event that every round waits for, where there is one.
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
        errors = [refusal for record in records if (refusal := self._error_of(record)) is not None]
        failed = {id(refusal.record) for refusal in errors}
        self.records += [record for record in records if id(record) not in failed]
        return errors

    def _error_of(self, record: OutboundRecord) -> PublishError | None:
        if record.topic in self.missing_topics:
            return PublishError(record, FailureKind.TOPIC, f"topic {record.topic} is missing")
        return PublishError(record, FailureKind.RECORD, "too large") if record.key in self.rejected_keys else None
