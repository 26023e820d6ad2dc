"""Delays at rest: send one thing, wait until a `read_committed` consumer has its consequence, pause, send the next."""

import contextlib
import random
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from bench.cluster import Cluster
from schemas.errors import Unavailable

WARM = 100  # sends before the measured ones, while the broker compiles its code for new partitions
_PAUSE_S = (0.05, 0.2)  # random, so that it does not synchronise with a timer of the system
_SHOWS_S = 30
_APPEARS_S = 60

Send = Callable[[str], None]
"""Send something whose consequence contains the marker; return after the response."""


def marker() -> str:
    """Return a number as text that occurs nowhere else."""
    return str(10**9 + secrets.randbelow(10**9))


def time_one(reader: Any, send: Send) -> tuple[float, float]:
    """Pause, send and wait; return the milliseconds from the start of `send` to its end, and to the consequence."""
    time.sleep(random.uniform(*_PAUSE_S))
    mark = marker()
    began = time.perf_counter()
    send(mark)
    answered = time.perf_counter()
    wait_for_markers(reader, {mark.encode()})
    return (answered - began) * 1000, (time.perf_counter() - began) * 1000


def wait_for_markers(reader: Any, markers: set[bytes]) -> None:
    """Return when every marker has been read."""
    deadline = time.perf_counter() + _SHOWS_S
    while markers:
        if time.perf_counter() > deadline:
            raise Unavailable(f"the consequence of what was sent did not show within {_SHOWS_S} s")
        message = reader.poll(1.0)
        if message is not None and message.error() is None:
            value = message.value() or b""
            markers = {each for each in markers if each not in value}


@contextlib.contextmanager
def open_reader(cluster: Cluster, topic: str) -> Iterator[Any]:
    """Yield a `read_committed` consumer of a whole topic; wait for the topic if the system has yet to create it."""
    reader = Consumer({
        "bootstrap.servers": cluster.bootstrap, "group.id": cluster.prefixed("reader"), "isolation.level": "read_committed",
        "enable.auto.commit": False, "fetch.wait.max.ms": 500, "log_level": 2,
    })  # fmt: skip
    deadline = time.monotonic() + _APPEARS_S
    while not (numbers := reader.list_topics(topic, timeout=10).topics[topic].partitions):
        if time.monotonic() > deadline:
            raise Unavailable(f"the topic {topic} did not appear within {_APPEARS_S} s")
        time.sleep(0.2)
    reader.assign([TopicPartition(topic, number, 0) for number in numbers])
    yield reader
    reader.close()
