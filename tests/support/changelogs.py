"""Changelogs written by hand, as a worker leaves them, and a restoration that goes on only when told to."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from connectors.kafka.settings import KafkaSettings
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionStatus
from streams.engine.recovery import changelog_reader as recovery
from streams.engine.runner import Running
from streams.engine.tables import commit_state as positions
from streams.engine.tables.commit_state import CommitState
from tests.support.counting_agent import SOURCE, producing

QUICK = Limits(settle_seconds=0.1, reload_seconds=0.05, session_timeout_ms=6_000, heartbeat_ms=500, fetch_bytes=64 << 10)


class Raw:
    """A table of bytes."""

    @staticmethod
    def encode(value: bytes) -> bytes:
        return value

    @staticmethod
    def decode(data: bytes) -> bytes:
        return data


def put(batch: Batch, table: Table[bytes], out: Outbox) -> None:
    """Keep the last value of each key."""
    for record in batch.records:
        table.put((record.key or b"").decode(), "", record.value or b"")


AGENT = Agent(name="keep", sources=(SOURCE,), step=put, codec=Raw)


async def fill(settings: KafkaSettings, rows: Mapping[int, int], size: int = 100) -> None:
    """Write so many rows into each partition's changelog, and where it then stands."""
    topic = settings.topic(Naming().changelog(AGENT.name))
    async with producing(settings, max_batch_size=1 << 20, max_request_size=8 << 20) as producer:
        for partition, count in rows.items():
            sent = [
                await producer.send(topic, key=f"r{number}".encode(), value=b"v" * size, partition=partition)
                for number in range(count)
            ]
            stood = positions.encode(CommitState({SOURCE: 0}))
            sent.append(await producer.send(topic, key=positions.KEY, value=stood, partition=partition))
            await asyncio.gather(*sent)


class Gate:
    """Hold restorations back: each look for more records needs leave. Counts what was taken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, at_once: int) -> None:
        self._leave = asyncio.Semaphore(0)
        self._wide_open = False
        self.waiting = 0
        self.passed = 0
        self.taken = 0
        monkeypatch.setattr(recovery, "_RECORDS_AT_ONCE", at_once)
        take_next, take = recovery.ChangelogReader._take_next, recovery.ChangelogReader._take

        async def held(*given: Any, **named: Any) -> float:
            if not self._wide_open:
                self.waiting += 1
                await self._leave.acquire()
                self.waiting -= 1
                self.passed += 1
            return await take_next(*given, **named)

        def counted(reader: Any, place: Any, one: Any, records: Any) -> Awaitable[None]:
            self.taken += len(records)
            return take(reader, place, one, records)

        monkeypatch.setattr(recovery.ChangelogReader, "_take_next", held)
        monkeypatch.setattr(recovery.ChangelogReader, "_take", counted)

    async def once(self) -> None:
        """Let one restoration look once."""
        await until(lambda: self.waiting > 0, "a restoration that waits")
        passed = self.passed
        self._leave.release()
        await until(lambda: self.passed > passed, "its going on")

    def open(self) -> None:
        """Hold nothing back any more."""
        self._wide_open = True
        for _ in range(self.waiting):
            self._leave.release()


async def until(condition: Callable[[], bool], what: str, seconds: float = 90) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"waited {seconds} s for: {what}"
        await asyncio.sleep(0.02)


def live(work: Running) -> set[int]:
    return {lane.partition for lane in work.engine.all_processors() if lane.status is PartitionStatus.LIVE}


def rows(work: Running) -> dict[int, int]:
    return {lane.partition: len(lane.store) for lane in work.engine.all_processors()}
