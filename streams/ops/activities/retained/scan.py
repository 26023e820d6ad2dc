"""Read the stores of an installation, and sum up what details they have, by type: the oldest, how many have expired, and until when.

A log is read as a consumer reads it, so what compaction has not removed yet counts: that is what is in its segments on disk.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from connectors.kafka.ranges import open_ranges
from connectors.kafka.settings import KafkaSettings
from schemas.activities.retention import DayReached, RetentionInForce
from schemas.errors import StoreFailed
from schemas.message import RecordValue
from schemas.tenancy import Tenancy
from schemas.topics import DAY_MS
from streams.agents.activities.agent import ROWS as CONTACT_ROWS
from streams.agents.activities.retention import DAY_ROW, policy_row
from streams.core.activities.limits import RetentionLimits
from streams.engine.tables.rocksdb_files import rows_on_disk
from streams.ops.activities.retained.held import HeldDetail, of_row

MARGIN_MS: Final = 10 * 60_000  # for the brokers' own rounds: retention every 5 minutes, the cleaner's thread

Limits = Mapping[str, RetentionLimits]
"""By tenant."""


class TypeHeld(msgspec.Struct, kw_only=True):
    """What a store has of a type: `expired` details are older than their limit, `overdue` those that should be gone by now.

    `oldest` and `gone_by` are ms; `gone_by` is when the last one that has expired is gone, by the broker's settings of the topic.
    """

    type: str
    details: int = 0
    oldest: int | None = None
    expired: int = 0
    overdue: int = 0
    gone_by: int | None = None

    def add(self, detail: HeldDetail, *, expired: bool, gone_by: int | None, now: int) -> None:
        """Count a detail; one that has expired is gone by then, None where nothing takes it away any more."""
        self.details += 1
        self.oldest = detail.time if self.oldest is None else min(self.oldest, detail.time)
        if expired:
            self.expired += 1
            self.overdue += gone_by is None or gone_by < now
            self.gone_by = max(self.gone_by or 0, gone_by or 0) or None


class StoreHeld(msgspec.Struct, kw_only=True):
    """What a store has, by type. `problem` says why it could not be read."""

    store: str
    kept: str = ""
    problem: str | None = None
    types: dict[str, TypeHeld] = {}

    def add(self, detail: HeldDetail, limits: Limits, gone_by: int | None, now: int) -> None:
        known = limits.get(detail.tenant)
        held = self.types.setdefault(detail.type, TypeHeld(type=detail.type))
        held.add(detail, expired=known is not None and known.is_expired(detail.type, detail.time), gone_by=gone_by, now=now)


class Scan:
    """Reads stores as of an instant, given the limits of each tenant and the brokers' settings of topics by name."""

    def __init__(self, kafka: KafkaSettings, settings: Mapping[str, Mapping[str, str]], limits: Limits, now: int) -> None:
        self._kafka = kafka
        self._settings = settings
        self._limits = limits
        self._now = now

    async def topic(self, name: str, of: Callable[[Any], list[HeldDetail]], *, kept: str = "") -> StoreHeld:
        """Return what a topic has, given its broker's name without prefix."""
        store = StoreHeld(store=f"topic {name}", kept=kept)
        settings = self._settings.get(name)
        if settings is None:
            return store
        compacts = "compact" in settings["cleanup.policy"]
        wait = int(settings["max.compaction.lag.ms"] if compacts else settings["retention.ms"])
        segment = 0 if compacts else min(int(settings["segment.ms"]), DAY_MS)
        last: dict[bytes, list[HeldDetail]] = {}
        async for record in _records(self._kafka, name):
            details = of(record)
            if compacts:
                gone_by = record.timestamp + wait + MARGIN_MS
                for detail in last.pop(record.key, ()):
                    store.add(detail, self._limits, gone_by, self._now)
                last[record.key] = details
                continue
            for detail in details:
                gone_by = None if wait < 0 else record.timestamp + wait + segment + MARGIN_MS
                store.add(detail, self._limits, gone_by, self._now)
        for details in last.values():
            for detail in details:
                store.add(detail, self._limits, None, self._now)
        return store

    def table(self, agent: str, folder: Path, tenancy: Tenancy) -> Iterator[StoreHeld]:
        """Yield what the files of an agent's table on this machine have, by partition."""
        for partition in sorted(folder.glob("*")):
            store = StoreHeld(store=f"table {agent} on disk, partition {partition.name}")
            try:
                for key, value in rows_on_disk(partition):
                    for detail in of_row(agent, RecordValue(key, value), tenancy):
                        store.add(detail, self._limits, None, self._now)
            except StoreFailed as error:
                store.problem = str(error)
            yield store


async def days_reached(kafka: KafkaSettings, changelog: str) -> dict[int, int]:
    """Return the day that each partition of the activities agent has reached, where it has had a wake."""
    found: dict[int, int] = {}
    async for record in _records(kafka, changelog):
        if record.key == DAY_ROW and record.value:
            row = CONTACT_ROWS.decode(record.value)
            if isinstance(row, DayReached):
                found[record.partition] = row.day
    return found


async def versions_applied(kafka: KafkaSettings, changelog: str, tenant: str) -> dict[int, int]:
    """Return the version of a tenant's policy that each partition of the activities agent has, 0 for none."""
    async with open_ranges(kafka, kafka.topic(changelog)) as reader:
        found = dict.fromkeys(await reader.bounds(), 0)
        async for record in reader.records():
            if record.key == policy_row(tenant) and record.value:
                row = CONTACT_ROWS.decode(record.value)
                if isinstance(row, RetentionInForce):
                    found[record.partition] = row.message.version
    return found


async def _records(kafka: KafkaSettings, name: str) -> AsyncIterator[Any]:
    async with open_ranges(kafka, kafka.topic(name)) as reader:
        async for record in reader.records():
            yield record
