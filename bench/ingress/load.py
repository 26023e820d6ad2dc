"""The load generator, a process of its own: `python -m bench.ingress.load JOB` prints what came back as one line of JSON.

closed: every connection posts again as soon as it is answered; how many answers a second.
open: posts are planned at random instants of a steady rate and counted from the instant planned, however late the server lets them out.
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

_DRAIN_S = 30  # the slowest answer that is waited for


class Load(msgspec.Struct, frozen=True):
    """What to do to which port. `rate` in posts a second; 0 is a closed loop. The first `warm_s` seconds are not measured."""

    port: int
    connections: int
    seconds: float
    warm_s: float = 1.0
    rate: float = 0.0


class Answers(msgspec.Struct, frozen=True):
    """All answers of a run, and those of the measured time with their delays; `late_ms`: how late the generator itself was."""

    accepted: int
    refused: int
    broken: int
    measured: int
    seconds: float
    delays_ms: dict[str, float]
    late_ms: dict[str, float]
    cpu_s: float
    began_at: float  # by the wall clock, for whoever watches Kafka meanwhile
    ended_at: float

    @property
    def busy(self) -> float:
        """Return the share of the time that the generator itself was at work: near 1 it would be the bottleneck."""
        return self.cpu_s / (self.ended_at - self.began_at)

    @property
    def per_second(self) -> float:
        """Return the answers per second of the measured time."""
        return self.measured / self.seconds


class Delays(NamedTuple):
    """Seconds to the answer of each measured post, and how late the generator let each out."""

    answers: list[float]
    generator: list[float]


def closed(connections: Connections, load: Load) -> Delays:
    """Post on every connection again as soon as it is answered."""
    clock = time.perf_counter
    begin = clock()
    first, last = begin + load.warm_s, begin + load.warm_s + load.seconds
    delays: list[float] = []
    for connection in connections.all():
        connections.send(connection, clock())
    waiting = load.connections
    now = begin
    while waiting and now < last + _DRAIN_S:
        for connection in connections.answered(0.5):
            now = clock()
            if first <= now < last:
                delays.append(now - connection.sent_at)
            if now < last:
                connections.send(connection, now)
            else:
                waiting -= 1
        now = clock()
    return Delays(delays, [])


def open_(connections: Connections, load: Load, seed: int = 5) -> Delays:
    """Post at planned instants; a post with no free connection waits, and its waiting counts."""
    clock = time.perf_counter
    begin = clock()
    plan = [begin + offset for offset in planned(load.rate, load.warm_s + load.seconds, seed)]
    idle: deque[Connection] = deque(connections.all())
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
        for connection in connections.answered(max(wait, 1e-6)):
            if connection.sent_at >= begin + load.warm_s:
                delays.append(clock() - connection.sent_at)
            idle.append(connection)
            done += 1
    return Delays(delays, late)


def planned(rate: float, seconds: float, seed: int) -> list[float]:
    """Return the instants of a Poisson process, as posts of many independent people arrive."""
    chance = random.Random(seed)
    instants = []
    at = chance.expovariate(rate)
    while at < seconds:
        instants.append(at)
        at += chance.expovariate(rate)
    return instants


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Return p50, p99, p99.9 and the greatest, in milliseconds."""
    ordered = sorted(values)
    if not ordered:
        return {}
    shares = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
    return {name: ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 for name, share in shares.items()}


def measured(load: Load) -> Answers:
    """Do what the load says and put together what came back."""
    connections = Connections(load.port, load.connections, requests(load.port))
    began_at, cpu = time.time(), time.process_time()
    found = open_(connections, load) if load.rate else closed(connections, load)
    connections.close()
    return Answers(
        accepted=connections.accepted,
        refused=connections.refused,
        broken=connections.broken,
        measured=len(found.answers),
        seconds=load.seconds,
        delays_ms=quantiles(found.answers),
        late_ms=quantiles(found.generator),
        cpu_s=time.process_time() - cpu,
        began_at=began_at,
        ended_at=time.time(),
    )


if __name__ == "__main__":
    print(msgspec.json.encode(measured(msgspec.json.decode(sys.argv[1], type=Load))).decode())
