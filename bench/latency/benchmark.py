"""Measure ours and the plain loops in interleaved rounds, on each path, one post at a time."""

from collections.abc import Iterator, Mapping

from bench.cluster import Cluster
from bench.ingress.load import quantiles
from bench.latency.paths import PATHS
from bench.latency.systems import SYSTEMS
from bench.latency.trial import BUSY_PATH, Trial, trial
from bench.options import Options
from bench.report import Ratio, Report, Spread, Table, TableRow, ratio
from bench.rest import WARM
from bench.rounds import measurements

_ROUNDS = 5
_POSTS = {"person": 200, "violation": 200}  # p99 of 200 is the second slowest; that of 20 was chance
_WARM = {"person": WARM, "violation": 50}  # posts before the measured ones; the broker is warm already for the second path
_POSTS_WITHOUT_PAUSES = 300
_GOAL = 1.5  # for p99
_LOAD = 0.3  # share of the full throughput; above it the system is not at rest
_WITHIN_MS = 2_000  # the promised median time to a violation
_COLUMNS = ("p50 ms", "p99 ms", "max ms", "answer p50 ms", "answer p99 ms", "posts/s")
_SHARES_BEFORE = ("p50", "p99")

Trials = dict[str, dict[int, Trial]]  # by system, then round


def run(options: Options, cluster: Cluster) -> Report:
    """Measure every system in every round."""
    posts = dict.fromkeys(_POSTS, 3) if options.quick else _POSTS
    warm, busy = (dict.fromkeys(_POSTS, 1), 10) if options.quick else (_WARM, _POSTS_WITHOUT_PAUSES)
    names = options.chosen(tuple(SYSTEMS))
    trials: Trials = {name: {} for name in names}
    for number, name in measurements(names, options.round_count(_ROUNDS)):
        trials[name][number] = trial(cluster, name, number=number, posts=posts, warm=warm, busy=busy)
    return Report(
        name="latency",
        about="posts one at a time, with pauses, until a read_committed reader has the consequence",
        tables=(*(_table(path, posts[path], trials) for path in posts), _warm_up_table(warm, trials), _load(busy, trials)),
        ratios={name: each for path in posts for name, each in _ratios(path, trials).items()},
        checks=_deadline_check(trials) | ({} if options.quick else _load_check(trials)),
        notes=("p99 of 200 posts is the second slowest one",),
    )


def _table(path: str, posts: int, trials: Trials) -> Table:
    rows = tuple(TableRow(name, _cells(path, list(rounds.values()))) for name, rounds in trials.items())
    return Table(f"{PATHS[path].about}: {posts} posts a round", _COLUMNS, rows)


def _cells(path: str, trials: list[Trial]) -> tuple[Spread, ...]:
    timings = [each.paths[path] for each in trials]
    shown = [quantiles_ms(each.shown_ms) for each in timings]
    answered = [quantiles_ms(each.answered_ms) for each in timings]
    return (
        *(Spread.of([each[share] for each in shown]) for share in ("p50", "p99", "max")),
        *(Spread.of([each[share] for each in answered]) for share in ("p50", "p99")),
        Spread.of([each.rate for each in timings]),
    )


def _warm_up_table(warm: Mapping[str, int], trials: Trials) -> Table:
    columns = tuple(f"{path} {share} ms" for path in warm for share in _SHARES_BEFORE)
    rows = tuple(TableRow(name, tuple(_warm_up_cells(warm, list(rounds.values())))) for name, rounds in trials.items())
    counts = ", ".join(f"{count} to {path}" for path, count in warm.items())
    return Table(f"the first posts after the start, in no ratio: {counts}", columns, rows)


def _warm_up_cells(warm: Mapping[str, int], trials: list[Trial]) -> Iterator[Spread]:
    for path in warm:
        shown = [quantiles_ms(each.paths[path].before_ms) for each in trials]
        yield from (Spread.of([each[share] for each in shown]) for share in _SHARES_BEFORE)


def _load(busy: int, trials: Trials) -> Table:
    rows = (
        TableRow(
            name,
            (Spread.of([each.busy_rate for each in rounds.values()]), Spread.of([each.load * 100 for each in rounds.values()])),
        )
        for name, rounds in trials.items()
    )
    title = f"the load: {busy} posts to {BUSY_PATH} without pauses, on one connection"
    return Table(title, ("posts/s without pauses", "% of that at rest"), tuple(rows))


def quantiles_ms(values: list[float]) -> dict[str, float]:
    """Return the quantiles of values that are milliseconds already."""
    return quantiles([each / 1000 for each in values])


def _ratios(path: str, trials: Trials) -> dict[str, Ratio]:
    """Return ours divided by the plain loops, for p50 and p99 of the delay."""
    ratios: dict[str, Ratio] = {}
    for share in ("p50", "p99"):
        ours, plain = (_by_round(path, share, trials.get(name, {})) for name in SYSTEMS)
        goal = _GOAL if share == "p99" else None
        each = ratio(ours, plain, goal=goal, smaller_is_better=True)
        if each is not None:
            ratios[f"{path}_{share}"] = each
    return ratios


def _by_round(path: str, share: str, trials: dict[int, Trial]) -> dict[int, float]:
    return {number: quantiles_ms(each.paths[path].shown_ms)[share] for number, each in trials.items()}


def _deadline_check(trials: Trials) -> dict[str, bool]:
    medians = _by_round("violation", "p50", trials.get("ours", {})).values()
    return {f"a violation shows within {_WITHIN_MS} ms of its post, by median": max(medians) <= _WITHIN_MS} if medians else {}


def _load_check(trials: Trials) -> dict[str, bool]:
    loads = [each.load for rounds in trials.values() for each in rounds.values()]
    return {f"the load at rest is below {_LOAD:.0%} of what goes through without pauses": max(loads) < _LOAD}
