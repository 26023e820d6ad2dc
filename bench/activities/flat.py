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
from streams.engine.garbage_collection import infrequent_gc

_MANY, _QUICK_MANY = 100_000, 2_000
_FEW: Final = 10
_LONG, _QUICK_LONG = 5_000, 300
_SHORT: Final = 5
_MEASURED: Final = 2_000
_AT_A_TIME: Final = 10  # events
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
    """Process the events of both kinds of people alternately, ten of a person at a time, with a worker's collection of garbage."""
    with infrequent_gc():
        sides = [_Side(each, late=late) for each in (count, _FEW)]
        for number in range(_MEASURED // _AT_A_TIME):
            for side in sides:
                side.process(number)
    much, little = sides
    return _Costs(much.cpu_us(), little.cpu_us(), much.exact() and little.exact())


class _Side:
    """People who have so many activities each, and more events of them; the CPU time of these. Of people of few there are enough that all stay so."""

    def __init__(self, count: int, *, late: bool) -> None:
        self._count = count
        self._people = _MEASURED // _AT_A_TIME if count == _FEW else 1
        self._agents = ActivityAgents()
        self._cpu_s = 0.0
        if late:
            self._agents.feed(WAKES_TOPIC, [RecordValue(b"", b"", timestamp=LATER_MS)])
        for number in range(self._people):
            self._agents.feed(EVENTS, events(f"p{number}", 0, count))

    def process(self, number: int) -> None:
        """Process the next events of a person."""
        round_, person = divmod(number, self._people)
        posts = list(events(f"p{person}", self._count + round_ * _AT_A_TIME, _AT_A_TIME))
        begin = time.process_time()
        self._agents.feed(EVENTS, posts)
        self._cpu_s += time.process_time() - begin

    def cpu_us(self) -> float:
        """Return the CPU time of one event."""
        return self._cpu_s / _MEASURED * 1e6

    def exact(self) -> bool:
        """Return whether all were counted."""
        return self._agents.counted() == self._people * self._count + _MEASURED


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
