"""`status`: an installation on one screen, live or once as text."""

from contextlib import nullcontext

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from schemas.cloudevents import timestamp
from schemas.json_lines import json_line
from streams.cli.number_param import FiniteRange
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.stop_on_signal import stop_on_signal
from streams.ops.status import Status
from streams.ops.status import status as read_status
from streams.settings import Settings


@click.command()
@click.option("--once", is_flag=True, help="Print it once, as text to share; without this it is renewed until Ctrl-C.")
@click.option(
    "--every", type=FiniteRange(min=0.2), default=2.0, show_default=True, metavar="SECONDS", help="Rates are over this time."
)
@json_option
@config_option
@click.pass_context
def status(ctx: click.Context, /, *, once: bool, every: float, as_json: bool) -> None:
    """Show what flows through each topic, how far agents are behind, how long things take, what is open, and what waits."""
    settings = kafka_of(ctx)
    if as_json:
        click.echo(json_line(run(read_status(settings, every))))
    elif once:
        Console(highlight=False).print(_screen(run(read_status(settings, every))))
    else:
        run(_live(settings, every))


async def _live(settings: Settings, every: float) -> None:
    """Renew the screen until Ctrl-C or SIGTERM; where the output is no terminal, print one after the other.

    The signal sets an event, and no exception is thrown into whatever runs: Kafka's clients swallow a cancellation at times.
    """
    console = Console(highlight=False)
    with Live(console=console, auto_refresh=False) if console.is_terminal else nullcontext() as live:
        async with stop_on_signal() as stop:
            while not stop.is_set():
                screen = _screen(await read_status(settings, every))
                if live is None:
                    console.print(screen)
                else:
                    live.update(screen, refresh=True)


def _screen(current: Status) -> Group:
    return Group(f"{timestamp(current.at)}", _topics(current), _checks(current), *_lines(current))


def _topics(current: Status) -> Table:
    table = Table("topic", "written/s", "offsets", "not read", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for each in current.topics:
        if each.size or each.lag:
            behind = "" if each.lag is None else f"{each.lag:,}"
            table.add_row(each.topic, f"{each.rate:,.1f}", f"{each.size:,}", behind)
    return table


def _checks(current: Status) -> Table:
    table = Table("\ncheck", "\nopen", "\nanswers", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for each in current.checks:
        answers = ", ".join(f"{count:,} {result}" for result, count in each.results.items())
        table.add_row(each.check, f"{each.open:,}", answers)
    return table


def _lines(current: Status) -> list[str]:
    delays = [
        f"{each.what}: {each.p50:,.0f} ms median, {each.p99:,.0f} ms p99, of the latest {each.events}" for each in current.delays
    ]
    letters = f"{current.dead_letters:,} dead letters wait" if current.dead_letters else "no dead letters wait"
    spool = f"{current.spool_bytes:,} bytes of spool files on this host" if current.spool_bytes else "no spool files on this host"
    return ["", *delays, letters, spool]
