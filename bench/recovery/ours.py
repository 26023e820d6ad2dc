"""Our side: the engine with an agent that stores rows. It writes its changelog once, from numbers, and then restores it."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bench.engine.work import encode
from bench.recovery.clock import Clock
from bench.recovery.job import TABLE, Job, RestoreResult
from bench.recovery.rows import key_of, value_of
from connectors.kafka.settings import KafkaSettings
from schemas.partition import partition_of
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.naming import Naming
from streams.engine.runner import Running, running
from streams.engine.tables.rocksdb import RocksStores
from streams.engine.tables.store import OpenStore, Store, open_memory_store

_POLL_S = 0.05


class _Bytes:
    """A codec for rows that are bytes."""

    def encode(self, value: bytes) -> bytes:
        return value

    def decode(self, data: bytes) -> bytes:
        return data


def _step(batch: Batch, table: Table[bytes], out: Outbox) -> None:
    for record in batch.records:
        table.put((record.key or b"").decode(), "", encode(value_of(int(record.value or b""))))


def _running_engine(
    job: Job, store_of: OpenStore, ready: Callable[[], None] = lambda: None
) -> AbstractAsyncContextManager[Running]:
    agent = Agent(name=TABLE, sources=(job.source,), step=_step, codec=_Bytes())
    kafka = KafkaSettings(bootstrap=job.bootstrap, partitions=job.partitions)
    return running((agent,), kafka=kafka, names=Naming(application=job.group), store_of=store_of, on_ready=lambda _: ready())


def _stores(work: Running) -> dict[int, Store]:
    return {processor.partition: processor.store for processor in work.engine.all_processors()}


async def fill(job: Job) -> int:
    """Write a row to the changelog for each number in the source; return the number of rows."""
    async with _running_engine(job, open_memory_store) as work:
        async with asyncio.timeout(job.limit_s):
            while sum(len(store) for store in _stores(work).values()) < job.rows:  # noqa: ASYNC110  there is no event
                await asyncio.sleep(_POLL_S)
        return job.rows


async def restore(job: Job, *, on_disk: bool = False) -> RestoreResult:
    """Restore the table and compare every row."""
    store_of = RocksStores(Path(job.directory), frozenset({TABLE})) if on_disk else open_memory_store
    clock = Clock()
    async with _running_engine(job, store_of, clock.ready) as work:
        seconds, grown_mib = await clock.wait(job.limit_s)
        stores = _stores(work)
        rows = [(number, value) for number in range(job.rows) if (value := _row(stores, number, job.partitions)) is not None]
        wrong = sum(value != encode(value_of(number)) for number, value in rows)
    return RestoreResult(len(rows), wrong, seconds, grown_mib)


def _row(stores: dict[int, Store], number: int, partitions: int) -> bytes | None:
    key = key_of(number)
    return stores[partition_of(key.encode(), partitions)].get(key)
