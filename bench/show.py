"""A report as tables for people, in plain text when piped, and as one line of JSON for programs."""

from rich.console import Console
from rich.table import Table as Drawn

from bench.machine import Machine
from bench.report import Cell, Ratio, Report, Spread, Table
from schemas import json_lines

_PLAIN_WIDTH = 150  # a pipe has no width of its own, and a wrapped table cannot be read


def show(report: Report, machine: Machine, console: Console) -> None:
    """Print the tables, the ratios with their goals, the checks and the notes."""
    console.print(f"[bold]{report.name}[/]: {report.about}")
    console.print(
        f"{machine.cores} cores, {machine.memory_gib} GiB, {machine.system}, Python {machine.python}, load {machine.load} before"
    )
    for table in report.tables:
        console.print(_drawn(table))
    if report.ratios:
        console.print(_ratios(report))
    for check, holds in report.checks.items():
        console.print(f"{'[green]holds[/]' if holds else '[red]BROKEN[/]'}  {check}")
    for note in report.notes:
        console.print(f"[dim]{note}[/]")


def json_line(report: Report, machine: Machine, at: str) -> str:
    """Return the report on one line. `ratios` has the medians by name; `spreads` has lowest and highest rounds and goals."""
    return json_lines.json_line({
        "benchmark": report.name,
        "at": at,
        "sound": report.is_valid,
        "ratios": {name: round(each.value.median, 3) for name, each in report.ratios.items()},
        "spreads": {name: _detail(each) for name, each in report.ratios.items()},
        "checks": report.checks,
        "tables": [{"title": table.title, "rows": _rows(table)} for table in report.tables],
        "notes": report.notes,
        "machine": machine,
    }).decode()  # fmt: skip


def console_for(stream_is_terminal: bool) -> Console:
    """Return a console that fits the output: the terminal's own width, or a wide plain one."""
    return Console() if stream_is_terminal else Console(width=_PLAIN_WIDTH, no_color=True, highlight=False)


def _drawn(table: Table) -> Drawn:
    drawn = Drawn(title=table.title, title_justify="left")
    drawn.add_column("")
    for column in table.columns:
        drawn.add_column(column, justify="right")
    for row in table.rows:
        drawn.add_row(row.name, *(_text(cell) for cell in row.cells))
    return drawn


def _ratios(report: Report) -> Drawn:
    drawn = Drawn(title="ratios: median of the rounds (least to greatest)", title_justify="left")
    for column in ("", "ratio", "goal", "met"):
        drawn.add_column(column, justify="right" if column else "left")
    for name, each in report.ratios.items():
        sign = "≤" if each.smaller_is_better else "≥"
        goal = "" if each.goal is None else f"{sign} {each.goal:g}"
        drawn.add_row(name, _text(each.value), goal, _verdict(each))
    return drawn


def _verdict(each: Ratio) -> str:
    if not each.steady:
        return "unsteady"
    return {None: "", True: "yes", False: "no"}[each.met]


def _text(cell: Cell) -> str:
    if isinstance(cell, Spread):
        middle = _number(cell.median)
        return middle if cell.low == cell.high else f"{middle} ({_number(cell.low)} to {_number(cell.high)})"
    return cell or ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _detail(each: Ratio) -> dict[str, object]:
    return {
        "low": round(each.value.low, 3),
        "high": round(each.value.high, 3),
        "goal": each.goal,
        "steady": each.steady,
        "met": each.met,
    }


def _rows(table: Table) -> dict[str, dict[str, Cell]]:
    return {row.name: dict(zip(table.columns, row.cells, strict=True)) for row in table.rows}
