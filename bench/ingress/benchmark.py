"""Measure the ingress in its ways of working against a bare endpoint on the same web server, in turns."""

from collections.abc import Mapping

from bench.cluster import Cluster
from bench.ingress.load import Answers
from bench.ingress.posts import BODY_BYTES, COUNT
from bench.ingress.servers import SERVERS
from bench.ingress.trial import CONNECTIONS, Plan, Trial, trial
from bench.options import Options
from bench.report import Ratio, Report, Row, Spread, Table, ratio
from bench.rounds import turns

_ROUNDS = 3
_QUICK = Plan(warm_s=0.2, closed_s=0.5, open_s=0.5, rates=(200,))
_YARDSTICK = "bare"
_SHARES = ("p50", "p99", "p99.9", "max")

Trials = dict[str, dict[int, Trial]]


def run(options: Options, cluster: Cluster) -> Report:
    """Give every server its turns."""
    plan = _QUICK if options.quick else Plan()
    names = options.chosen(tuple(SERVERS))
    trials: Trials = {name: {} for name in names}
    for number, name in turns(names, options.count_of_rounds(_ROUNDS)):
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
    return Table("as fast as it goes", columns, tuple(_speed(name, list(found.values())) for name, found in trials.items()))


def _speed(name: str, trials: list[Trial]) -> Row:
    keeps = SERVERS[name].keeps
    return Row(name, (
        Spread.of([each.closed.per_second for each in trials]),
        Spread.of([each.sustained for each in trials]) if keeps else None,
        Spread.of([each.closed.delays_ms["p99"] for each in trials]),
        Spread.of([each.cpu_us for each in trials]),
        Spread.of([each.memory_mib for each in trials]),
        f"{sum(each.accepted for each in trials):,}",
        f"{sum(each.kept for each in trials):,}" if keeps else None,
        f"{sum(each.wrong for each in trials):,}",
        SERVERS[name].about,
    ))  # fmt: skip


def _delays(trials: Trials, rate: int) -> Table:
    columns = (*(f"{share} ms" for share in _SHARES), "generator late p99 ms")
    rows = tuple(_delay(name, [each.rates[rate] for each in found.values()]) for name, found in trials.items())
    return Table(f"answers at {rate:,} posts/s, arriving at random, counted from the planned instant", columns, rows)


def _delay(name: str, answers: list[Answers]) -> Row:
    delays = (Spread.of([each.delays_ms[share] for each in answers]) for share in _SHARES)
    return Row(name, (*delays, Spread.of([each.late_ms["p99"] for each in answers])))


def _ratios(trials: Trials) -> Mapping[str, Ratio]:
    """Compare answers a second; for the spool what reached Kafka a second, because the drain is part of its work."""
    bare = {number: each.closed.per_second for number, each in trials.get(_YARDSTICK, {}).items()}
    found = {
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
    return {name: each for name, each in found.items() if each is not None}


def _checks(trials: Trials) -> Mapping[str, bool]:
    kept = {
        f"{name}: everything answered 200 is in Kafka": all(each.kept >= each.accepted for each in found.values())
        for name, found in trials.items()
        if SERVERS[name].keeps
    }
    right = {
        f"{name}: every post was answered 200": all(each.wrong == 0 for each in found.values()) for name, found in trials.items()
    }
    return {**kept, **right}


def _notes(trials: Trials) -> tuple[str, ...]:
    busy = {name: max(each.closed.busy for each in found.values()) for name, found in trials.items()}
    told = ", ".join(f"{share:.0%} ({name})" for name, share in busy.items())
    return (
        "CPU and kept/s are of the closed loop; kept/s counts from the first post until Kafka has everything that was accepted",
        f"the load generator, a process of its own on the same machine, was busy at most {told} of the time",
    )
