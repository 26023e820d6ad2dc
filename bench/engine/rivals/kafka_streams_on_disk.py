"""Kafka Streams with its store in RocksDB, its default: the same program as `kafka_streams`."""

from bench.engine.job import Job
from bench.engine.rivals import kafka_streams


def run(job: Job) -> None:
    """Work until ended."""
    kafka_streams.run(job, "rocksdb")
