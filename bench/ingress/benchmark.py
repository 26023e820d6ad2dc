"""Compare the ingress in several configurations with a bare endpoint on the same web server, in interleaved rounds."""

from collections.abc import Mapping

from bench.cluster import Cluster
from bench.ingress.load import Responses
from bench.ingress.posts import BODY_BYTES, COUNT
from bench.ingress.servers import SERVERS
from bench.ingress.trial import CONNECTIONS, Plan, Trial, trial
from bench.options import Options
from bench.report import Ratio, Report, Spread, Table, TableRow, ratio
from bench.rounds import measurements

_ROUNDS = 3
_QUICK = Plan(warm_s=0.2, closed_s=0.5, open_s=0.5, rates=(200,))
_YARDSTICK = "bare"
_SHARES = ("p50", "p99", "p99.9", "max")

Trials = dict[str, dict[int, Trial]]


def run(options: Options, cluster: Cluster) -> Report:
    """Measure every server in every round."""
    plan = _QUICK if options.quick else Plan()
    names = options.chosen(tuple(SERVERS))
    trials: Trials = {name: {} for name in names}
    for number, name in measurements(names, options.round_count(_ROUNDS)):
        trials[name][number] = trial(cluster, SERVERS[name], name, plan)
    return Report(
        name="ingress",
        about=f"posts of {BODY_BYTES:,} bytes, {COUNT} different signed ones, on {CONNECTIONS} keep-alive connections",
        tables=(_speeds(trials), *(_delays(trials, rate) for rate in plan.rates)),
        ratios=_ratios(trials),
        checks=_checks(trials),
        notes=_notes(trials),
    )


def _speeds(trials: Trials) -> Table:
    columns = ("answers/s", "kept/s", "p99 ms", "CPU µs/post", "memory MiB", "accepted", "in Kafka", "wrong", "what")
    return Table("as fast as it goes", columns, tuple(_speed(name, list(rounds.values())) for name, rounds in trials.items()))


def _speed(name: str, trials: list[Trial]) -> TableRow:
    stores_posts = SERVERS[name].stores_posts
    return TableRow(name, (
        Spread.of([each.closed.per_second for each in trials]),
        Spread.of([each.sustained for each in trials]) if stores_posts else None,
        Spread.of([each.closed.delays_ms["p99"] for each in trials]),
        Spread.of([each.cpu_us for each in trials]),
        Spread.of([each.memory_mib for each in trials]),
        f"{sum(each.accepted for each in trials):,}",
        f"{sum(each.stored for each in trials):,}" if stores_posts else None,
        f"{sum(each.wrong for each in trials):,}",
        SERVERS[name].about,
    ))  # fmt: skip


def _delays(trials: Trials, rate: int) -> Table:
    columns = (*(f"{share} ms" for share in _SHARES), "generator late p99 ms")
    rows = tuple(_delay(name, [each.rates[rate] for each in rounds.values()]) for name, rounds in trials.items())
    return Table(f"answers at {rate:,} posts/s, arriving at random, counted from the planned instant", columns, rows)


def _delay(name: str, answers: list[Responses]) -> TableRow:
    delays = (Spread.of([each.delays_ms[share] for each in answers]) for share in _SHARES)
    return TableRow(name, (*delays, Spread.of([each.late_ms["p99"] for each in answers])))


def _ratios(trials: Trials) -> Mapping[str, Ratio]:
    """Compare answers per second; for the spool, records in Kafka per second, because the drain is part of its work."""
    bare = {number: each.closed.per_second for number, each in trials.get(_YARDSTICK, {}).items()}
    ratios = {
        name: ratio(
            {
                number: min(each.sustained, each.closed.per_second) if name == "spool" else each.closed.per_second
                for number, each in trial_.items()
            },
            bare,
            goal=SERVERS[name].goal,
        )
        for name, trial_ in trials.items()
        if name != _YARDSTICK
    }
    return {name: each for name, each in ratios.items() if each is not None}


def _checks(trials: Trials) -> Mapping[str, bool]:
    stored = {
        f"{name}: everything answered 200 is in Kafka": all(each.stored >= each.accepted for each in rounds.values())
        for name, rounds in trials.items()
        if SERVERS[name].stores_posts
    }
    accepted = {
        f"{name}: every post was answered 200": all(each.wrong == 0 for each in rounds.values())
        for name, rounds in trials.items()
    }
    return {**stored, **accepted}


def _notes(trials: Trials) -> tuple[str, ...]:
    busy = {name: max(each.closed.busy for each in rounds.values()) for name, rounds in trials.items()}
    shares = ", ".join(f"{share:.0%} ({name})" for name, share in busy.items())
    return (
        "CPU and kept/s are of the closed loop; kept/s counts from the first post until Kafka has everything that was accepted",
        f"the load generator, a process of its own on the same machine, was busy at most {shares} of the time",
    )
