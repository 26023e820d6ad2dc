"""One system, once: on each path post, wait for the consequence, pause, post again; then posts without pauses, for comparison."""

import contextlib
import http.client
import random
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path as File
from typing import Any

import msgspec
from confluent_kafka import Consumer, TopicPartition

from bench.cluster import Cluster
from bench.latency.paths import PATHS, Path
from bench.latency.systems import SYSTEMS
from bench.product import SECRET, WEBHOOKS, Place
from connectors.local.ports import free
from connectors.simulator.posting import webhook_headers
from schemas.errors import Unavailable
from schemas.tenancy import Secret

BUSY_PATH = "person"  # the path that is also driven without pauses
_PAUSE_S = (0.05, 0.2)  # at random, so that no timer of either system keeps step with the posts
_SHOWS_S = 30
_APPEARS_S = 60


class Timed(msgspec.Struct, frozen=True):
    """Milliseconds from before each post to its answer, and to its consequence at a `read_committed` reader; posts a second of it all."""

    answered_ms: list[float]
    shown_ms: list[float]
    rate: float


class Trial(msgspec.Struct, frozen=True):
    """What each path showed, and how many posts a second one connection gets through `BUSY_PATH` without pauses."""

    paths: dict[str, Timed]
    busy_rate: float

    @property
    def load(self) -> float:
        """Return the share of what goes through without pauses that the measured posts were."""
        return self.paths[BUSY_PATH].rate / self.busy_rate


def trial(cluster: Cluster, system: str, *, number: int, posts: Mapping[str, int], warm: int, busy: int) -> Trial:
    """Measure a system, started for this and ended after it.

    So many posts on each path, after `warm` that are not counted, and `busy` without pauses.
    """
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        place = Place(free(set()), cluster.bootstrap, cluster.named(f"{system}-{number}."), File(folder))
        with SYSTEMS[system](place, cluster) as topics:
            paths = {}
            for name, count in posts.items():
                with _reading(cluster, topics[name]) as reader, _connected(place) as connection:
                    paths[name] = _at_rest(connection, reader, PATHS[name], warm, count)
                    if name == BUSY_PATH:
                        rate = _without_pauses(connection, reader, PATHS[name], busy)
    cluster.delete([each for each in cluster.topics() if each.startswith(place.prefix)])
    return Trial(paths, rate)


def _at_rest(connection: http.client.HTTPConnection, reader: Any, path: Path, warm: int, count: int) -> Timed:
    for _ in range(warm):
        _once(connection, reader, path)
    began = time.perf_counter()
    taken = [_once(connection, reader, path) for _ in range(count)]
    rate = count / (time.perf_counter() - began)
    return Timed([answered for answered, _ in taken], [shown for _, shown in taken], rate)


def _once(connection: http.client.HTTPConnection, reader: Any, path: Path) -> tuple[float, float]:
    time.sleep(random.uniform(*_PAUSE_S))
    marker = _marker()
    body = path.body(marker)
    headers = webhook_headers(body, Secret(SECRET))
    began = time.perf_counter()
    _post(connection, body, headers)
    answered = time.perf_counter()
    _shown(reader, {marker.encode()})
    return (answered - began) * 1000, (time.perf_counter() - began) * 1000


def _without_pauses(connection: http.client.HTTPConnection, reader: Any, path: Path, count: int) -> float:
    """Post one after the other without waiting for consequences, and return how many a second came out at the end."""
    bodies = {(marker := _marker()).encode(): path.body(marker) for _ in range(count)}
    signed = [(body, webhook_headers(body, Secret(SECRET))) for body in bodies.values()]
    began = time.perf_counter()
    for body, headers in signed:
        _post(connection, body, headers)
    _shown(reader, set(bodies))
    return count / (time.perf_counter() - began)


def _marker() -> str:
    return str(10**9 + secrets.randbelow(10**9))


def _post(connection: http.client.HTTPConnection, body: bytes, headers: Mapping[str, str]) -> None:
    connection.request("POST", WEBHOOKS, body, dict(headers))
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise Unavailable(f"a post was answered {response.status} instead of 200")


def _shown(reader: Any, markers: set[bytes]) -> None:
    """Return when every marker has been read."""
    until = time.perf_counter() + _SHOWS_S
    while markers:
        if time.perf_counter() > until:
            raise Unavailable(f"the consequence of a post did not show within {_SHOWS_S} s")
        message = reader.poll(1.0)
        if message is not None and message.error() is None:
            value = message.value() or b""
            markers = {marker for marker in markers if marker not in value}


@contextlib.contextmanager
def _connected(place: Place) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=10)
    yield connection
    connection.close()


@contextlib.contextmanager
def _reading(cluster: Cluster, topic: str) -> Iterator[Any]:
    """Have a `read_committed` reader at the end of a topic, which may have to be created first by the system itself."""
    reader = Consumer({
        "bootstrap.servers": cluster.bootstrap, "group.id": cluster.named("reader"), "isolation.level": "read_committed",
        "enable.auto.commit": False, "fetch.wait.max.ms": 500, "log_level": 2,
    })  # fmt: skip
    until = time.monotonic() + _APPEARS_S
    while not (parts := reader.list_topics(topic, timeout=10).topics[topic].partitions):
        if time.monotonic() > until:
            raise Unavailable(f"the topic {topic} did not appear within {_APPEARS_S} s")
        time.sleep(0.2)
    reader.assign([TopicPartition(topic, number, 0) for number in parts])
    yield reader
    reader.close()
