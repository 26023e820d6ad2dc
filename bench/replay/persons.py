"""Look at the persons a worker published: how many records, whether any came twice, and whether the last of each is what the input says."""

from typing import Any

import msgspec

from bench.cluster import Cluster, read_all
from bench.replay.contacts import Last
from schemas.codec import Avro


class Persons(msgspec.Struct, frozen=True):
    """Records of `people` and those of an id seen before, their times in Unix seconds, and whether the last values fit the input."""

    records: int
    repeated: int
    first: float
    last: float
    fits: bool

    @property
    def rate(self) -> float:
        """Records a second between the first and the last."""
        return self.records / (self.last - self.first) if self.last > self.first else 0.0


def persons(cluster: Cluster, topic: str, expected: dict[str, Last]) -> Persons:
    """Read all committed persons."""
    latest: dict[bytes, bytes] = {}
    ids: set[bytes] = set()
    times: list[int] = []
    for message in _messages(cluster, topic):
        times.append(message.timestamp()[1])
        ids.add(dict(message.headers())["ce_id"])
        latest[message.key()] = message.value()
    first, last = min(times, default=0) / 1000, max(times, default=0) / 1000
    return Persons(len(times), len(times) - len(ids), first, last, _said(latest) == expected)


def _said(latest: dict[bytes, bytes]) -> dict[str, Last]:
    avro = Avro.local()
    values: Any = (avro.decode(value)[1] for value in latest.values())
    return {value["external_id"]: Last(value["name"], int(value["attributes"]["seats"])) for value in values}


def _messages(cluster: Cluster, topic: str) -> Any:
    return read_all(cluster.bootstrap, topic, cluster.named("persons"))
