"""How long a redaction takes to be on `activities`, through `run` with its ingress, while 500 events a second are posted.

Parts are posted first. Then events are posted at a steady rate on some connections, as Intercom posts them, and parts are redacted at random instants on
one of their own, whether the one before has shown or not; each delay counts from the instant for which the post was planned. Before the first redaction
the load is there for a while: a broker that has just started compiles its code.
"""

import http.client
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.activities.part import PartReport
from bench.child import running
from bench.cluster import Cluster
from bench.ingress.load import planned_instants, quantiles
from bench.latency.posting import connected, post
from bench.options import Options
from bench.product import APP_ID, Deployment, command, wait_until_ready, write_config
from bench.report import Ratio, Spread, Table, TableRow
from bench.rest import open_reader
from bench.rounds import measurements
from connectors.local.ports import free
from connectors.simulator.payloads import Item, notification
from schemas.codec import Avro
from schemas.errors import Unavailable

_TOPIC: Final = "activities"
_REDACTIONS_S: Final = 10.0  # a second
_CONNECTIONS: Final = 8  # of the load: a post is answered once Kafka has it, so one connection has few posts a second
_WARM: Final = 30
_CONTACTS: Final = 2_000
_ROUNDS: Final = 2
_GOAL_S: Final = 1.0
_SHOWS_S: Final = 60


class _Load(NamedTuple):
    """Events a second, redactions beside them, and for how many seconds there are events before these."""

    rate: float
    redactions: int
    ahead_s: float


_USUAL: Final = _Load(500.0, 300, 20.0)
_QUICK: Final = _Load(50.0, 5, 1.0)


class _Trial(NamedTuple):
    """Milliseconds from a redaction to its text being gone, events posted a second meanwhile, and whether all has shown."""

    delays_ms: dict[str, float]
    rate: float
    complete: bool


def redaction(options: Options, cluster: Cluster) -> PartReport:
    """Measure through the product as a user starts it."""
    load = _QUICK if options.quick else _USUAL
    found = [_trial(cluster, number, load) for number, _ in measurements(["redaction"], options.round_count(_ROUNDS))]
    cells = [Spread.of([each.delays_ms[share] for each in found]) for share in ("p50", "p99", "max")]
    rates = Spread.of([each.rate for each in found])
    title = f"{load.redactions:,} redactions while {load.rate:,.0f} events a second are posted"
    p99 = [each.delays_ms["p99"] / 1000 for each in found]
    return PartReport(
        tables=(Table(title, ("p50 ms", "p99 ms", "max ms", "events/s"), (TableRow("ours", (*cells, rates)),)),),
        ratios={"redaction_p99_s": Ratio(Spread.of(p99), _GOAL_S, smaller_is_better=True)},
        checks={"redaction: every text is gone": all(each.complete for each in found)},
    )


def _trial(cluster: Cluster, number: int, load: _Load) -> _Trial:
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        deployment = Deployment(free(set()), cluster.bootstrap, cluster.prefixed(f"redaction-{number}."), Path(folder))
        with running(command(write_config(deployment), "run")) as child:
            wait_until_ready(child, deployment.port)
            topic = f"{deployment.prefix}{_TOPIC}"
            with open_reader(cluster, topic) as reader, connected(deployment.port) as connection:
                trial = _measured(reader, connection, deployment.port, load)
    cluster.delete([topic for topic in cluster.topics() if topic.startswith(deployment.prefix)])
    return trial


def _measured(reader: Any, connection: http.client.HTTPConnection, port: int, load: _Load) -> _Trial:
    total = load.redactions + _WARM
    for part in range(total):
        post(connection, _part(part, "conversation.user.replied", body=f"<p>{_words(part)}</p>"))
    keys = _keys_of_parts(reader, total)
    with _posting(port, load.rate) as posted:
        time.sleep(load.ahead_s)
        began, events = time.perf_counter(), sum(posted)
        sent: dict[bytes, float] = {}
        posting = threading.Thread(target=_redact, args=(port, keys, sent), daemon=True)
        posting.start()
        until = time.monotonic() + total / _REDACTIONS_S + _SHOWS_S
        shown: dict[bytes, float] = {}
        while len(shown) < total and time.monotonic() < until:
            for message in reader.consume(500, timeout=0.05):
                key = message.key()
                if message.error() is None and key in keys and key not in shown and _is_empty(message.value()):
                    shown[key] = time.perf_counter()
        seconds, events = time.perf_counter() - began, sum(posted) - events
        posting.join()
    measured = list(keys)[_WARM:]
    delays = [shown[key] - sent[key] for key in measured if key in shown]
    return _Trial(quantiles(delays), events / seconds, len(shown) == total)


