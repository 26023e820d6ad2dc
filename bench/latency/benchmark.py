"""Measure each path through ours and through the plain loops, in turns."""

from bench.cluster import Cluster
from bench.ingress.load import quantiles
from bench.latency.paths import PATHS
from bench.latency.systems import SYSTEMS
from bench.latency.trial import Trial, trial
from bench.options import Options
from bench.report import Ratio, Report, Row, Spread, Table, ratio
from bench.rounds import turns

_ROUNDS = 3
_POSTS = 20
_WITHIN_MS = 2_000  # what a person who waits for a violation was promised, by median
_COLUMNS = ("p50 ms", "p99 ms", "max ms", "answer p50 ms", "answer p99 ms")

Trials = dict[str, dict[int, Trial]]  # by system, then round


def run(options: Options, cluster: Cluster) -> Report:
    """Give every system its turns on every path."""
    posts = 3 if options.quick else _POSTS
    names = options.chosen(tuple(SYSTEMS))
    found: dict[str, Trials] = {path: {name: {} for name in names} for path in PATHS}
    for number, name in turns(names, options.count_of_rounds(_ROUNDS)):
        for path, each in PATHS.items():
            found[path][name][number] = trial(cluster, name, each, name=f"{path}-{name}-{number}", posts=posts)
    return Report(
        name="latency",
        about=f"{posts} posts a round, one at a time, until a read_committed reader has the consequence",
        tables=tuple(Table(PATHS[path].about, _COLUMNS, _rows(trials)) for path, trials in found.items()),
        ratios={name: each for path, trials in found.items() for name, each in _ratios(path, trials).items()},
        checks=_checks(found),
        notes=("p99 of so few posts is the slowest one: read it as an order of magnitude",),
    )


def _rows(trials: Trials) -> tuple[Row, ...]:
    return tuple(Row(name, _cells(list(rounds.values()))) for name, rounds in trials.items())


def _cells(trials: list[Trial]) -> tuple[Spread, ...]:
    shown = [quantiles_ms(each.shown_ms) for each in trials]
    answered = [quantiles_ms(each.answered_ms) for each in trials]
    return (
        *(Spread.of([each[share] for each in shown]) for share in ("p50", "p99", "max")),
        *(Spread.of([each[share] for each in answered]) for share in ("p50", "p99")),
    )


def quantiles_ms(values: list[float]) -> dict[str, float]:
    """Return the quantiles of values that are milliseconds already."""
    return quantiles([each / 1000 for each in values])


def _ratios(path: str, trials: Trials) -> dict[str, Ratio]:
    """Ours against the plain loops, by p50 and p99: how many times as long it takes."""
    found: dict[str, Ratio] = {}
    for share in ("p50", "p99"):
        ours, plain = ({number: quantiles_ms(t.shown_ms)[share] for number, t in trials.get(n, {}).items()} for n in SYSTEMS)
        each = ratio(ours, plain, smaller_is_better=True)
        if each is not None:
            found[f"{path}_{share}"] = each
    return found


def _checks(found: dict[str, Trials]) -> dict[str, bool]:
    rounds = found["violation"].get("ours", {}).values()
    medians = [quantiles_ms(each.shown_ms)["p50"] for each in rounds]
    return {f"a violation shows within {_WITHIN_MS} ms of its post, by median": max(medians) <= _WITHIN_MS} if medians else {}
