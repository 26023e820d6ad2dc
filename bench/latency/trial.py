"""One system, once: on each path posts one at a time, then posts without pauses, for comparison."""

import http.client
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path as File
from typing import Any

import msgspec

from bench.cluster import Cluster
from bench.latency.paths import PATHS, Path
from bench.latency.posting import connected, post
from bench.latency.systems import SYSTEMS
from bench.product import Place
from bench.rest import marker, once, reading, shown
from connectors.local.ports import free

BUSY_PATH = "person"  # the path that is also driven without pauses


class Timed(msgspec.Struct, frozen=True):
    """Milliseconds from before each post to its answer, and to its consequence at a `read_committed` reader; posts a second of it all.

    `before_ms` are the consequences of the posts that came before, when the broker had not yet met the partitions.
    """

    answered_ms: list[float]
    shown_ms: list[float]
    rate: float
    before_ms: list[float]


class Trial(msgspec.Struct, frozen=True):
    """What each path showed, and how many posts a second one connection gets through `BUSY_PATH` without pauses."""

    paths: dict[str, Timed]
    busy_rate: float

    @property
    def load(self) -> float:
        """Return the share of what goes through without pauses that the measured posts were."""
        return self.paths[BUSY_PATH].rate / self.busy_rate


def trial(cluster: Cluster, system: str, *, number: int, posts: Mapping[str, int], warm: Mapping[str, int], busy: int) -> Trial:
    """Measure a system, started for this and ended after it.

    So many posts on each path, after `warm` that are kept apart, and `busy` without pauses.
    """
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        place = Place(free(set()), cluster.bootstrap, cluster.named(f"{system}-{number}."), File(folder))
        with SYSTEMS[system](place, cluster) as topics:
            paths = {}
            for name, count in posts.items():
                with reading(cluster, topics[name]) as reader, connected(place.port) as connection:
                    paths[name] = _at_rest(connection, reader, PATHS[name], warm[name], count)
                    if name == BUSY_PATH:
                        rate = _without_pauses(connection, reader, PATHS[name], busy)
    cluster.delete([each for each in cluster.topics() if each.startswith(place.prefix)])
    return Trial(paths, rate)


def _at_rest(connection: http.client.HTTPConnection, reader: Any, path: Path, warm: int, count: int) -> Timed:
    def send(mark: str) -> None:
        post(connection, path.body(mark))

    once(reader, send)  # the worker may not be ready before that
    before = [once(reader, send)[1] for _ in range(warm)]
    began = time.perf_counter()
    taken = [once(reader, send) for _ in range(count)]
    rate = count / (time.perf_counter() - began)
    return Timed([answered for answered, _ in taken], [seen for _, seen in taken], rate, before)


def _without_pauses(connection: http.client.HTTPConnection, reader: Any, path: Path, count: int) -> float:
    """Post one after the other without waiting for consequences, and return how many a second came out at the end."""
    bodies = {(mark := marker()).encode(): path.body(mark) for _ in range(count)}
    began = time.perf_counter()
    for body in bodies.values():
        post(connection, body)
    shown(reader, set(bodies))
    return count / (time.perf_counter() - began)
