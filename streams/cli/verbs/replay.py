"""`replay TOPIC`: send a range of a topic again, to the agents that read it or to one downstream."""

import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

from schemas.cloudevents import timestamp
from schemas.codec import Avro
from schemas.json_lines import json_line
from streams.agents.topology import agents_of
from streams.cli.number_param import FiniteRange
from streams.cli.operator import user_name
from streams.cli.options import config_option, json_option, kafka_of, settings_of
from streams.cli.pause_on_signal import PAUSED, pause_on_signal
from streams.cli.record_format import RecordView, format_json
from streams.cli.run_async import run
from streams.cli.time_param import TimeParam
from streams.engine.naming import Naming
from streams.ops.codec import configured_codec
from streams.ops.decode import decoder_of
from streams.ops.replay import journal, start
from streams.ops.replay.journal import Replay
from streams.ops.replay.plan import Plan, plan, ranges_of, records_of
from streams.ops.replay.preview import TableChanges, preview
from streams.ops.replay.run import Watcher
from streams.ops.replay.selection import ReplaySelection, replayed
from streams.ops.replay.start import ReplayLimits
from streams.settings import Settings

_SAY_EVERY_S = 1.0


@click.command()
@click.argument("topic", required=False)
@click.option("--reprocess", is_flag=True, help="For the agents that read TOPIC. What they have applied already changes nothing.")
@click.option(
    "--to",
    metavar="TOPIC|FILE|-",
    help="For one downstream: its topic, a new FILE, or - for standard output. Ids stay as they were.",
)
@click.option("--since", type=TimeParam(), metavar="TIME", help="Only records of this time (ISO 8601 with zone) or later.")
@click.option("--until", type=TimeParam(), metavar="TIME", help="Only records before this time.")
@click.option("--partition", type=click.IntRange(min=0), help="Only this partition.")
@click.option("--from-offset", "start", type=click.IntRange(min=0), help="From this offset on, of each partition.")
@click.option("--to-offset", "end", type=click.IntRange(min=0), help="Up to and without this offset.")
@click.option("--key", help="Only records with this key.")
@click.option("--workspace", metavar="APP_ID", help="Only records of this workspace.")
@click.option("--type", metavar="TYPE", help="Only this ce_type, or this topic of Intercom, such as contact.user.updated.")
@click.option("--event", metavar="ID", help="Only the event with this id.")
@click.option("--rate", type=FiniteRange(min=0, min_open=True), metavar="N", help="At most N records a second.")
@click.option(
    "--max-lag", type=click.IntRange(min=0), metavar="N",
    help="Wait while the agents have more than N records to read; do not rest. Default: what they read in 10 ms, with rests, so that live events wait little.",
)  # fmt: skip
@click.option("--reason", metavar="TEXT", help="Why; it is kept with who did it and when.")
@click.option("--dry-run", is_flag=True, help="Read the range, say what would be sent, and send nothing.")
@click.option(
    "--tables", is_flag=True,
    help="With --dry-run --reprocess: also what would change in the agent's table; reads that table into memory.",
)  # fmt: skip
@click.option("--resume", metavar="ID", help="Continue a replay that was stopped or killed, where it stood.")
@click.option("--abandon", metavar="ID", help="End an unfinished replay where it stands.")
@click.option("--list", "list_all", is_flag=True, help="Show all replays, and how they ended.")
@json_option
@config_option
@click.pass_context
def replay(
    ctx: click.Context, /, *, topic: str | None, reprocess: bool, to: str | None, resume: str | None, abandon: str | None,
    list_all: bool, dry_run: bool, tables: bool, rate: float | None, max_lag: int | None, reason: str | None, as_json: bool, **range_: Any,
) -> None:  # fmt: skip
    """Send records of TOPIC again, as they are in the log now and up to its present end.

    --reprocess is for the agents: after a fix, they apply what they have not applied, and all else changes nothing. --to is for one downstream
    that lost data. Ctrl-C pauses, and --resume continues. Every replay to a topic is kept on the topic `operations`.
    """
    settings, limits = kafka_of(ctx), ReplayLimits(rate=rate, max_lag=max_lag)
    if tables and not (dry_run and reprocess):
        raise click.UsageError("--tables says more in a --dry-run for the agents (--reprocess)")
    if sum((list_all, resume is not None, abandon is not None, topic is not None)) != 1:
        raise click.UsageError("name a TOPIC, or one of --resume, --abandon and --list")
    began = any(each is not None for each in (to, reason, *range_.values())) or reprocess or dry_run
    if topic is None and began:
        raise click.UsageError(
            "--resume, --abandon and --list are about replays as they were begun: only --rate and --max-lag can change"
        )
    if list_all:
        for each in run(_with_avro(settings, lambda avro: journal.replays(settings.kafka, avro))).values():
            click.echo(json_line(each) if as_json else _line(each))
    elif abandon is not None:
        _report(run(_with_avro(settings, lambda avro: start.end(settings.kafka, avro, abandon))), as_json=as_json)
    elif resume is not None:
        with _watcher(as_json=as_json) as watcher:
            act = _with_avro(settings, lambda avro: start.resume(settings.kafka, avro, resume, limits, watcher))
            _report(run(act), as_json=as_json)
    elif reprocess is (to is not None):
        given = "not both" if reprocess else "one of them"
        raise click.UsageError(f"say for whom: --reprocess for the agents, or --to for one downstream; {given}")
    else:
        selection = ReplaySelection(topic=topic or "", **range_)
        _replay(settings, selection, to, limits, reason=reason, dry_run=dry_run, as_json=as_json)
        if tables:
            _show_changes(run(_preview(settings_of(ctx), selection)), as_json=as_json)


