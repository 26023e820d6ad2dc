"""Our own engine, as a worker runs it: a step over batches, its table in memory, one transaction a partition batch."""

import asyncio
import signal
from typing import Any

import msgspec
import uvloop

from bench.engine.job import TABLE, Job
from bench.engine.work import decode, encode, output
from connectors.kafka.settings import KafkaSettings
from streams.engine.agent import Agent, Batch, Outbox, Table
from streams.engine.naming import Naming
from streams.engine.runner import running
from streams.engine.tables.store import OpenStore, open_memory_store


class CountedRow(msgspec.Struct):
    """A row. `last` is not needed for a count, so a decoded row keeps it as bytes."""

    n: int
    last: Any


class _StoredRow(msgspec.Struct):
    n: int
    last: msgspec.Raw


class _Rows:
    """The codec of rows: JSON, as in the other rivals' changelogs."""

    def __init__(self) -> None:
        self.encode = encode
        self.decode = msgspec.json.Decoder(_StoredRow).decode


def run(job: Job, store_of: OpenStore = open_memory_store) -> None:
    """Work until ended."""
    uvloop.run(_work(job, store_of))


async def _work(job: Job, store_of: OpenStore) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    agent = Agent(name=TABLE, sources=(job.source,), step=_step_to(job.output), codec=_Rows())
    kafka = KafkaSettings(bootstrap=job.bootstrap, partitions=job.partitions)
    async with running((agent,), kafka=kafka, names=Naming(application=job.group), store_of=store_of) as work:
        failed = asyncio.ensure_future(work.failed())
        await asyncio.wait({failed, asyncio.ensure_future(ended.wait())}, return_when=asyncio.FIRST_COMPLETED)
        if failed.done():
            raise failed.result()


def _step_to(topic: str) -> Any:
    def step(batch: Batch, table: Table[Any], out: Outbox) -> None:
        for record in batch.records:
            event = decode(record.value or b"")
            key = (record.key or b"").decode()
            before = table.get(key)
            n = before.n + 1 if before else 1
            table.put(key, "", CountedRow(n, event))
            out.send(topic, record.key, output(n, event), partition=batch.partition)

    return step