def _keys_of_parts(reader: Any, count: int) -> dict[bytes, int]:
    """Return the key of each part's activity, in the order of parts."""
    found: dict[int, bytes] = {}
    until, avro = time.monotonic() + _SHOWS_S, Avro.local()
    while len(found) < count:
        if time.monotonic() > until:
            raise Unavailable(f"{count - len(found)} of {count} parts did not show on {_TOPIC} within {_SHOWS_S} s")
        for message in reader.consume(500, timeout=0.2):
            if message.error() is None and message.value() and (text := avro.decode(message.value())[1]["text"]):
                found[int(text.removeprefix(_words(0)[:-1]))] = message.key()
    return {found[number]: number for number in sorted(found)}


def _is_empty(value: bytes | None) -> bool:
    """Return whether there is a tombstone, or a value without words."""
    return value is None or _words(0)[:-1].encode() not in value


def _redact(port: int, keys: dict[bytes, int], sent: dict[bytes, float]) -> None:
    instants = planned_instants(_REDACTIONS_S, 10 * len(keys) / _REDACTIONS_S, seed=7)
    begin = time.perf_counter()
    with connected(port) as connection:
        for (key, number), at in zip(keys.items(), instants, strict=False):
            body = _part(number, "conversation_part.redacted", body=None, redacted=True)
            time.sleep(max(0.0, begin + at - time.perf_counter()))
            sent[key] = begin + at
            post(connection, body)


@contextmanager
def _posting(port: int, rate: float) -> Iterator[list[int]]:
    """Post events at a rate until the end; yield how many each connection has posted."""
    ended, posted = threading.Event(), [0] * _CONNECTIONS

    def work(sender: int) -> None:
        chance, begin = random.Random(sender), time.perf_counter()
        with connected(port) as connection:
            at = 0.0
            while not ended.is_set():
                at += chance.expovariate(rate / _CONNECTIONS)
                body = _event(posted[sender] * _CONNECTIONS + sender, chance.randrange(_CONTACTS))
                time.sleep(max(0.0, begin + at - time.perf_counter()))
                post(connection, body)
                posted[sender] += 1

    threads = [threading.Thread(target=work, args=(sender,), daemon=True) for sender in range(_CONNECTIONS)]
    for thread in threads:
        thread.start()
    try:
        yield posted
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _words(number: int) -> str:
    return f"planted text {number}"


def _event(number: int, contact: int) -> bytes:
    item: Item = {
        "type": "event", "id": f"e{number}", "event_name": "invoice-paid", "created_at": int(time.time()),
        "intercom_user_id": f"contact-{contact}", "metadata": {"invoice": number, "amount": 1200},
    }  # fmt: skip
    return _notification("event.created", item)


def _part(number: int, topic: str, **written: object) -> bytes:
    """Return the post of a part of a conversation of its own."""
    at, contact = int(time.time()), {"type": "user", "id": f"author-{number}"}
    part = {
        "type": "conversation_part",
        "id": str(100_000 + number),
        "part_type": "comment",
        "created_at": at,
        "author": contact,
        **written,
    }
    item: Item = {
        "type": "conversation", "id": str(5_000 + number), "created_at": at, "updated_at": at, "state": "open",
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": contact["id"]}]},
        "statistics": {"type": "conversation_statistics", "count_conversation_parts": 2},
        "conversation_parts": {"type": "conversation_part.list", "conversation_parts": [part], "total_count": 1},
    }  # fmt: skip
    return _notification(topic, item)


def _notification(topic: str, item: Item) -> bytes:
    return notification(topic, item, id=f"notif_{random.getrandbits(64):016x}", app_id=APP_ID, created_s=int(time.time()))
