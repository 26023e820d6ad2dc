"""The part about sizes, as tables and ratios."""

from bench.access import sizes
from bench.access.part import Part
from bench.access.trial import COMPLETE, FIRST, PHASES
from bench.cluster import Cluster
from bench.report import Ratio, Spread, Table, TableRow

_COLUMNS = tuple(f"{phase.replace('_', ' ')} {figure}" for phase in PHASES for figure in ("facts/s", "CPU µs/fact"))
_OF_RAW = 0.2  # goal: a fact has many more consequences than an event that is counted
_FLAT = 0.9  # of the smallest directory's rate


def part(cluster: Cluster, *, quick: bool) -> Part:
    """Measure, and compare the sizes with the smallest, and the largest with the raw engine."""
    result = sizes.measure(cluster, quick=quick)
    smallest, largest = min(result.trials), max(result.trials)
    rates = {(staff, phase): each.phases[phase].rate for staff, each in result.trials.items() for phase in PHASES}
    rows = [
        TableRow(
            f"{staff:,} staff",
            tuple(_once(figure) for phase in PHASES for figure in (each.phases[phase].rate, each.phases[phase].cpu_us)),
        )
        for staff, each in result.trials.items()
    ]
    ratios = {
        **{
            f"{phase}_largest_to_smallest": _ratio(rates[largest, phase] / rates[smallest, phase], _FLAT)
            for phase in (FIRST, COMPLETE)
        },
        **{f"{phase}_to_raw_engine": _ratio(rates[largest, phase] / result.raw_rate, _OF_RAW) for phase in (FIRST, COMPLETE)},
    }
    raw = Table("the raw engine, one partition", ("events/s",), (TableRow("counts", (_once(result.raw_rate),)),))
    return Part(tables=(Table("sizes of the directory", _COLUMNS, tuple(rows)), raw), ratios=ratios)


def _once(value: float) -> Spread:
    return Spread.of([value])


def _ratio(value: float, goal: float) -> Ratio:
    return Ratio(_once(value), goal)
