"""How a rebuild is shown, to people and to programs."""

import click
import msgspec

from schemas.cloudevents import timestamp
from schemas.generations import RebuildEntry
from schemas.json_lines import json_line
from streams.ops.rebuild.compare import TableComparison
from streams.ops.rebuild.run import Outcome


class RebuildView(msgspec.Struct, frozen=True, kw_only=True):
    """A rebuild as `--json` shows it. `result` is null while it is unfinished; `tables` is empty where nothing was compared."""

    id: str
    agents: tuple[str, ...]
    generation: int
    partitions: int | None
    started: int
    actor: str | None
    reason: str | None
    result: str | None
    published: int = 0
    stood_still: float = 0.0
    tables: tuple[TableComparison, ...] = ()


def report(outcome: Outcome, *, as_json: bool) -> None:
    view = view_of(outcome.entry, outcome)
    if as_json:
        click.echo(json_line(view))
        return
    for table in outcome.tables:
        same = "the same" if table.same else f"{table.differing:,} differ"
        click.echo(f"{table.agent}: {table.live_rows:,} rows live, {table.rebuilt_rows:,} rebuilt, {same}")
        for each in table.differences:
            click.echo(f"  {each.key}: {each.why}")
        if table.differing > len(table.differences):
            click.echo(f"  and {table.differing - len(table.differences):,} more")
    click.echo(line(view))
    if view.result is None:
        click.echo("`--swap` lets it take over, `--discard` ends it; until then it can be continued", err=True)


def view_of(entry: RebuildEntry, outcome: Outcome | None = None) -> RebuildView:
    return RebuildView(
        id=entry.id,
        agents=entry.generation.agents,
        generation=entry.generation.number,
        partitions=entry.generation.partitions or None,
        started=entry.started,
        actor=entry.actor,
        reason=entry.reason,
        result=entry.result,
        published=outcome.published if outcome else 0,
        stood_still=round(outcome.stood_still, 1) if outcome else 0.0,
        tables=outcome.tables if outcome else (),
    )


def line(view: RebuildView) -> str:
    grown = f" in {view.partitions} partitions" if view.partitions else ""
    wrote = f", {view.published:,} public records written" if view.result == "swapped" and view.tables else ""
    still = f"; its agents stood still for {view.stood_still:.1f} s" if view.stood_still else ""
    return (
        f"{view.id}  {timestamp(view.started)}  {', '.join(view.agents)} in generation {view.generation}{grown}: "
        f"{view.result or 'unfinished'}{wrote}{still}"
    )
