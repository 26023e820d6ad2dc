"""A worker process that counts; the fault campaigns kill, freeze and fence it.

`python -m tests.faults.counting_worker BOOTSTRAP PREFIX [TRANSACTION_MS [FOLDER]]`; with a folder its table is on disk in it.
"""

import asyncio
import logging
import signal
import sys
from pathlib import Path

import msgspec
import uvloop

from connectors.kafka.settings import KafkaSettings
from streams.engine.limits import Limits
from streams.engine.runner import running
from streams.engine.tables.rocksdb import RocksStores
from streams.engine.tables.store import OpenStore, open_memory_store
from tests.support.counting_agent import SECOND, SOURCE, counting

LIMITS = Limits(
    batch_records=50,  # many small transactions: more moments to be killed in
    session_timeout_ms=6_000,
    transaction_timeout_ms=6_000,
    heartbeat_ms=1_000,
    settle_seconds=0.2,
)
AGENT = counting(sources=(SOURCE, SECOND))
REJOIN = signal.SIGWINCH  # a process without a handler ignores this signal
"""On this signal a worker leaves the group in order and joins it again at once."""


def stores(folder: str) -> OpenStore:
    """Return the store of the table."""
    return RocksStores(Path(folder), frozenset({AGENT.name})) if folder else open_memory_store


async def main(bootstrap: str, prefix: str, transaction_ms: str = "6000", folder: str = "") -> None:
    """Count until SIGTERM; exit with an error when the engine gives up."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    stop, rejoin = asyncio.Event(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    asyncio.get_running_loop().add_signal_handler(REJOIN, rejoin.set)
    settings = KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix)
    limits = msgspec.structs.replace(LIMITS, transaction_timeout_ms=int(transaction_ms))
    while not stop.is_set():
        rejoin.clear()
        await count(settings, limits, stores(folder), stop, rejoin)


async def count(settings: KafkaSettings, limits: Limits, store_of: OpenStore, stop: asyncio.Event, rejoin: asyncio.Event) -> None:
    """Be a member of the group until one of the events is set."""
    ready = lambda _: print("ready", flush=True)  # noqa: E731, T201
    async with running((AGENT,), kafka=settings, limits=limits, store_of=store_of, on_ready=ready) as work:
        failed = asyncio.create_task(work.failed())
        others = [asyncio.create_task(event.wait()) for event in (stop, rejoin)]
        await asyncio.wait({failed, *others}, return_when=asyncio.FIRST_COMPLETED)
        for task in others:
            task.cancel()
        if failed.done():
            raise failed.result()
        failed.cancel()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
