"""What a process with so many partitions shows: its rate when it is behind, and at rest its connections, memory and delays."""

import msgspec

from bench.child import Child
from bench.cluster import Cluster
from bench.rest import Send, once, reading


class Trial(msgspec.Struct, frozen=True):
    """`complete` says that everything sent had its one consequence, and that a table compared was right."""

    rate: float
    connections: int
    memory_mib: float
    delays_ms: list[float]
    start_s: float  # from the start of the process to its first output
    complete: bool


def at_rest(cluster: Cluster, topic: str, send: Send, *, warm: int, count: int) -> list[float]:
    """Return the delays of so many events, after some that are not counted."""
    with reading(cluster, topic) as reader:
        delays = [once(reader, send)[1] for _ in range(warm + count)]
    return delays[warm:]


def seen(child: Child, cluster: Cluster) -> tuple[int, float]:
    """Return how many connections to the brokers it has, and its greatest memory."""
    return child.connections(cluster.ports()), child.peak_mib()
