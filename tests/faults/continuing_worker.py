"""A worker process with work larger than a transaction; a test kills it in the middle of the work.

`python -m tests.faults.continuing_worker BOOTSTRAP PREFIX [FOLDER]`; with a folder its table is on disk in it.
"""

import sys
from pathlib import Path

import uvloop

from connectors.kafka.settings import KafkaSettings
from streams.engine.limits import Limits
from streams.engine.runner import running
from streams.engine.tables.rocksdb import RocksStores
from streams.engine.tables.store import open_memory_store
from tests.support.continuing_agent import AGENT

BATCH = 50
# A part is short, so that few of them pass while a started worker still fetches the backlog.
LIMITS = Limits(batch_records=BATCH, part_seconds=0.02, session_timeout_ms=2_000, heartbeat_ms=300)


async def main(bootstrap: str, prefix: str, folder: str = "") -> None:
    """Work until killed; exit with an error when the engine gives up."""
    settings = KafkaSettings(bootstrap=bootstrap, topic_prefix=prefix)
    stores = RocksStores(Path(folder), frozenset({AGENT.name})) if folder else open_memory_store
    async with running((AGENT,), kafka=settings, limits=LIMITS, store_of=stores) as work:
        raise await work.failed()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
