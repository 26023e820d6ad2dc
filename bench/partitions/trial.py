"""What a process with so many partitions shows: its rate when it is behind, and at rest its connections, memory and delays."""

import msgspec

from bench.child import Child
from bench.cluster import Cluster
from bench.rest import Send, once, reading


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What one process did with its backlog, and how it was at rest. `start_s` is from its start to its first output."""

    rate: float
    connections: int
    memory_mib: float
    delays_ms: list[float]
    start_s: float
    wanted: int
    outputs: int
    repeated: int
    fits: bool

    @property
    def right(self) -> bool:
        """Say whether every event had its one output, and what was last said of each key is what the input says."""
        return self.outputs == self.wanted and not self.repeated and self.fits


def at_rest(cluster: Cluster, topic: str, send: Send, *, warm: int, count: int) -> list[float]:
    """Return the delays of so many events, after some that are not counted."""
    with reading(cluster, topic) as reader:
        delays = [once(reader, send)[1] for _ in range(warm + count)]
    return delays[warm:]


def seen(child: Child, cluster: Cluster) -> tuple[int, float]:
    """Return how many connections to the brokers it has, and its greatest memory."""
    return child.connections(cluster.ports()), child.peak_mib()
