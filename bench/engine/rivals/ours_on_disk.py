"""Our own engine with its table on disk: the same work as `ours`, to show the cost of a table larger than memory."""

from pathlib import Path

from bench.engine.job import TABLE, Job
from bench.engine.rivals import ours
from streams.engine.tables.rocksdb import RocksStores


def run(job: Job) -> None:
    """Work until ended."""
    ours.run(job, RocksStores(Path(job.directory), frozenset({TABLE})))
