"""One trial of one system: on each path posts one at a time, then posts without pauses for comparison."""

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
from bench.product import Deployment
from bench.rest import marker, open_reader, time_one, wait_for_markers
from connectors.local.ports import free

BUSY_PATH = "person"  # the path that also gets posts without pauses


class PathTimings(msgspec.Struct, frozen=True):
    """Milliseconds from each post to its response, and to its consequence at a `read_committed` consumer; posts per second.

    `before_ms` are the delays of the earlier posts, while the broker was not warm yet.
    """

    answered_ms: list[float]
    shown_ms: list[float]
    rate: float
    before_ms: list[float]


class Trial(msgspec.Struct, frozen=True):
    """The timings of each path, and the posts per second on `BUSY_PATH` on one connection without pauses."""

    paths: dict[str, PathTimings]
    busy_rate: float

    @property
    def load(self) -> float:
        """Return the rate of the measured posts divided by the rate without pauses."""
        return self.paths[BUSY_PATH].rate / self.busy_rate


def trial(cluster: Cluster, system: str, *, number: int, posts: Mapping[str, int], warm: Mapping[str, int], busy: int) -> Trial:
    """Start a system, measure it and stop it.

    Each path gets `posts` measured posts after `warm` unmeasured ones; `BUSY_PATH` also gets `busy` posts without pauses.
    """
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        deployment = Deployment(free(set()), cluster.bootstrap, cluster.prefixed(f"{system}-{number}."), File(folder))
        with SYSTEMS[system](deployment, cluster) as topics:
            paths = {}
            for name, count in posts.items():
                with open_reader(cluster, topics[name]) as reader, connected(deployment.port) as connection:
                    paths[name] = _at_rest(connection, reader, PATHS[name], warm[name], count)
                    if name == BUSY_PATH:
                        rate = _without_pauses(connection, reader, PATHS[name], busy)
    cluster.delete([topic for topic in cluster.topics() if topic.startswith(deployment.prefix)])
    return Trial(paths, rate)


def _at_rest(connection: http.client.HTTPConnection, reader: Any, path: Path, warm: int, count: int) -> PathTimings:
    def send(mark: str) -> None:
        post(connection, path.body(mark))

    time_one(reader, send)  # the worker may become ready only now
    before = [time_one(reader, send)[1] for _ in range(warm)]
    began = time.perf_counter()
    taken = [time_one(reader, send) for _ in range(count)]
    rate = count / (time.perf_counter() - began)
    return PathTimings([answered for answered, _ in taken], [shown for _, shown in taken], rate, before)


def _without_pauses(connection: http.client.HTTPConnection, reader: Any, path: Path, count: int) -> float:
    """Post one after the other without a wait for the consequences; return the posts per second until the last consequence."""
    bodies = {(mark := marker()).encode(): path.body(mark) for _ in range(count)}
    began = time.perf_counter()
    for body in bodies.values():
        post(connection, body)
    wait_for_markers(reader, set(bodies))
    return count / (time.perf_counter() - began)
