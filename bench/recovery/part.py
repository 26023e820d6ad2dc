"""The part of the engine benchmark that is about recovery: its sides, its table, its ratio and its checks."""

from types import MappingProxyType

from bench.cluster import Cluster
from bench.options import Options
from bench.recovery.job import Restored
from bench.recovery.trial import restored, written
from bench.report import Ratio, Row, Spread, Table, ratio
from bench.rounds import turns

SIDES = MappingProxyType({
    "recovery_ours": "this engine, into memory",
    "recovery_ours_on_disk": "this engine, into RocksDB, from nothing",
    "recovery_stock": "faust-streaming as it comes, into memory",
})  # fmt: skip
STOCK_S = 25  # stock Faust restores for so long; its rate is of what it had by then
_LIMIT_S = 180
_ROWS = 500_000
_GOAL = 20
_COLUMNS = ("keys/s", "seconds", "rows restored", "of them wrong", "MiB per million rows", "what")

Restorations = dict[str, dict[int, Restored]]


def measured(
    options: Options, cluster: Cluster, names: tuple[str, ...], *, rounds: int, partitions: int
) -> tuple[int, Restorations]:
    """Write the changelogs and restore from them in turns; return how many rows there are, too."""
    rows = 2_000 if options.quick else _ROWS
    found: Restorations = {name: {} for name in names}
    if names:
        changelogs = written(cluster, rows, partitions)
        for number, name in turns(names, rounds):
            limit_s = (3 if options.quick else STOCK_S) if name == "recovery_stock" else _LIMIT_S
            found[name][number] = restored(cluster, changelogs, name, number=number, limit_s=limit_s)
    return rows, found


def table(rows: int, found: Restorations) -> Table:
    """Show what each side did."""
    title = f"recovery of a table of {rows:,} rows of 500 bytes, from the assignment to readiness"
    return Table(title, _COLUMNS, tuple(_row(name, list(each.values())) for name, each in found.items()))


def ratios(found: Restorations) -> dict[str, Ratio]:
    """Return ours against stock Faust's, by keys a second."""
    ours, stock = (
        {number: each.rate for number, each in found.get(name, {}).items()} for name in ("recovery_ours", "recovery_stock")
    )
    each = ratio(ours, stock, goal=_GOAL)
    return {} if each is None else {"recovery_stock": each}


def checks(rows: int, found: Restorations) -> dict[str, bool]:
    """Ours has to have restored exactly the rows; of what stock Faust had by then nothing may be wrong."""
    done = {name: list(each.values()) for name, each in found.items()}
    return {
        f"{name}: the rows restored are those of the changelog": all(
            _right(rows, each, whole=name != "recovery_stock") for each in trials
        )
        for name, trials in done.items()
    }


def _right(rows: int, one: Restored, *, whole: bool) -> bool:
    return one.wrong == 0 and 0 < one.rows <= rows and (one.rows == rows or not whole)


def _row(name: str, trials: list[Restored]) -> Row:
    return Row(
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
