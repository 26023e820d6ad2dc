"""One server, once: as fast as it goes at 256 connections, then at two steady rates, and then whether Kafka has all it accepted."""

import tempfile
import time
from pathlib import Path

import msgspec

from bench.child import ask
from bench.cluster import Cluster, Watch
from bench.ingress.load import Answers, Load
from bench.ingress.servers import Server, serving
from bench.product import inbound

CONNECTIONS = 256
_PARTITIONS = 4
_DRAIN_S = 120  # what was accepted is in Kafka within this, or the run is no good
_EXTRA_S = 60  # on top of a load's own time, before a generator counts as hung


class Plan(msgspec.Struct, frozen=True):
    """How long each part of a trial takes, in seconds, and the steady rates."""

    warm_s: float = 1.0
    closed_s: float = 4.0
    open_s: float = 6.0
    rates: tuple[int, ...] = (500, 2_500)


class Trial(msgspec.Struct, frozen=True):
    """What came of it. `sustained` is per second until Kafka had everything; `rates` are the answers at each steady rate."""

    closed: Answers
    sustained: float
    cpu_us: float
    memory_mib: float
    rates: dict[int, Answers]
    accepted: int
    kept: int
    wrong: int


def trial(cluster: Cluster, server: Server, name: str, plan: Plan) -> Trial:
    """Measure a server on topics of its own."""
    prefix = cluster.named(f"{name.replace('_', '-')}.")
    topics = inbound(prefix)
    cluster.create({topic: {} for topic in topics}, _PARTITIONS)
    watch = cluster.watching(topics)
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder, \
            serving(server, cluster.bootstrap, prefix, Path(folder)) as (child, port):  # fmt: skip
        before = child.cpu_s()
        closed = _load(Load(port, CONNECTIONS, plan.closed_s, plan.warm_s))
        sustained = _until_kept(watch, closed.accepted, closed) if server.keeps else closed.per_second
        cpu = child.cpu_s() - before
        rates = {rate: _load(Load(port, CONNECTIONS, plan.open_s, plan.warm_s, rate)) for rate in plan.rates}
        everything = [closed, *rates.values()]
        accepted = sum(each.accepted for each in everything)
        if server.keeps:
            _until_kept(watch, accepted, closed)
        kept = watch.total()
        memory = child.peak_mib()
    watch.close()
    cluster.delete(topics)
    wrong = sum(each.refused + each.broken for each in everything)
    return Trial(closed, sustained, cpu / closed.accepted * 1e6, memory, rates, accepted, kept, wrong)


def _load(load: Load) -> Answers:
    return msgspec.json.decode(ask("bench.ingress.load", load, load.warm_s + load.seconds + _EXTRA_S), type=Answers)


def _until_kept(watch: Watch, accepted: int, closed: Answers) -> float:
    """Wait until Kafka has that many records; return how many a second that is, counted from the first post of the closed loop."""
    until = time.time() + _DRAIN_S
    while watch.total() < accepted and time.time() < until:
        time.sleep(0.02)
    return accepted / (max(time.time(), closed.ended_at) - closed.began_at)
