"""The recovery part of the engine benchmark: its sides, its table, its ratio and its checks."""

from types import MappingProxyType

from bench.cluster import Cluster
from bench.options import Options
from bench.recovery.job import RestoreResult
from bench.recovery.trial import restore, write_changelogs
from bench.report import Ratio, Spread, Table, TableRow, ratio
from bench.rounds import measurements

SIDES = MappingProxyType({
    "recovery_ours": "this engine, into memory",
    "recovery_ours_on_disk": "this engine, into RocksDB, from nothing",
    "recovery_stock": "faust-streaming as it comes, into memory",
})  # fmt: skip
STOCK_S = 25  # stock Faust is stopped after this time; its rate is of the rows until then
_QUICK_STOCK_S = 10  # time for its first rows on a busy machine too
_LIMIT_S = 180
_ROWS = 500_000
_GOAL = 20
_COLUMNS = ("keys/s", "seconds", "rows restored", "of them wrong", "MiB per million rows", "what")

Results = dict[str, dict[int, RestoreResult]]


def measure(options: Options, cluster: Cluster, names: tuple[str, ...], *, rounds: int, partitions: int) -> tuple[int, Results]:
    """Write the changelogs and restore from them in interleaved rounds; return the number of rows and the results."""
    rows = 2_000 if options.quick else _ROWS
    results: Results = {name: {} for name in names}
    if names:
        changelogs = write_changelogs(cluster, rows, partitions)
        for number, name in measurements(names, rounds):
            limit_s = (_QUICK_STOCK_S if options.quick else STOCK_S) if name == "recovery_stock" else _LIMIT_S
            results[name][number] = restore(cluster, changelogs, name, number=number, limit_s=limit_s)
    return rows, results


def table(rows: int, results: Results) -> Table:
    """Return the table of the results."""
    title = f"recovery of a table of {rows:,} rows of 500 bytes, from the assignment to readiness"
    return Table(title, _COLUMNS, tuple(_row(name, list(each.values())) for name, each in results.items()))


def ratios(results: Results) -> dict[str, Ratio]:
    """Return ours divided by stock Faust, in keys per second."""
    ours, stock = (
        {number: each.rate for number, each in results.get(name, {}).items()} for name in ("recovery_ours", "recovery_stock")
    )
    each = ratio(ours, stock, goal=_GOAL)
    return {} if each is None else {"recovery_stock": each}


def checks(rows: int, results: Results) -> dict[str, bool]:
    """Check that ours restored exactly the rows, and that none of stock Faust's rows until then is wrong."""
    done = {name: list(each.values()) for name, each in results.items()}
    return {
        f"{name}: the rows restored are those of the changelog": all(
            _is_correct(rows, each, whole=name != "recovery_stock") for each in trials
        )
        for name, trials in done.items()
    }


def _is_correct(rows: int, result: RestoreResult, *, whole: bool) -> bool:
    return result.wrong == 0 and 0 < result.rows <= rows and (result.rows == rows or not whole)


def _row(name: str, trials: list[RestoreResult]) -> TableRow:
    return TableRow(
        name,
        (
            Spread.of([each.rate for each in trials]),
            Spread.of([each.seconds for each in trials]),
            Spread.of([each.rows for each in trials]),
            Spread.of([each.wrong for each in trials]),
            Spread.of([each.grown_mib / max(each.rows, 1) * 1e6 for each in trials]),
            SIDES[name],
        ),
    )
