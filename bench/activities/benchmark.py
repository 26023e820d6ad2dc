"""What an activity costs by how much there is before it, and what is left of one whose details have expired."""

import time
from typing import Final, NamedTuple

from bench.activities.pipeline import ActivityAgents
from bench.activities.posts import AT, CONVERSATIONS, EVENTS, events, part
from bench.cluster import Cluster
from bench.options import Options
from bench.report import Ratio, Report, Spread, Table, TableRow
from bench.rounds import measurements
from schemas.activities.retention import WAKES_TOPIC
from schemas.message import RecordValue

_PERSON, _CONVERSATION, _EXPIRY = "person", "conversation", "expiry"
_MANY, _QUICK_MANY = 100_000, 2_000
_FEW: Final = 10
_LONG, _QUICK_LONG = 5_000, 300
_SHORT: Final = 5
_MEASURED: Final = 2_000
_DAY_MS: Final = 86_400_000
_LATER_DAYS: Final = 400

_FLAT_PERSON, _FLAT_CONVERSATION, _BYTES = 1.3, 1.5, 40.0


class _Figures(NamedTuple):
    """CPU time of one activity with much before it, and with little (µs), and whether all were counted."""

    much: float
    little: float
    exact: bool


class _Expiry(NamedTuple):
    """Of activities whose details expire: CPU time of each (µs), the bytes of its contact's rows before and after, and whether all are counted still."""

    cpu_us: float
    before: float
    after: float
    exact: bool


def run(options: Options, _: Cluster) -> Report:
    """Measure each part in this process; no Kafka takes part."""
    chosen = options.chosen((_PERSON, _CONVERSATION, _EXPIRY))
    many = options.events or (_QUICK_MANY if options.quick else _MANY)
    long = _QUICK_LONG if options.quick else _LONG
    flat: dict[str, list[_Figures]] = {}
    expired: list[_Expiry] = []
    for _number, name in measurements(chosen, options.round_count(2)):
        if name == _EXPIRY:
            expired.append(_expiry(many))
        else:
            flat.setdefault(name, []).append(_person(many) if name == _PERSON else _conversation(long))
    goals = {_PERSON: _FLAT_PERSON, _CONVERSATION: _FLAT_CONVERSATION}
    ratios = {
        name: Ratio(Spread.of([each.much / each.little for each in of]), goals[name], smaller_is_better=True)
        for name, of in flat.items()
    }
    if expired:
        ratios["bytes_per_expired"] = Ratio(Spread.of([each.after for each in expired]), _BYTES, smaller_is_better=True)
    return Report(
        name="activities",
        about=f"a person of {many:,} activities, and a conversation of {long:,} parts; CPU time of the agents in one process, without Kafka",
        tables=(*_flat_tables(flat, many, long), *_expiry_tables(expired)),
        ratios=ratios,
        checks={f"{name}: each is counted once": all(each.exact for each in of) for name, of in flat.items()}
        | ({f"{_EXPIRY}: counts stay": all(each.exact for each in expired)} if expired else {}),
    )


def _flat_tables(flat: dict[str, list[_Figures]], many: int, long: int) -> list[Table]:
    titles = {_PERSON: (f"{many:,} activities", f"{_FEW} activities"), _CONVERSATION: (f"{long:,} parts", f"{_SHORT} parts")}
    return [
        Table(
            f"an activity of a {name}",
            ("µs",),
            (TableRow(titles[name][0], (Spread.of([each.much for each in of]),)), TableRow(titles[name][1], (Spread.of([each.little for each in of]),))),
        )
        for name, of in flat.items()
    ]  # fmt: skip


def _expiry_tables(expired: list[_Expiry]) -> list[Table]:
    if not expired:
        return []
    cells = tuple(Spread.of([each[at] for each in expired]) for at in range(3))
    return [Table("details that expire", ("µs", "bytes before", "bytes after"), (TableRow("one activity of a contact", cells),))]


def _person(many: int) -> _Figures:
    (much, first), (little, second) = (_cost_behind(count) for count in (many, _FEW))
    return _Figures(much, little, first and second)


def _cost_behind(count: int) -> tuple[float, bool]:
    """Return the CPU time of an event of a person who has so many, and whether all were counted; of those measured each person of few has some."""
    agents = ActivityAgents()
    people = max(1, _MEASURED // count) if count == _FEW else 1
    for number in range(people):
        agents.feed(EVENTS, events(f"p{number}", 0, count))
    begin = time.process_time()
    for number in range(people):
        agents.feed(EVENTS, events(f"p{number}", count, _MEASURED // people))
    cpu_us = (time.process_time() - begin) / (_MEASURED // people * people) * 1e6
    return cpu_us, agents.counted() == people * (count + _MEASURED // people)


def _conversation(long: int) -> _Figures:
    one, many = ActivityAgents(), ActivityAgents()
    begin = time.process_time()
    for number in range(1, long + 1):
        one.feed(CONVERSATIONS, [part(1, number)])
    middle = time.process_time()
    for number in range(1, long + 1):
        many.feed(CONVERSATIONS, [part(1 + (number - 1) // _SHORT, 1 + (number - 1) % _SHORT)])
    end = time.process_time()
    exact = one.counted() == long + 1 and many.counted() == long + -(
        -long // _SHORT
    )  # each part, and how each conversation started
    return _Figures((middle - begin) / long * 1e6, (end - middle) / long * 1e6, exact)


def _expiry(many: int) -> _Expiry:
    agents = ActivityAgents()
    agents.feed(EVENTS, events("p", 0, many))
    before = _bytes(agents)
    begin = time.process_time()
    day = RecordValue(b"", b"", timestamp=AT * 1000 + _LATER_DAYS * _DAY_MS)
    agents.feed(WAKES_TOPIC, [day])
    cpu_us = (time.process_time() - begin) / many * 1e6
    gone = not any(agents.published["activities"].values())
    return _Expiry(cpu_us, before / many, _bytes(agents) / many, gone and agents.counted() == many)


def _bytes(agents: ActivityAgents) -> int:
    """Return the bytes of a contact's rows, keys and values, in the table of the activities agent."""
    return sum(len(key.encode()) + len(value) for key, value in agents.tables["activities"].rows().items())
