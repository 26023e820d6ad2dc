"""The table of benchmarks. Each is loaded only when it runs, so that a rival's missing package affects no other benchmark."""

import importlib
from collections.abc import Callable
from types import MappingProxyType
from typing import cast

import msgspec

from bench.cluster import Cluster
from bench.options import Options
from bench.report import Report

Run = Callable[[Options, Cluster], Report]


class Benchmark(msgspec.Struct, frozen=True):
    """Where a benchmark's `run(options, cluster)` is, and what it measures."""

    run: str
    about: str

    def load(self) -> Run:
        """Import the benchmark."""
        module, _, name = self.run.partition(":")
        return cast(Run, getattr(importlib.import_module(module), name))


BENCHMARKS = MappingProxyType({
    "ingress": Benchmark("bench.ingress.benchmark:run", "requests per second at 256 connections, and delays at a steady rate"),
    "engine": Benchmark("bench.engine.benchmark:run", "events per second with a table, a changelog and an output for each"),
    "profiles": Benchmark("bench.profiles.benchmark:run", "contact webhooks to people: against 969821a, no work, and work by hand"),
    "access": Benchmark("bench.access.benchmark:run", "facts per second of a directory of 50,000 staff, against 969821a"),
    "activities": Benchmark("bench.activities.benchmark:run", "an activity of a person who has 100,000, a part of a conversation of 5,000, details that expire"),
    "evidence": Benchmark("bench.evidence.benchmark:run", "facts a CPU second of what reads a year of a million again, and its memory"),
    "identity": Benchmark("bench.identity.benchmark:run", "claims per second and memory of a tenant of a million records"),
    "latency": Benchmark("bench.latency.benchmark:run", "from a post to the person or the violation it causes"),
    "replay": Benchmark("bench.replay.benchmark:run", "a million events read again, from the start of a worker until it has caught up"),
    "replay_copy": Benchmark("bench.replay_copy.benchmark:run", "records per second that `replay --to` copies, against a bare consumer and producer"),
    "sync": Benchmark("bench.sync.benchmark:run", "contacts per second from Intercom's REST API to Kafka, against a bare loop, and memory"),
    "scale": Benchmark("bench.scale.benchmark:run", "one, two and four workers, compared with the formula of docs/sizing.md"),
    "partitions": Benchmark("bench.partitions.benchmark:run", "connections, memory, delays and throughput with 4, 16 and 64 partitions"),
})  # fmt: skip
