"""Changelogs written by hand, as a worker leaves them, and a gate that holds restorations back."""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

import msgspec
import pytest

from connectors.kafka.settings import KafkaSettings
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.naming import Naming
from streams.engine.recovery import changelog_reader
from streams.engine.recovery.changelog_reader import ChangelogReader
from streams.engine.runner import Running
from streams.engine.tables import commit_state as commit_states
from streams.engine.tables.commit_state import CommitState
from tests.support import engines
from tests.support.counting_agent import SOURCE, producing
from tests.support.engines import until

QUICK = msgspec.structs.replace(engines.QUICK, fetch_bytes=64 << 10)


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
    """Write this many rows into each partition's changelog, and its commit state."""
    topic = settings.topic(Naming().changelog(AGENT.name))
    # A consumer drains one fetched batch before it returns records of another partition, so no batch may hold a whole table.
    async with producing(settings, max_batch_size=128 << 10, max_request_size=8 << 20) as producer:
        for partition, count in rows.items():
            sent = [
                await producer.send(topic, key=f"r{number}".encode(), value=b"v" * size, partition=partition)
                for number in range(count)
            ]
            commit_state = commit_states.encode(CommitState({SOURCE: 0}))
            sent.append(await producer.send(topic, key=commit_states.KEY, value=commit_state, partition=partition))
            await asyncio.gather(*sent)


class Gate:
    """Hold restorations back: each poll needs a permit. Counts the records applied."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, poll_records: int) -> None:
        self._permits = asyncio.Semaphore(0)
        self._wide_open = False
        self.waiting = 0
        self.passed = 0
        self.applied = 0
        monkeypatch.setattr(changelog_reader, "_MAX_POLL_RECORDS", poll_records)
        poll, apply = ChangelogReader._poll, ChangelogReader._apply

        async def gated_poll(*args: Any, **kwargs: Any) -> float:
            if not self._wide_open:
                self.waiting += 1
                await self._permits.acquire()
                self.waiting -= 1
                self.passed += 1
            return await poll(*args, **kwargs)

        def counted_apply(reader: Any, tp: Any, restoration: Any, records: Any) -> Awaitable[None]:
            self.applied += len(records)
            return apply(reader, tp, restoration, records)

        monkeypatch.setattr(ChangelogReader, "_poll", gated_poll)
        monkeypatch.setattr(ChangelogReader, "_apply", counted_apply)

    async def let_one_poll(self) -> None:
        """Let one restoration poll once."""
        await until(lambda: self.waiting > 0, "a restoration that waits")
        passed = self.passed
        self._permits.release()
        await until(lambda: self.passed > passed, "the poll")

    def open(self) -> None:
        """Stop holding restorations back."""
        self._wide_open = True
        for _ in range(self.waiting):
            self._permits.release()


def rows(work: Running) -> dict[int, int]:
    return {processor.partition: len(processor.store) for processor in work.engine.all_processors()}
