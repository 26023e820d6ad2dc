"""Measure all rivals of the engine in turns, over the same events, and compare them round by round."""

from bench.cluster import Cluster
from bench.engine.events import publish
from bench.engine.rivals import RIVALS
from bench.engine.trial import Source, Trial, trial
from bench.options import Options
from bench.recovery import part as recovery
from bench.report import Cell, Ratio, Report, Row, Spread, Table, ratio
from bench.rounds import turns

_PARTITIONS = 4
_EVENTS = 200_000
_ROUNDS = 3
_SLOW_S = 20  # a slow rival is watched for this long
_LIMIT_S = 180  # nobody takes longer
_COLUMNS = ("events/s", "CPU µs/event", "memory MiB", "outputs", "repeated", "table fits", "what")

Trials = dict[str, dict[int, Trial]]


def run(options: Options, cluster: Cluster) -> Report:
    """Publish the events once, then give every installed rival its turns; the same with recovery."""
    chosen = options.chosen((*RIVALS, *recovery.SIDES))
    names = tuple(name for name in chosen if name in RIVALS and RIVALS[name].installed)
    rounds = options.count_of_rounds(_ROUNDS)
    source = _source(options, cluster)
    trials: Trials = {name: {} for name in names}
    for number, name in turns(names, rounds):
        limit_s = (3 if options.quick else _SLOW_S) if RIVALS[name].limited else _LIMIT_S
        trials[name][number] = trial(cluster, source, name, RIVALS[name], number=number, limit_s=limit_s)
    sides = tuple(name for name in chosen if name in recovery.SIDES)
    rows, restored = recovery.measured(options, cluster, sides, rounds=rounds, partitions=_PARTITIONS)
    return Report(
        name="engine",
        about=f"{source.count:,} events of 1.1 kB over {len(source.expected):,} keys, {_PARTITIONS} partitions",
        tables=(
            Table("engines", _COLUMNS, tuple(_row(name, list(found.values())) for name, found in trials.items())),
            recovery.table(rows, restored),
        ),
        ratios=_ratios(trials) | recovery.ratios(restored),
        checks=_checks(trials) | recovery.checks(rows, restored),
        notes=_notes(chosen),
    )


def _source(options: Options, cluster: Cluster) -> Source:
    topic = cluster.named("events")
    count = options.events or (2_000 if options.quick else _EVENTS)
    cluster.create({topic: {}}, _PARTITIONS)
    return Source(topic, _PARTITIONS, count, publish(cluster.bootstrap, topic, count, _PARTITIONS))


def _row(name: str, trials: list[Trial]) -> Row:
    cells: tuple[Cell, ...] = (
        Spread.of([each.outcome.rate for each in trials]),
        Spread.of([each.usage.cpu_s / max(each.outcome.outputs, 1) * 1e6 for each in trials]),
        Spread.of([each.usage.memory_mib for each in trials]),
        Spread.of([each.outcome.outputs for each in trials]),
        Spread.of([each.outcome.repeated for each in trials]),
        {True: "yes", False: "no", None: "not compared"}[_all_fit(trials)],
        RIVALS[name].about,
    )
    return Row(name, cells)


def _all_fit(trials: list[Trial]) -> bool | None:
    known = [each.fits for each in trials if each.fits is not None]
    return all(known) if known else None


def _ratios(trials: Trials) -> dict[str, Ratio]:
    ours = _rates(trials.get("ours", {}))
    found = {name: ratio(ours, _rates(each), goal=RIVALS[name].goal) for name, each in trials.items() if name != "ours"}
    return {name: each for name, each in found.items() if each is not None}


def _rates(trials: dict[int, Trial]) -> dict[int, float]:
    return {number: each.outcome.rate for number, each in trials.items()}


def _checks(trials: Trials) -> dict[str, bool]:
    """Ours must be exact; a rival that promises it is held to it as well, or its speed would not be comparable."""
    exact = {name: list(found.values()) for name, found in trials.items() if RIVALS[name].exact}
    return {
        **{f"{name}: every event gave exactly one output": all(each.complete for each in found) for name, found in exact.items()},
        **{
            f"{name}: its table equals what the input alone says": bool(_all_fit(found))
            for name, found in exact.items()
            if RIVALS[name].comparable
        },
    }


def _notes(names: tuple[str, ...]) -> tuple[str, ...]:
    missing = [name for name, rival in RIVALS.items() if not rival.installed]
    notes = ["events/s is from the broker's append times of the outputs; CPU is of the rival's process, its start included"]
    if any(name in RIVALS and RIVALS[name].limited for name in names):
        notes.append(f"stock_faust is stopped after {_SLOW_S} s: its rate is of the events it handled in that time")
    if "recovery_stock" in names:
        notes.append(f"recovery_stock is stopped after {recovery.STOCK_S} s: its rate is of the rows it had by then")
    if missing:
        notes.append(f"not installed, and left out: {', '.join(missing)}")
    return tuple(notes)
