"""Check what a rival wrote to Kafka: the rate of its outputs, whether each came once, and whether its table matches the input.

The rate is computed from the broker's append times of the outputs, so no rival has to measure itself.
"""

from collections import Counter
from typing import Any

import msgspec

from bench.cluster import Cluster, read_all
from bench.engine.events import ExpectedRow


class OutputStats(msgspec.Struct, frozen=True):
    """Outputs per second between the first append and the last, the number of outputs, and how many of them are repetitions.

    `first` and `last` are the times of the two appends, in Unix seconds.
    """

    rate: float
    count: int
    repeated: int
    first: float = 0.0
    last: float = 0.0


class _Output(msgspec.Struct):
    id: str


class _Last(msgspec.Struct):
    id: str


class _Value(msgspec.Struct):
    n: int
    last: _Last


def output_stats(cluster: Cluster, topic: str) -> OutputStats:
    """Read all committed outputs."""
    decode = msgspec.json.Decoder(_Output).decode
    at: Counter[int] = Counter()
    ids: Counter[str] = Counter()
    for message in _messages(cluster, topic):
        at[message.timestamp()[1]] += 1
        ids[decode(message.value()).id] += 1
    total = at.total()
    if len(at) < 2:
        return OutputStats(0.0, total, total - len(ids))
    first, last = min(at), max(at)
    return OutputStats((total - at[first]) / (last - first) * 1000, total, total - len(ids), first / 1000, last / 1000)


def table_fits(cluster: Cluster, topic: str, expected: dict[bytes, ExpectedRow]) -> bool:
    """Return whether the last value of each key in a changelog follows from the input. The engine's own records are ignored."""
    decode = msgspec.json.Decoder(_Value).decode
    rows = {message.key(): message.value() for message in _messages(cluster, topic) if message.key() in expected}
    return {key: ExpectedRow(value.n, value.last.id) for key, value in ((k, decode(v)) for k, v in rows.items())} == expected


def _messages(cluster: Cluster, topic: str) -> Any:
    return read_all(cluster.bootstrap, topic, cluster.prefixed("verify"))
