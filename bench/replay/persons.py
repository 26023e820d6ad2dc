"""Check what a worker published: the number and repetitions of changes, and whether the last persons follow from the input."""

from typing import Any

import msgspec

from bench.cluster import Cluster, read_all
from bench.replay.contacts import ExpectedPerson
from schemas.codec import Avro


class PersonStats(msgspec.Struct, frozen=True):
    """Changes, repetitions, first and last time in Unix seconds, and whether the last persons match the input."""

    records: int
    repeated: int
    first: float
    last: float
    fits: bool

    @property
    def rate(self) -> float:
        """Return the records per second between the first and the last."""
        return self.records / (self.last - self.first) if self.last > self.first else 0.0


def person_stats(cluster: Cluster, topic: str, expected: dict[str, ExpectedPerson]) -> PersonStats:
    """Read all committed persons, given their topic, and what changed in them: a transaction skips persons, and no change."""
    latest: dict[bytes, bytes] = {message.key(): message.value() for message in _messages(cluster, topic)}
    ids: set[bytes] = set()
    times: list[int] = []
    for message in _messages(cluster, changes_of(topic)):
        times.append(message.timestamp()[1])
        ids.add(dict(message.headers())["ce_id"])
    first, last = min(times, default=0) / 1000, max(times, default=0) / 1000
    return PersonStats(len(times), len(times) - len(ids), first, last, _latest_values(latest) == expected)


def changes_of(topic: str) -> str:
    """Return the topic of the changes of the persons on a topic."""
    return f"{topic}.changes"


def _latest_values(latest: dict[bytes, bytes]) -> dict[str, ExpectedPerson]:
    avro = Avro.local()
    values: Any = (avro.decode(value)[1] for value in latest.values())
    return {value["external_id"]: ExpectedPerson(value["name"], int(value["attributes"]["seats"])) for value in values}


def _messages(cluster: Cluster, topic: str) -> Any:
    return read_all(cluster.bootstrap, topic, cluster.prefixed("persons"))
