"""Measure one, two and four workers on contact webhooks, and compare their ratio with what the formula says from one worker's figures."""

import os
from typing import Final

from bench.cluster import Cluster
from bench.options import Options
from bench.product import command
from bench.profiles.benchmark import tenancy
from bench.profiles.systems import OURS
from bench.profiles.trial import Trial, measured
from bench.profiles.workloads import WORKLOADS, Routed, routed
from bench.report import Ratio, Report, Spread, Table, TableRow, ratio
from bench.rounds import measurements
from bench.scale.formula import speedup
from schemas.errors import BadConfiguration

_WORKERS: Final = (1, 2, 4)
_ROUNDS: Final = 3
_WORKLOAD: Final = "live"
_QUICK_EVENTS: Final = 600
_COLUMNS: Final = ("events/s", "workers' CPU µs/event", "broker's CPU µs/event", "÷ one worker", "the formula says")


def run(options: Options, cluster: Cluster) -> Report:
    """Measure in interleaved rounds."""
    kind = WORKLOADS[_WORKLOAD]
    workload = routed(kind.make(options.events or (_QUICK_EVENTS if options.quick else kind.events)), tenancy())
    counts = tuple(int(name) for name in options.chosen(tuple(map(str, _WORKERS))))
    if 1 not in counts:
        raise BadConfiguration("--only has to name 1 too: one worker is what the others are compared with")
    trials: dict[int, dict[int, Trial]] = {count: {} for count in counts}
    for number, name in measurements([str(count) for count in counts], options.round_count(_ROUNDS)):
        trials[int(name)][number] = _measure(cluster, workload, int(name), number)
    cores = os.cpu_count() or 1
    one = list(trials[1].values())
    predicted = {
        count: speedup(
            count, cores, worker_us=Spread.of([each.cpu_us for each in one]).median,
            broker_us=Spread.of([each.broker_us for each in one]).median,
        )
        for count in counts
    }  # fmt: skip
    rates = {count: {number: each.rate for number, each in rounds.items()} for count, rounds in trials.items()}
    speedups = {count: found for count in counts if (found := ratio(rates[count], rates[1])) is not None}
    return Report(
        name="scale",
        about=f"one, two and four workers on contact webhooks, {cores} cores, which the broker shares",
        tables=(Table(f"{workload.posts:,} posts", _COLUMNS, tuple(_row(count, trials[count], speedups, predicted) for count in counts)),),
        ratios={
            f"measured_to_predicted_{count}": Ratio(
                Spread(*(part / predicted[count] for part in (each.value.median, each.value.low, each.value.high)))
            )
            for count, each in speedups.items()
            if count > 1
        },
        checks={
            f"{count} workers: one change an event, and the persons that follow from the posts": all(
                each.complete and each.fits for each in rounds.values()
            )
            for count, rounds in trials.items()
        },
        notes=(
            f"with {cores} cores for workers and broker no number of workers is faster than the cores: what more cores give is not shown",
            "the broker's CPU has the writing of the posts in it",
        ),
    )  # fmt: skip


def _measure(cluster: Cluster, workload: Routed, workers: int, number: int) -> Trial:
    verb = ("worker",) if workers == 1 else ("run", "--workers", str(workers))
    name = f"scale-{workers}-{number}"
    with measured(cluster, OURS, workload, trial_name=name, child_of=lambda start: command(start.config, *verb)) as (
        _,
        result,
        _,
    ):
        return result


def _row(count: int, rounds: dict[int, Trial], speedups: dict[int, Ratio], predicted: dict[int, float]) -> TableRow:
    return TableRow(
        f"{count} worker{'s' if count > 1 else ''}",
        (
            Spread.of([each.rate for each in rounds.values()]),
            Spread.of([each.cpu_us for each in rounds.values()]),
            Spread.of([each.broker_us for each in rounds.values()]),
            speedups[count].value,
            f"{predicted[count]:.2f}",
        ),
    )
