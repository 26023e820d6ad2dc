"""One thing at a time, at rest: send it, wait until a `read_committed` reader has its consequence, pause, send the next."""

import contextlib
import random
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from bench.cluster import Cluster
from schemas.errors import Unavailable

WARM = 100  # things sent before it is rest: for so long a broker meets new partitions and compiles what they take
_PAUSE_S = (0.05, 0.2)  # at random, so that no timer of what is measured keeps step
_SHOWS_S = 30
_APPEARS_S = 60

Send = Callable[[str], None]
"""Send what has a marker in its consequence; return when it is answered."""


def marker() -> str:
    """Return a number as text that nothing else holds."""
    return str(10**9 + secrets.randbelow(10**9))


def once(reader: Any, send: Send) -> tuple[float, float]:
    """Pause, send, wait; return the milliseconds from before the sending to its return, and to its consequence."""
    time.sleep(random.uniform(*_PAUSE_S))
    mark = marker()
    began = time.perf_counter()
    send(mark)
    answered = time.perf_counter()
    shown(reader, {mark.encode()})
    return (answered - began) * 1000, (time.perf_counter() - began) * 1000


def shown(reader: Any, markers: set[bytes]) -> None:
    """Return when every marker has been read."""
    until = time.perf_counter() + _SHOWS_S
    while markers:
        if time.perf_counter() > until:
            raise Unavailable(f"the consequence of what was sent did not show within {_SHOWS_S} s")
        message = reader.poll(1.0)
        if message is not None and message.error() is None:
            value = message.value() or b""
            markers = {each for each in markers if each not in value}


@contextlib.contextmanager
def reading(cluster: Cluster, topic: str) -> Iterator[Any]:
    """Have a `read_committed` reader of all of a topic, which may have to be created first by the system itself."""
    reader = Consumer({
        "bootstrap.servers": cluster.bootstrap, "group.id": cluster.named("reader"), "isolation.level": "read_committed",
        "enable.auto.commit": False, "fetch.wait.max.ms": 500, "log_level": 2,
    })  # fmt: skip
    until = time.monotonic() + _APPEARS_S
    while not (numbers := reader.list_topics(topic, timeout=10).topics[topic].partitions):
        if time.monotonic() > until:
            raise Unavailable(f"the topic {topic} did not appear within {_APPEARS_S} s")
        time.sleep(0.2)
    reader.assign([TopicPartition(topic, number, 0) for number in numbers])
    yield reader
    reader.close()
