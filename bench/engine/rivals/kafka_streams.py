"""Kafka Streams with its store in memory, exactly once. The process becomes the Java one, so what is measured is Java's."""

import os

from bench.engine.job import Job
from bench.engine.kafka_streams.program import command


def run(job: Job, store: str = "memory") -> None:
    """Work until ended."""
    program = command(job, store)
    os.execv(program[0], program)
