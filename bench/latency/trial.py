"""One system, one path: post, wait for the consequence, pause, post again."""

import contextlib
import http.client
import random
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path as File
from typing import Any

import msgspec
from confluent_kafka import Consumer, TopicPartition

from bench.cluster import Cluster
from bench.latency.paths import Path
from bench.latency.systems import SYSTEMS
from bench.product import SECRET, WEBHOOKS, Place
from connectors.local.ports import free
from connectors.simulator.posting import webhook_headers
from schemas.errors import Unavailable
from schemas.tenancy import Secret

_PAUSE_S = (0.15, 0.45)  # at random, so that no timer of either system keeps step with the posts
_WARM = 3  # posts that are not counted: connections are made, classes loaded
_SHOWS_S = 30
_APPEARS_S = 60


class Trial(msgspec.Struct, frozen=True):
    """Milliseconds from before the post to its answer, and to its consequence at a `read_committed` reader."""

    answered_ms: list[float]
    shown_ms: list[float]


def trial(cluster: Cluster, system: str, path: Path, *, name: str, posts: int) -> Trial:
    """Measure a system, started for this and ended after it."""
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        place = Place(free(set()), cluster.bootstrap, cluster.named(f"{name}."), File(folder))
        with SYSTEMS[system](place, cluster, path) as topic, _reading(cluster, topic) as reader:
            connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=10)
            taken = [_once(connection, reader, path) for _ in range(posts + _WARM)][_WARM:]
            connection.close()
    cluster.delete([each for each in cluster.topics() if each.startswith(place.prefix)])
    return Trial([answered for answered, _ in taken], [shown for _, shown in taken])


def _once(connection: http.client.HTTPConnection, reader: Any, path: Path) -> tuple[float, float]:
    time.sleep(random.uniform(*_PAUSE_S))
    marker = str(10**9 + secrets.randbelow(10**9))
    body = path.body(marker)
    headers = webhook_headers(body, Secret(SECRET))
    began = time.perf_counter()
    connection.request("POST", WEBHOOKS, body, headers)
    response = connection.getresponse()
    response.read()
    answered = time.perf_counter()
    if response.status != 200:
        raise Unavailable(f"a post was answered {response.status} instead of 200")
    shown = _shown(reader, marker.encode())
    return (answered - began) * 1000, (shown - began) * 1000


def _shown(reader: Any, marker: bytes) -> float:
    until = time.perf_counter() + _SHOWS_S
    while time.perf_counter() < until:
        message = reader.poll(1.0)
        if message is not None and message.error() is None and marker in (message.value() or b""):
            return time.perf_counter()
    raise Unavailable(f"the consequence of a post did not show within {_SHOWS_S} s")


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
