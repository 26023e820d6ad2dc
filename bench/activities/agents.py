"""Events a second through the three agents on Kafka, against the same engine that passes the records and rows of these without their work."""

import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Final

from bench.activities.part import PartReport
from bench.activities.pipeline import ActivityAgents
from bench.activities.posts import EVENTS, event
from bench.activities.process import EventRate, rate, working
from bench.activities.worker import AGENTS
from bench.cluster import Cluster
from bench.options import Options
from bench.profiles.prepared import HopWriting, PreparedHop, PreparedRecord, prepared_hop, save
from bench.report import Ratio, Spread, Table, TableRow
from bench.rounds import measurements
from schemas.message import RecordValue

_OURS, _PASSING = "ours", "the engine alone"
_EVENTS, _QUICK_EVENTS = 30_000, 300
_EACH: Final = 10  # events of a contact
_WARM_UP: Final = 1_000
_ROUNDS: Final = 3
_GOAL: Final = 0.3
_SEEN: Final = 0.5  # rows of a kind for each event; what is rarer is left out
_MODEL: Final = 4_000


def agents(options: Options, cluster: Cluster) -> PartReport:
    """Measure both in interleaved rounds."""
    count = options.events or (_QUICK_EVENTS if options.quick else _EVENTS)
    rates: dict[str, dict[int, EventRate]] = {_OURS: {}, _PASSING: {}}
    with tempfile.TemporaryDirectory(prefix="intercom-streams-bench-") as folder:
        file = Path(folder) / "prepared"
        save(_prepared(), file)
        for number, name in measurements((_OURS, _PASSING), options.round_count(_ROUNDS)):
            prepared = str(file) if name == _PASSING else ""
            with working(cluster, f"agents-{number}-{len(prepared)}", prepared=prepared) as work:
                rate(work, _posts("w", min(count, _WARM_UP)))
                rates[name][number] = rate(work, _posts("m", count))
    shares = [rates[_OURS][number].per_second / rates[_PASSING][number].per_second for number in rates[_OURS]]
    rows = tuple(
        TableRow(name, tuple(Spread.of([each[at] for each in found.values()]) for at in range(2)))
        for name, found in rates.items()
    )
    title = f"{count:,} events, {_EACH} of a contact, through happenings, activities and timelines"
    return PartReport(
        tables=(Table(title, ("events/s", "CPU µs/event"), rows),),
        ratios={"agents": Ratio(Spread.of(shares), _GOAL)},
        checks={"agents: each event is an activity": all(found.per_second > 0 for found in rates[_OURS].values())},
    )


def _posts(name: str, count: int) -> list[RecordValue]:
    """Return posts of events, a contact's apart from each other."""
    contacts, at = -(-count // _EACH), int(time.time())  # older ones would leave no details
    return [event(f"{name}{number % contacts}", number // contacts, at) for number in range(count)]


def _prepared() -> dict[str, PreparedHop]:
    """Return what the agents write for each event, from a run in this process."""
    model = ActivityAgents(keeping=True)
    model.feed(EVENTS, _posts("model", _MODEL))
    return {name: _hop(model, name) for name in AGENTS}


def _hop(model: ActivityAgents, name: str) -> PreparedHop:
    records: dict[str, list[PreparedRecord]] = defaultdict(list)
    for each in model.sent[name]:
        records[each.topic].append(PreparedRecord(each.key or b"", each.value, tuple(each.headers)))
    hop = prepared_hop(HopWriting(changelog="", outputs=tuple(records), inputs=_MODEL), records)
    rows: dict[str, list[PreparedRecord]] = defaultdict(list)
    for key, value in model.written[name]:
        rows[key.partition("|")[2].partition("|")[0]].append(PreparedRecord(key.encode(), value, ()))
    usual = {kind: each[:: max(1, len(each) // 2_000)] for kind, each in rows.items() if len(each) >= _SEEN * _MODEL}
    return PreparedHop(rows=usual, outputs=hop.outputs, per_input=hop.per_input)
