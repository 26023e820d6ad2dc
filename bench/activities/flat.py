"""What an activity costs at a person who has many, and in a conversation that is long, against little before it: CPU time of the agents' steps."""

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from bench.activities.part import PartReport
from bench.activities.pipeline import ActivityAgents
from bench.activities.posts import AT, CONVERSATIONS, EVENTS, events, part
from bench.cluster import Cluster
from bench.options import Options
from bench.report import Ratio, Spread, Table, TableRow
from bench.rounds import measurements
from schemas.activities.retention import WAKES_TOPIC
from schemas.message import RecordValue

_MANY, _QUICK_MANY = 100_000, 2_000
_FEW: Final = 10
_LONG, _QUICK_LONG = 5_000, 300
_SHORT: Final = 5
_MEASURED: Final = 2_000
_ROUNDS: Final = 2
_FLAT_PERSON, _FLAT_LATE, _FLAT_CONVERSATION = 1.3, 1.5, 1.5  # what is late writes a leaf of up to 64 marks
LATER_MS: Final = (AT + 400 * 86_400) * 1000
"""When the details of all posts have expired."""


class _Costs(NamedTuple):
    """CPU time of one activity with much before it, and with little (µs), and whether all were counted."""

    much: float
    little: float
    exact: bool


def many(options: Options) -> int:
    """Return how many activities a person has who has many."""
    return options.events or (_QUICK_MANY if options.quick else _MANY)


def person(options: Options, _: Cluster) -> PartReport:
    """Measure an event of a person who has many activities against those of people who have few."""
    count = many(options)
    titles = (f"{count:,} activities", f"{_FEW} activities")
    return _report("person", titles, _FLAT_PERSON, options, lambda: _person(count))


def late(options: Options, _: Cluster) -> PartReport:
    """Measure the same of events that come when their details have expired: they are counted, and leave marks."""
    count = many(options)
    return _report("late", (f"{count:,} expired", f"{_FEW} expired"), _FLAT_LATE, options, lambda: _person(count, late=True))


def conversation(options: Options, _: Cluster) -> PartReport:
    """Measure a part of a long conversation against those of short ones, each posted and processed by itself."""
    long = _QUICK_LONG if options.quick else _LONG
    return _report(
        "conversation", (f"{long:,} parts", f"{_SHORT} parts"), _FLAT_CONVERSATION, options, lambda: _conversation(long)
    )


def _report(name: str, titles: tuple[str, str], goal: float, options: Options, measure: Callable[[], _Costs]) -> PartReport:
    found = [measure() for _ in measurements([name], options.round_count(_ROUNDS))]
    rows = tuple(TableRow(title, (Spread.of([each[at] for each in found]),)) for at, title in enumerate(titles))
    return PartReport(
        tables=(Table(f"an activity of a {name}", ("µs",), rows),),
        ratios={name: Ratio(Spread.of([each.much / each.little for each in found]), goal, smaller_is_better=True)},
        checks={f"{name}: each is counted once": all(each.exact for each in found)},
    )


def _person(count: int, *, late: bool = False) -> _Costs:
    (much, first), (little, second) = (_cost_behind(each, late=late) for each in (count, _FEW))
    return _Costs(much, little, first and second)


def _cost_behind(count: int, *, late: bool) -> tuple[float, bool]:
    """Return the CPU time of an event of a person who has so many, and whether all were counted; of those measured each person of few has some."""
    agents = ActivityAgents()
    if late:
        agents.feed(WAKES_TOPIC, [RecordValue(b"", b"", timestamp=LATER_MS)])
    people = max(1, _MEASURED // count) if count == _FEW else 1
    for number in range(people):
        agents.feed(EVENTS, events(f"p{number}", 0, count))
    begin = time.process_time()
    for number in range(people):
        agents.feed(EVENTS, events(f"p{number}", count, _MEASURED // people))
    cpu_us = (time.process_time() - begin) / (_MEASURED // people * people) * 1e6
    return cpu_us, agents.counted() == people * (count + _MEASURED // people)


def _conversation(long: int) -> _Costs:
    one, several = ActivityAgents(), ActivityAgents()
    begin = time.process_time()
    for number in range(1, long + 1):
        one.feed(CONVERSATIONS, [part(1, number)])
    middle = time.process_time()
    for number in range(1, long + 1):
        several.feed(CONVERSATIONS, [part(1 + (number - 1) // _SHORT, 1 + (number - 1) % _SHORT)])
    end = time.process_time()
    started = -(-long // _SHORT)  # each part, and how each conversation started
    exact = one.counted() == long + 1 and several.counted() == long + started
    return _Costs((middle - begin) / long * 1e6, (end - middle) / long * 1e6, exact)