def _replay(
    settings: Settings,
    selection: ReplaySelection,
    to: str | None,
    limits: ReplayLimits,
    *,
    reason: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    kafka, file = settings.kafka, None if to is None or not _is_file(to) else to
    _require_range(selection)
    if file is not None and (limits != ReplayLimits() or reason is not None):
        raise click.UsageError("--rate, --max-lag and --reason are for topics: a file is written at once, and no journal has it")
    if to is None:
        start.require_reprocessable(selection.topic)
    elif file is None:
        run(start.require_target(kafka, selection.topic, to))
    if dry_run:
        pace = limits.expected(for_agents=to is None)
        _show(
            run(plan(kafka, selection, lambda _: None, per_second=pace)),
            at_least=to is None and limits.max_lag is not None,
            as_json=as_json,
        )
    elif file is not None:
        click.echo(f"{_to_file(settings, selection, file)} records", err=True)
    else:
        with _watcher(as_json=as_json) as watcher:
            act = _with_avro(
                settings,
                lambda avro: start.begin(
                    kafka, avro, selection, to, actor=user_name(), reason=reason, limits=limits, watcher=watcher
                ),
            )
            _report(run(act), as_json=as_json)


def _require_range(selection: ReplaySelection) -> None:
    """Refuse a range without a record in it, which would be read to its end for nothing."""
    for first, end, names in (
        (selection.since, selection.until, "--until is not later than --since"),
        (selection.start, selection.end, "--to-offset is not above --from-offset"),
    ):
        if first is not None and end is not None and end <= first:
            raise click.UsageError(f"{names}: no record is in this range")


async def _preview(settings: Settings, selection: ReplaySelection) -> TableChanges:
    avro = await configured_codec(settings)
    return await preview(settings.kafka, selection, agents_of(settings.tenancy, avro))


def _show_changes(found: TableChanges, *, as_json: bool) -> None:
    if as_json:
        click.echo(json_line(found))
        return
    click.echo(f"{found.agent}: {found.changed:,} of {found.rows:,} rows would change (found in {found.seconds:.1f} s)")
    for key in found.keys:
        click.echo(f"  {key}")
    for topic, count in found.sends.items():
        click.echo(f"  {count:>10,}  records for {topic}")
    if found.refused:
        click.echo(f"  {found.refused:,} would become dead letters")


def _is_file(to: str) -> bool:
    return to == "-" or "/" in to or to.endswith((".json", ".jsonl", ".ndjson"))


def _to_file(settings: Settings, selection: ReplaySelection, to: str) -> int:
    """Write the records as `tail --json` does; a file that exists is left alone, and one that cannot be completed is removed."""
    start.require_public(selection.topic)
    if to == "-":
        return run(_write(settings, selection, sys.stdout.buffer))
    try:
        with Path(to).open("xb") as file:
            try:
                return run(_write(settings, selection, file))
            except BaseException:
                Path(to).unlink()
                raise
    except FileExistsError:
        raise click.ClickException(f"{to} exists already; name a new file") from None
    except OSError as error:
        raise click.ClickException(f"{to} cannot be written: {error.strerror}") from None


async def _write(settings: Settings, selection: ReplaySelection, file: BinaryIO) -> int:
    avro = await configured_codec(settings)
    decode = decoder_of(selection.topic, avro, (), Naming(prefix=settings.kafka.topic_prefix))
    written = 0
    async for records in records_of(settings.kafka, selection, await ranges_of(settings.kafka, selection)):
        for record in records:
            if selection.selects(record) and not replayed(record):
                file.write(
                    format_json(RecordView.of(selection.topic, record.partition, record, decode), record.value, written == 0)
                )
                written += 1
    file.flush()
    return written


async def _with_avro(settings: Settings, act: Callable[[Avro], Awaitable[Any]]) -> Any:
    return await act(await configured_codec(settings))


@contextmanager
def _watcher(*, as_json: bool) -> Iterator[Watcher]:
    """Show progress each second on standard error; stop between two transactions on Ctrl-C and SIGTERM."""
    begun = shown = time.monotonic()
    read_before = -1

    def progress(replay: Replay) -> None:
        nonlocal shown, read_before
        now, read = time.monotonic(), replay.progress.read
        read_before = read if read_before < 0 else read_before
        if not as_json and now - shown >= _SAY_EVERY_S:
            shown, left = now, sum(each.end - each.start for each in replay.left.values())
            rate = (read - read_before) / (now - begun)
            remaining = f", about {left / rate:.0f} s left" if rate > 0 else ""
            click.echo(f"{replay.id}: {read:,} read, {replay.progress.sent:,} sent, {rate:,.0f}/s{remaining}", err=True)

    def wait(lag: int) -> None:
        nonlocal shown
        if not as_json and time.monotonic() - shown >= _SAY_EVERY_S:
            shown = time.monotonic()
            click.echo(f"waiting for the agents, which have {lag:,} records to read (is a worker running?)", err=True)

    with pause_on_signal() as stopped:
        yield Watcher(progress, wait, stopped)


def _report(replay: Replay, *, as_json: bool) -> None:
    click.echo(json_line(replay) if as_json else _line(replay))
    if replay.result == "completed" and not (replay.progress.sent or replay.progress.skipped):
        click.echo("no record of the range is of what was asked for: `tail` shows what keys, types and ids are there", err=True)
    if replay.result is None:
        if not as_json:
            click.echo(f"paused; `intercom-streams replay --resume {replay.id}` continues", err=True)
        sys.exit(PAUSED)


def _line(replay: Replay) -> str:
    progress, left = replay.progress, sum(each.end - each.start for each in replay.left.values())
    state = replay.result or f"unfinished, {left:,} offsets left"
    to = f" to {replay.target}" if replay.target else ""
    skipped = f", {progress.skipped:,} replays left out" if progress.skipped else ""
    return (
        f"{replay.id}  {timestamp(replay.started)}  {replay.selection.topic}{to}: {state}; "
        f"{progress.read:,} read, {progress.sent:,} sent{skipped}"
    )


def _show(found: Plan, *, at_least: bool, as_json: bool) -> None:
    if as_json:
        click.echo(json_line(found))
        return
    click.echo(f"{found.topic}: {found.reads:,} records in the range, {found.sends:,} would be sent")
    if found.replays_left_out:
        click.echo(f"  {found.replays_left_out:,} are replays themselves and left out")
    if found.first is not None and found.last is not None:
        click.echo(f"  from {timestamp(found.first)} to {timestamp(found.last)}")
    if found.sends:
        click.echo(f"  would take {'at least' if at_least else 'about'} {found.seconds:,.0f} s")
    for type_, count in found.types.items():
        click.echo(f"  {count:>10,}  {type_}")
