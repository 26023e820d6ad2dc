"""The load generator, a process of its own: `python -m bench.ingress.load JOB` prints its result as one line of JSON.

closed: every connection posts again as soon as it has its response; measures responses per second.
open: posts are planned at random times of a steady rate and measured from the planned time, however late they are sent.
"""

import random
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from bench.ingress.connections import Connection, Connections
from bench.ingress.posts import requests

_DRAIN_S = 30  # the longest wait for the last responses


class Load(msgspec.Struct, frozen=True):
    """The load on a port. `rate` is in posts per second; 0 means a closed loop. The first `warm_s` seconds are not measured."""

    port: int
    connections: int
    seconds: float
    warm_s: float = 1.0
    rate: float = 0.0


class Responses(msgspec.Struct, frozen=True):
    """All responses of a run, and the measured ones with their delays. `late_ms` says how late the generator sent the posts."""

    accepted: int
    refused: int
    broken: int
    measured: int
    seconds: float
    delays_ms: dict[str, float]
    late_ms: dict[str, float]
    cpu_s: float
    began_at: float  # wall clock, for comparison with Kafka's progress
    ended_at: float

    @property
    def busy(self) -> float:
        """Return the generator's share of a CPU: near 1 it would be the bottleneck."""
        return self.cpu_s / (self.ended_at - self.began_at)

    @property
    def per_second(self) -> float:
        """Return the measured responses per second."""
        return self.measured / self.seconds


class Delays(NamedTuple):
    """Seconds to the response of each measured post, and how late the generator sent each post."""

    answers: list[float]
    generator: list[float]


def closed_loop(connections: Connections, load: Load) -> Delays:
    """Post on every connection again as soon as it has its response."""
    clock = time.perf_counter
    begin = clock()
    first, last = begin + load.warm_s, begin + load.warm_s + load.seconds
    delays: list[float] = []
    for connection in connections.open_connections():
        connections.send(connection, clock())
    waiting = load.connections
    now = begin
    while waiting and now < last + _DRAIN_S:
        for connection in connections.wait_for_responses(0.5):
            now = clock()
            if first <= now < last:
                delays.append(now - connection.sent_at)
            if now < last:
                connections.send(connection, now)
            else:
                waiting -= 1
        now = clock()
    return Delays(delays, [])


def open_loop(connections: Connections, load: Load, seed: int = 5) -> Delays:
    """Post at planned times; a post waits for a free connection, and the wait counts."""
    clock = time.perf_counter
    begin = clock()
    plan = [begin + offset for offset in planned_instants(load.rate, load.warm_s + load.seconds, seed)]
    idle: deque[Connection] = deque(connections.open_connections())
    delays: list[float] = []
    late: list[float] = []
    position = done = 0
    until = begin + load.warm_s + load.seconds + _DRAIN_S
    while done < len(plan) and (now := clock()) < until:
        while idle and position < len(plan) and plan[position] <= now:
            late.append(now - plan[position])
            connections.send(idle.popleft(), plan[position])
            position += 1
        wait = plan[position] - clock() if position < len(plan) and idle else 0.2
        for connection in connections.wait_for_responses(max(wait, 1e-6)):
            if connection.sent_at >= begin + load.warm_s:
                delays.append(clock() - connection.sent_at)
            idle.append(connection)
            done += 1
    return Delays(delays, late)


def planned_instants(rate: float, seconds: float, seed: int) -> list[float]:
    """Return the times of a Poisson process, which models posts of many independent people."""
    chance = random.Random(seed)
    instants = []
    at = chance.expovariate(rate)
    while at < seconds:
        instants.append(at)
        at += chance.expovariate(rate)
    return instants


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Return p50, p99, p99.9 and the maximum, in milliseconds."""
    ordered = sorted(values)
    if not ordered:
        return {}
    shares = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
    return {name: ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 for name, share in shares.items()}


def measure(load: Load) -> Responses:
    """Run the load and return its result."""
    connections = Connections(load.port, load.connections, requests(load.port))
    began_at, cpu = time.time(), time.process_time()
    delays = open_loop(connections, load) if load.rate else closed_loop(connections, load)
    connections.close()
    return Responses(
        accepted=connections.accepted,
        refused=connections.refused,
        broken=connections.broken,
        measured=len(delays.answers),
        seconds=load.seconds,
        delays_ms=quantiles(delays.answers),
        late_ms=quantiles(delays.generator),
        cpu_s=time.process_time() - cpu,
        began_at=began_at,
        ended_at=time.time(),
    )


if __name__ == "__main__":
    print(msgspec.json.encode(measure(msgspec.json.decode(sys.argv[1], type=Load))).decode())
