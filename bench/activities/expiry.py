"""What is left of activities whose details have expired: bytes of their contact's rows, before their conversation is sealed and afterwards."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from bench.activities.flat import LATER_MS, many
from bench.activities.part import PartReport
from bench.activities.pipeline import ActivityAgents
from bench.activities.posts import AT, CONVERSATIONS, EVENTS, events, part
from bench.cluster import Cluster
from bench.options import Options
from bench.report import Ratio, Spread, Table, TableRow
from bench.rounds import measurements
from schemas.activities.retention import WAKES_TOPIC
from schemas.message import RecordValue
from schemas.profiles.checkpoints import DUE_TYPE
from schemas.topics import DAY_MS
from streams.core.conversations.sealing import SEALED_AFTER_S

_ROUNDS: Final = 2
_SEALED_MS: Final = (AT + SEALED_AFTER_S) * 1000 + 40 * DAY_MS
_DUE: Final = (("ce_type", DUE_TYPE.encode()), ("ce_origin", b"checkpoint"))
_PARTS: Final = 20  # of a conversation
_CONTACT, _FIRST_CONVERSATION = "64a1f0c2e5b7d89012345678", 215_468_871_000_001  # as long as Intercom's own: they are in keys
_SEALED_PARTS, _QUICK_PARTS = 10_000, 1_000  # in conversations of one contact
_BYTES, _SEALED_BYTES = 40.0, 12.0
_COLUMNS: Final = ("µs", "bytes before", "bytes after", "bytes in the profile's rows")


class _Left(NamedTuple):
    """Of activities whose details expire: CPU time of each (µs), the bytes of their contact's rows before and after, of their profile's, and whether all are counted still."""

    cpu_us: float
    before: float
    after: float
    profile: float
    exact: bool


def expiry(options: Options, _: Cluster) -> PartReport:
    """Let the events of a contact expire, which are in no conversation."""
    count = many(options)
    found = [_expired_events(count) for _ in measurements(["expiry"], options.round_count(_ROUNDS))]
    return _report("expiry", f"one of {count:,} events of a contact", "bytes_per_expired", _BYTES, found)


def sealed(options: Options, _: Cluster) -> PartReport:
    """Let the parts of a contact's conversations expire, and seal these."""
    count = _QUICK_PARTS if options.quick else _SEALED_PARTS
    found = [_sealed_parts(count) for _ in measurements(["sealed"], options.round_count(_ROUNDS))]
    title = f"one of {count:,} parts in sealed conversations of a contact"
    return _report("sealed", title, "bytes_per_sealed", _SEALED_BYTES, found)


def _report(name: str, title: str, ratio: str, goal: float, found: list[_Left]) -> PartReport:
    cells = tuple(Spread.of([each[at] for each in found]) for at in range(len(_COLUMNS)))
    return PartReport(
        tables=(Table(f"details that expire: {name}", _COLUMNS, (TableRow(title, cells),)),),
        ratios={ratio: Ratio(Spread.of([each.after for each in found]), goal, smaller_is_better=True)},
        checks={f"{name}: counts stay": all(each.exact for each in found)},
    )


def _expired_events(count: int) -> _Left:
    agents = ActivityAgents()
    agents.feed(EVENTS, events("p", 0, count))
    return _left(agents, count, lambda: agents.feed(WAKES_TOPIC, [RecordValue(b"", b"", timestamp=LATER_MS)]))


def _sealed_parts(count: int) -> _Left:
    agents = ActivityAgents()
    for number in range(count // _PARTS):
        agents.feed(CONVERSATIONS, [part(_FIRST_CONVERSATION + number, each, contact=_CONTACT) for each in range(1, _PARTS + 1)])

    def seal() -> None:
        agents.feed(WAKES_TOPIC, [RecordValue(b"", b"", timestamp=LATER_MS)])
        for _ in range(1 + count // _PARTS // 100):  # a round writes some rows at a time
            agents.feed(CONVERSATIONS, [RecordValue(b"", b"", _DUE, timestamp=_SEALED_MS)])

    return _left(agents, agents.counted(), seal)


def _left(agents: ActivityAgents, count: int, work: Callable[[], None]) -> _Left:
    before = agents.bytes_of("activities")
    begin = time.process_time()
    work()
    cpu_us = (time.process_time() - begin) / count * 1e6
    gone = not any(agents.published["activities"].values())
    after, profile = agents.bytes_of("activities"), agents.bytes_of("timelines")
    return _Left(cpu_us, before / count, after / count, profile / count, gone and agents.counted() == count)
