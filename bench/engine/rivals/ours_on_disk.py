"""Our own engine with its table on disk: the same work as `ours`, and what a table larger than memory costs."""

from pathlib import Path

from bench.engine.job import TABLE, Job
from bench.engine.rivals import ours
from streams.engine.tables.rocksdb import RocksStores


def run(job: Job) -> None:
    """Work until ended."""
    ours.run(job, RocksStores(Path(job.directory), frozenset({TABLE})))
