"""Events a second while a policy takes the details of a million activities away, against the same before: purge and new events share partitions."""

import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from bench.activities.filling import fills
from bench.activities.part import PartReport
from bench.activities.posts import EVENTS, event
from bench.activities.process import ACTIVITIES, PARTITIONS, Work, rate, working
from bench.cluster import Cluster, source_producer
from bench.options import Options
from bench.profiles.workloads import publish
from bench.report import Ratio, Spread, Table, TableRow
from bench.rounds import measurements
from schemas.activities.retention import POLICIES_TOPIC, RETENTION, RetentionMessage, RetentionPolicy
from schemas.message import RecordValue
from schemas.versioned import ENCODING

_DETAILS, _QUICK_DETAILS = 1_000_000, 2_000
_EACH: Final = 100  # details of a contact
_LIVE, _QUICK_LIVE = 20_000, 300
_LIVE_EACH: Final = 10
_FIRST_FILLS: Final = 40  # contacts, by which batches learn how long a step takes
_BEHIND: Final = 400  # events of 40 contacts, so some in each partition
_ROUNDS: Final = 1  # a round fills tables of its own
_DAYS: Final = 5  # of the shorter policy
_GOAL: Final = 0.7


class _Trial(NamedTuple):
    """Events a second before and during the purge, seconds of the purge, its details a second, whether it outlasted the events, and took each once."""

    before: float
    during: float
    seconds: float
    purged: float
    outlasted: bool
    exact: bool


def purge(options: Options, cluster: Cluster) -> PartReport:
    """Fill, measure, shorten the policy and measure again."""
    details = options.events or (_QUICK_DETAILS if options.quick else _DETAILS)
    live = _QUICK_LIVE if options.quick else _LIVE
    found = [_trial(cluster, number, details, live) for number, _ in measurements(["purge"], options.round_count(_ROUNDS))]
    cells = tuple(Spread.of([float(each[at]) for each in found]) for at in range(4))
    columns = ("events/s before", "events/s meanwhile", "seconds of the purge", "details/s")
    checks = {"purge: each detail is taken away once, and nothing else": all(each.exact for each in found)}
    if not options.quick:
        checks["purge: it goes on while the events are processed"] = all(each.outlasted for each in found)
    return PartReport(
        tables=(Table(f"{live:,} events while {details:,} details are purged", columns, (TableRow("three agents", cells),)),),
        ratios={"purge": Ratio(Spread.of([each.during / each.before for each in found]), _GOAL)},
        checks=checks,
    )


def _trial(cluster: Cluster, number: int, details: int, live: int) -> _Trial:
    contacts = -(-details // _EACH)
    with working(cluster, f"purge-{number}", details=_EACH) as work:
        rate(work, list(_posts("warm", 100)))
        _fill(work, contacts)
        before = rate(work, list(_posts("before", live)))
        sources, outputs = work.ends(EVENTS), work.ends(ACTIVITIES)
        _shorten(work)
        work.post(_posts("during", live))
        arrived = work.read(outputs, lambda found: found.values >= live and found.tombstones >= contacts * _EACH)
        first = work.first(sources)
        seconds = (arrived.last_tombstone - first) / 1000
        return _Trial(
            before.per_second, live / (arrived.last_value - first) * 1000, seconds, arrived.tombstones / seconds,
            arrived.last_tombstone > arrived.last_value,
            arrived.values == live and len(arrived.keys) == arrived.tombstones == contacts * _EACH,
        )  # fmt: skip


def _fill(work: Work, contacts: int) -> None:
    """Fill the tables, and wait until an event behind it is an activity in each partition."""
    publish(work.kafka, fills(range(min(_FIRST_FILLS, contacts))))
    rate(work, list(_posts("behind-first", _BEHIND)))
    publish(work.kafka, fills(range(_FIRST_FILLS, contacts)))
    rate(work, list(_posts("behind-all", _BEHIND)))


def _shorten(work: Work) -> None:
    """Put a shorter policy in force, as `activities policy set` does."""
    value = RETENTION.encode(RetentionMessage(1, "bench", int(time.time() * 1000), None, RetentionPolicy(_DAYS)), ENCODING)
    producer: Any = source_producer(work.kafka.bootstrap)
    for partition in range(PARTITIONS):
        producer.produce(work.kafka.topic(POLICIES_TOPIC), value, key=b"acme", partition=partition)
    producer.flush()


def _posts(name: str, count: int) -> Iterator[RecordValue]:
    contacts, at = -(-count // _LIVE_EACH), int(time.time())
    return (event(f"{name}{number % contacts}", number // contacts, at) for number in range(count))
