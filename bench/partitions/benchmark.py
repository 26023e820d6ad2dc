"""The same work with 4, 16 and 64 partitions in one process: connections, memory, delays at rest and throughput."""

from types import MappingProxyType

from bench.cluster import Cluster
from bench.latency.benchmark import quantiles_ms
from bench.options import Options
from bench.partitions import engine, worker
from bench.partitions.trial import Trial
from bench.report import Ratio, Report, Spread, Table, TableRow, ratio
from bench.rest import WARM
from bench.rounds import measurements

_COUNTS = (4, 16, 64)
_TRIALS = MappingProxyType({"engine": engine.trial, "worker": worker.trial})
_EVENTS = MappingProxyType({"engine": 200_000, "worker": 20_000})
_POSTS = 100
_COLUMNS = ("connections", "memory MiB", "start s", "events/s", "outputs", "repeated", "at rest p50 ms", "p99 ms", "max ms")

Trials = dict[str, dict[int, Trial]]  # by system and partitions, then round


def run(options: Options, cluster: Cluster) -> Report:
    """Measure every system with every number of partitions."""
    chosen = options.chosen(tuple(_TRIALS))
    wanted = {f"{system}_{partitions}": (system, partitions) for system in chosen for partitions in _COUNTS}
    posts, warm = (3, 1) if options.quick else (_POSTS, WARM)
    trials: Trials = {name: {} for name in wanted}
    for number, name in measurements(tuple(wanted), options.round_count(1)):
        system, partitions = wanted[name]
        count = options.events or (1_000 if options.quick else _EVENTS[system])
        trial = _TRIALS[system](cluster, partitions, count, name=f"{name}-{number}".replace("_", "-"), warm=warm, posts=posts)
        trials[name][number] = trial
    return Report(
        name="partitions",
        about="one process: first a backlog, then single events one at a time",
        tables=(
            Table("by system and partitions", _COLUMNS, tuple(_row(name, list(each.values())) for name, each in trials.items())),
        ),
        ratios={name: each for system in chosen for name, each in _ratios(system, trials).items()},
        checks={
            f"{name}: every event had its one output, and the last were right": _all_correct(each)
            for name, each in trials.items()
        },
        notes=(
            "engine: the agent of the engine benchmark; worker: the product's, all agents, contacts to people, posts through the ingress",
            f"ratios are against {_COUNTS[0]} partitions; start is from the start of the process to its first output",
        ),
    )


def _all_correct(trials: dict[int, Trial]) -> bool:
    return all(each.is_correct for each in trials.values())


def _row(name: str, trials: list[Trial]) -> TableRow:
    delays = [quantiles_ms(each.delays_ms) for each in trials]
    return TableRow(
        name,
        (
            Spread.of([each.connections for each in trials]),
            Spread.of([each.memory_mib for each in trials]),
            Spread.of([each.start_s for each in trials]),
            Spread.of([each.rate for each in trials]),
            Spread.of([each.outputs for each in trials]),
            Spread.of([each.repeated for each in trials]),
            *(Spread.of([each[share] for each in delays]) for share in ("p50", "p99", "max")),
        ),
    )


def _ratios(system: str, trials: Trials) -> dict[str, Ratio]:
    """Compare with the fewest partitions: the rate, and the 99th percentile at rest."""
    fewest, *others = _COUNTS
    ratios: dict[str, Ratio | None] = {}
    for partitions in others:
        name, base = f"{system}_{partitions}", f"{system}_{fewest}"
        ratios[f"{name}_rate"] = ratio(_rates(trials[name]), _rates(trials[base]))
        ratios[f"{name}_p99"] = ratio(_slowest(trials[name]), _slowest(trials[base]), smaller_is_better=True)
    return {name: each for name, each in ratios.items() if each is not None}


def _rates(trials: dict[int, Trial]) -> dict[int, float]:
    return {number: each.rate for number, each in trials.items()}


def _slowest(trials: dict[int, Trial]) -> dict[int, float]:
    return {number: quantiles_ms(each.delays_ms)["p99"] for number, each in trials.items()}
