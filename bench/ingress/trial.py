"""One trial of one server: at full speed on 256 connections, at two steady rates, and a check that Kafka has each post."""

import tempfile
import time
from pathlib import Path

import msgspec

from bench.child import run_job
from bench.cluster import Cluster, OffsetWatch
from bench.ingress.load import Load, Responses
from bench.ingress.servers import Server, serving
from bench.product import inbound_topics

CONNECTIONS = 256
_PARTITIONS = 4
_DRAIN_S = 120  # every accepted post must be in Kafka within this time
_EXTRA_S = 60  # on top of a load's own time, before a generator counts as hung


class Plan(msgspec.Struct, frozen=True):
    """How long each part of a trial takes, in seconds, and the steady rates."""

    warm_s: float = 1.0
    closed_s: float = 4.0
    open_s: float = 6.0
    rates: tuple[int, ...] = (500, 2_500)


class Trial(msgspec.Struct, frozen=True):
    """Result of a trial. `sustained` is records per second until Kafka has all; `rates` are the responses at each steady rate."""

    closed: Responses
    sustained: float
    cpu_us: float
    memory_mib: float
    rates: dict[int, Responses]
    accepted: int
    stored: int
    wrong: int


def trial(cluster: Cluster, server: Server, name: str, plan: Plan) -> Trial:
    """Measure a server on its own topics."""
    prefix = cluster.prefixed(f"{name.replace('_', '-')}.")
    topics = inbound_topics(prefix)
    cluster.create({topic: {} for topic in topics}, _PARTITIONS)
    watch = cluster.watch(topics)
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder, \
            serving(server, cluster.bootstrap, prefix, Path(folder)) as (child, port):  # fmt: skip
        before = child.cpu_s()
        closed = _load(Load(port, CONNECTIONS, plan.closed_s, plan.warm_s))
        sustained = _wait_until_stored(watch, closed.accepted, closed) if server.stores_posts else closed.per_second
        cpu = child.cpu_s() - before
        rates = {rate: _load(Load(port, CONNECTIONS, plan.open_s, plan.warm_s, rate)) for rate in plan.rates}
        loads = [closed, *rates.values()]
        accepted = sum(each.accepted for each in loads)
        if server.stores_posts:
            _wait_until_stored(watch, accepted, closed)
        stored = watch.total()
        memory = child.peak_mib()
    watch.close()
    cluster.delete(topics)
    wrong = sum(each.refused + each.broken for each in loads)
    return Trial(closed, sustained, cpu / closed.accepted * 1e6, memory, rates, accepted, stored, wrong)


def _load(load: Load) -> Responses:
    return msgspec.json.decode(run_job("bench.ingress.load", load, load.warm_s + load.seconds + _EXTRA_S), type=Responses)


def _wait_until_stored(watch: OffsetWatch, accepted: int, closed: Responses) -> float:
    """Wait until Kafka has so many records; return their number per second since the first post of the closed loop."""
    deadline = time.time() + _DRAIN_S
    while watch.total() < accepted and time.time() < deadline:
        time.sleep(0.02)
    return accepted / (max(time.time(), closed.ended_at) - closed.began_at)
