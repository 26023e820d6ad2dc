"""`rebuild AGENT|all`: make tables again from the logs beside the live ones, compare them, and let them take over."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import uvloop

from connectors.observability import logs
from schemas.json_lines import json_line
from streams.agents.topology import agents_of
from streams.cli.operator import user_name
from streams.cli.options import config_option, json_option, kafka_of, settings_of
from streams.cli.pause_on_signal import PAUSED, pause_on_signal
from streams.cli.run_async import run
from streams.cli.verbs.rebuild.show import line, report, view_of
from streams.ops.codec import configured_codec
from streams.ops.generations.units import Unit
from streams.ops.rebuild import start
from streams.ops.rebuild.job import RebuildJob
from streams.ops.rebuild.run import BuildProgress, Outcome, RebuildWatcher
from streams.settings import Settings
from streams.worker.allocator import return_large_buffers

_SAY_EVERY_S = 1.0


@click.command()
@click.argument("agent", required=False)
@click.option("--swap", is_flag=True, help="Write what differs to the public topics, and let the rebuilt tables take over.")
@click.option("--discard", is_flag=True, help="End the unfinished rebuild; after a swap, delete the tables that it replaced.")
@click.option("--partitions", type=click.IntRange(1), default=None, metavar="N", help="Give the rebuilt tables N partitions.")
@click.option("--reason", metavar="TEXT", help="Why; it is kept with who did it and when.")
@click.option(
    "--differences", "listed", type=click.IntRange(0), default=20, show_default=True, help="List so many rows of a table."
)
@click.option("--list", "list_all", is_flag=True, help="Show all rebuilds, and how they ended.")
@json_option
@config_option
@click.pass_context
def rebuild(
    ctx: click.Context, /, *, agent: str | None, swap: bool, discard: bool, partitions: int | None, reason: str | None, listed: int,
    list_all: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make the tables of AGENT again from the logs, beside the live ones, and compare the two. `all` stands for every agent.

    Agents that send each other internal topics are rebuilt together. Nothing downstream changes before --swap, which continues the same
    rebuild. Ctrl-C pauses; the same command continues.
    """
    if list_all is (agent is not None) or (swap and discard) or (list_all and (swap or discard)):
        raise click.UsageError("name an AGENT or all, and at most one of --swap and --discard; or --list")
    if discard and (partitions is not None or reason is not None):
        raise click.UsageError("--discard ends a rebuild as it is: it takes neither --partitions nor --reason")
    if list_all:
        for each in run(start.rebuilds(kafka_of(ctx).kafka)):
            view = view_of(each)
            click.echo(json_line(view) if as_json else line(view))
        return
    settings = settings_of(ctx)
    logs.configure()
    return_large_buffers()
    job = run(_job(settings))
    unit = start.unit_named(agent or "", job.agents)
    if discard:
        report(Outcome(entry=run(start.discard(job, unit))), as_json=as_json)
        return
    if not as_json and len(unit.agents) > 1 and agent != start.ALL:
        click.echo(f"{', '.join(unit.agents)} are rebuilt together: they send each other internal topics", err=True)
    with _watcher(as_json=as_json) as watcher:
        act = _run(job, unit, watcher, partitions=partitions or 0, reason=reason, swap=swap, listed=listed)
        outcome = run(act, uvloop.run)
    report(outcome, as_json=as_json)
    if watcher.stopped() and outcome.entry.result is None:
        sys.exit(PAUSED)


async def _run(
    job: RebuildJob, unit: Unit, watcher: RebuildWatcher, *, partitions: int, reason: str | None, swap: bool, listed: int
) -> Outcome:  # fmt: skip
    entry = await start.begin_or_continue(job, unit, partitions=partitions, actor=user_name(), reason=reason)
    watcher.on_step(f"rebuild {entry.id} builds generation {entry.generation.number}")
    return await start.run(job, entry, unit, watcher, swap=swap, listed=listed)


async def _job(settings: Settings) -> RebuildJob:
    avro = await configured_codec(settings)
    return RebuildJob(
        kafka=settings.kafka,
        avro=avro,
        tenancy=settings.tenancy,
        agents=agents_of(settings.tenancy, avro),
        limits=settings.worker.limits(),
        encoding=settings.worker.encoding,
        on_disk=frozenset(settings.worker.on_disk),
        folder=Path(settings.worker.state_dir),
    )


@contextmanager
def _watcher(*, as_json: bool) -> Iterator[RebuildWatcher]:
    """Show progress each second on standard error; pause on Ctrl-C and SIGTERM."""
    shown, begun = 0.0, time.monotonic()

    def progress(made: BuildProgress) -> None:
        nonlocal shown
        now = time.monotonic()
        if not as_json and now - shown >= _SAY_EVERY_S:
            shown, rate = now, made.read / max(now - begun, 0.001)
            left = f", about {(made.of - made.read) / rate:.0f} s left" if rate > 1 and made.of > made.read else ""
            click.echo(f"{made.read:,} of {made.of:,} offsets read{left}", err=True)

    def step(text: str) -> None:
        if not as_json:
            click.echo(text, err=True)

    with pause_on_signal() as stopped:
        yield RebuildWatcher(progress, step, stopped)
