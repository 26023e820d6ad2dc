"""Look at what a rival left in Kafka: how fast its outputs came, whether each came once, and whether its table fits the input.

Speed is read from the broker's own append times of the outputs, so that no rival has to measure itself.
"""

from collections import Counter
from typing import Any

import msgspec

from bench.cluster import Cluster, read_all
from bench.engine.events import Expected


class Outcome(msgspec.Struct, frozen=True):
    """Outputs per second between the first append and the last, how many there were, how many events came twice.

    `first` and `last` are the times of the two, in Unix seconds.
    """

    rate: float
    outputs: int
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


def outcome(cluster: Cluster, topic: str) -> Outcome:
    """Read all committed outputs."""
    decode = msgspec.json.Decoder(_Output).decode
    at: Counter[int] = Counter()
    ids: Counter[str] = Counter()
    for message in _messages(cluster, topic):
        at[message.timestamp()[1]] += 1
        ids[decode(message.value()).id] += 1
    total = at.total()
    if len(at) < 2:
        return Outcome(0.0, total, total - len(ids))
    first, last = min(at), max(at)
    return Outcome((total - at[first]) / (last - first) * 1000, total, total - len(ids), first / 1000, last / 1000)


def table_fits(cluster: Cluster, topic: str, expected: dict[bytes, Expected]) -> bool:
    """Say whether the last value of each key in a changelog is what the input alone says. The engine's own records are not rows."""
    decode = msgspec.json.Decoder(_Value).decode
    rows = {message.key(): message.value() for message in _messages(cluster, topic) if message.key() in expected}
    return {key: Expected(value.n, value.last.id) for key, value in ((k, decode(v)) for k, v in rows.items())} == expected


def _messages(cluster: Cluster, topic: str) -> Any:
    return read_all(cluster.bootstrap, topic, cluster.named("verify"))
