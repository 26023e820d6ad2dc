"""A worker process that counts: what the fault campaigns kill, freeze and fence.

`python -m tests.faults.counting_worker BOOTSTRAP PREFIX [FOLDER]`; with a folder its table is on disk there.
"""

import asyncio
import signal
import sys
from pathlib import Path

from connectors.kafka import KafkaSettings
from streams.engine.limits import Limits
from streams.engine.rocks import OnDisk
from streams.engine.running import running
from streams.engine.store import StoreOf, in_memory
from tests.engine.counting import SECOND, SOURCE, counting

LIMITS = Limits(
    batch_records=50,  # many small transactions: more moments to be killed in
    session_timeout_ms=6_000,
    transaction_timeout_ms=6_000,
    heartbeat_ms=1_000,
    settle_seconds=0.2,
)
AGENT = counting(sources=(SOURCE, SECOND))


def stores(folder: str) -> StoreOf:
    """Return where the table is kept."""
    return OnDisk(Path(folder), frozenset({AGENT.name})) if folder else in_memory


async def main(bootstrap: str, prefix: str, folder: str = "") -> None:
    """Count until SIGTERM; exit with an error when the engine gives up."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    settings = KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix)
    ready = lambda _: print("ready", flush=True)  # noqa: E731, T201
    async with running((AGENT,), kafka=settings, limits=LIMITS, store_of=stores(folder), on_ready=ready) as work:
        failed = asyncio.create_task(work.failed())
        stop = asyncio.create_task(told.wait())
        await asyncio.wait({failed, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if failed.done():
            raise failed.result()
        failed.cancel()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
