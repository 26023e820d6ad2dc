"""What is measured of a process with many partitions: its rate on a backlog; at rest its connections, memory and delays."""

import msgspec

from bench.child import Child
from bench.cluster import Cluster
from bench.rest import Send, open_reader, time_one


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """Result for one process, on its backlog and at rest. `start_s` is from its start to its first output."""

    rate: float
    connections: int
    memory_mib: float
    delays_ms: list[float]
    start_s: float
    expected: int
    outputs: int
    repeated: int
    fits: bool

    @property
    def is_correct(self) -> bool:
        """Return whether every event has exactly one output, and the last value of each key follows from the input."""
        return self.outputs == self.expected and not self.repeated and self.fits


def at_rest(cluster: Cluster, topic: str, send: Send, *, warm: int, count: int) -> list[float]:
    """Return the delays of `count` events, after `warm` events that are not measured."""
    with open_reader(cluster, topic) as reader:
        delays = [time_one(reader, send)[1] for _ in range(warm + count)]
    return delays[warm:]


def connections_and_memory(child: Child, cluster: Cluster) -> tuple[int, float]:
    """Return a process's number of connections to the brokers, and its peak memory."""
    return child.connections(cluster.ports()), child.peak_mib()
