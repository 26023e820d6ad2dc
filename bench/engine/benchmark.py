"""Measure all rivals of the engine over the same events, in interleaved rounds, and compare them round by round."""

import sys

from bench.cluster import Cluster
from bench.engine.events import publish
from bench.engine.kafka_streams.program import compiled
from bench.engine.rivals import RIVALS
from bench.engine.trial import InputTopic, Trial, trial
from bench.options import Options
from bench.recovery import part as recovery
from bench.report import Cell, Ratio, Report, Spread, Table, TableRow, ratio
from bench.rounds import measurements
from schemas.errors import Unavailable

_PARTITIONS = 4
_EVENTS = 200_000
_ROUNDS = 3
_SLOW_S = 20  # a slow rival is stopped after this time
_LIMIT_S = 180  # no other rival takes longer
_COLUMNS = ("events/s", "CPU µs/event", "memory MiB", "outputs", "repeated", "table fits", "what")

Trials = dict[str, dict[int, Trial]]


def run(options: Options, cluster: Cluster) -> Report:
    """Publish the events once, then measure every installed rival; then measure recovery."""
    chosen = options.chosen((*RIVALS, *recovery.SIDES))
    names = _runnable(chosen)
    rounds = options.round_count(_ROUNDS)
    source = _source(options, cluster)
    trials: Trials = {name: {} for name in names}
    for number, name in measurements(names, rounds):
        limit_s = (3 if options.quick else _SLOW_S) if RIVALS[name].limited else _LIMIT_S
        trials[name][number] = trial(cluster, source, name, RIVALS[name], number=number, limit_s=limit_s)
    sides = tuple(name for name in chosen if name in recovery.SIDES)
    rows, restored = recovery.measure(options, cluster, sides, rounds=rounds, partitions=_PARTITIONS)
    return Report(
        name="engine",
        about=f"{source.count:,} events of 1.1 kB over {len(source.expected):,} keys, {_PARTITIONS} partitions",
        tables=(
            Table(
                "engines", _COLUMNS, tuple(_row(name, list(rounds_of_rival.values())) for name, rounds_of_rival in trials.items())
            ),
            recovery.table(rows, restored),
        ),
        ratios=_ratios(trials) | recovery.ratios(restored),
        checks=_checks(trials) | recovery.checks(rows, restored),
        notes=_notes(chosen, names),
    )


def _runnable(chosen: tuple[str, ...]) -> tuple[str, ...]:
    """Return the rivals that can run here. The Java program is compiled now, so that no trial has that in its CPU time."""
    names = tuple(name for name in chosen if name in RIVALS and RIVALS[name].installed)
    if any(RIVALS[name].in_java for name in names):
        try:
            compiled()
        except Unavailable as error:
            print(error, file=sys.stderr)
            return tuple(name for name in names if not RIVALS[name].in_java)
    return names


def _source(options: Options, cluster: Cluster) -> InputTopic:
    topic = cluster.prefixed("events")
    count = options.events or (2_000 if options.quick else _EVENTS)
    cluster.create({topic: {}}, _PARTITIONS)
    return InputTopic(topic, _PARTITIONS, count, publish(cluster.bootstrap, topic, count, _PARTITIONS))


def _row(name: str, trials: list[Trial]) -> TableRow:
    cells: tuple[Cell, ...] = (
        Spread.of([each.outputs.rate for each in trials]),
        Spread.of([each.usage.cpu_s / max(each.outputs.count, 1) * 1e6 for each in trials]),
        Spread.of([each.usage.memory_mib for each in trials]),
        Spread.of([each.outputs.count for each in trials]),
        Spread.of([each.outputs.repeated for each in trials]),
        {True: "yes", False: "no", None: "not compared"}[_all_fit(trials)],
        RIVALS[name].about,
    )
    return TableRow(name, cells)


def _all_fit(trials: list[Trial]) -> bool | None:
    known = [each.fits for each in trials if each.fits is not None]
    return all(known) if known else None


def _ratios(trials: Trials) -> dict[str, Ratio]:
    ours = _rates(trials.get("ours", {}))
    ratios = {name: ratio(ours, _rates(each), goal=RIVALS[name].goal) for name, each in trials.items() if name != "ours"}
    return {name: each for name, each in ratios.items() if each is not None}


def _rates(trials: dict[int, Trial]) -> dict[int, float]:
    return {number: each.outputs.rate for number, each in trials.items()}


def _checks(trials: Trials) -> dict[str, bool]:
    """Check that ours is exact, and each rival that promises it: otherwise its speed would not be comparable."""
    exact = {name: list(rounds.values()) for name, rounds in trials.items() if RIVALS[name].exact}
    return {
        **{
            f"{name}: every event gave exactly one output": all(each.complete for each in rounds)
            for name, rounds in exact.items()
        },
        **{
            f"{name}: its table equals what the input alone says": bool(_all_fit(rounds))
            for name, rounds in exact.items()
            if RIVALS[name].comparable
        },
    }


def _notes(chosen: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    missing = [name for name in chosen if name in RIVALS and name not in names]
    notes = ["events/s is from the broker's append times of the outputs; CPU is of the rival's process, its start included"]
    if any(RIVALS[name].limited for name in names):
        notes.append(f"stock_faust is stopped after {_SLOW_S} s: its rate is of the events it handled in that time")
    if "recovery_stock" in chosen:
        notes.append(f"recovery_stock is stopped after {recovery.STOCK_S} s: its rate is of the rows it had by then")
    if missing:
        notes.append(f"left out, because a package, or for Kafka Streams a JDK, is not there: {', '.join(missing)}")
    return tuple(notes)
