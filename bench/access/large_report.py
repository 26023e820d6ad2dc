"""The part about a large tenant, as tables and ratios."""

from statistics import median

from bench.access import large_tenant
from bench.access.part import Part
from bench.cluster import Cluster
from bench.latency.benchmark import quantiles_ms
from bench.report import Ratio, Spread, Table, TableRow

_COLUMNS = ("changes", "p50 ms", "p99 ms", "max ms")
_LARGE_TO_SMALL = 1.5
_BESIDE = 2.0


def part(cluster: Cluster, *, quick: bool) -> Part:
    """Measure, and compare the large tenant with the small one, and the small one with itself."""
    found = large_tenant.measure(cluster, quick=quick)
    series = {
        "small tenant": found.small_ms,
        "large tenant": found.large_ms,
        "small tenant, nothing else": found.quiet_ms,
        "small tenant, beside a policy of the large one": found.beside_ms,
    }
    rows = tuple(TableRow(name, (Spread.of([float(len(each))]), *_quantiles(each))) for name, each in series.items())
    ratios = {
        "large_to_small_p50": _ratio(median(found.large_ms) / median(found.small_ms), _LARGE_TO_SMALL),
        "beside_policy_p99": _ratio(quantiles_ms(found.beside_ms)["p99"] / quantiles_ms(found.quiet_ms)["p99"], _BESIDE),
    }
    of_policy = TableRow(f"{found.accounts:,} accounts", (Spread.of(found.policies_s), Spread.of([found.mib_a_thousand])))
    return Part(
        tables=(
            Table("a teammate nobody knows, to the violation", _COLUMNS, rows),
            Table("the large tenant", ("policy s", "MiB a thousand accounts"), (of_policy,)),
        ),
        ratios=ratios,
    )


def _quantiles(delays: list[float]) -> tuple[Spread, ...]:
    found = quantiles_ms(delays)
    return tuple(Spread.of([found[name]]) for name in ("p50", "p99", "max"))


def _ratio(value: float, goal: float) -> Ratio:
    return Ratio(Spread.of([value]), goal, smaller_is_better=True)
