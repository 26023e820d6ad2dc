"""`dead-letters list|show|redrive|drop`: what could not be processed, by cause, and what is to become of it."""

import time
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import click

from schemas.cloudevents import timestamp
from schemas.codec import Avro
from schemas.json_lines import json_line
from schemas.operations import DROPPED, REDRIVEN
from streams.cli.group import CommandGroup
from streams.cli.lines import print_lines
from streams.cli.operator import user_name
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.record_format import RecordView, format_json, format_text
from streams.cli.run_async import run
from streams.cli.time_param import TimeParam
from streams.cli.verbs import VERBS
from streams.engine.naming import Naming
from streams.ops.codec import configured_codec
from streams.ops.dead_letters.causes import CauseSummary, summaries
from streams.ops.dead_letters.letters import Letter, Selection, letters
from streams.ops.dead_letters.resolve import Counts, Resolution, resolve
from streams.ops.decode import decoder_of
from streams.settings import Settings

dead_letters = CommandGroup("dead-letters", help=VERBS["dead-letters"])


_SELECTION = (
    click.option("--cause", metavar="CAUSE", help="Only letters of this cause, as `list` names it."),
    click.option("--topic", metavar="TOPIC", help="Only records of this topic."),
    click.option("--agent", metavar="AGENT", help="Only what this agent rejected."),
    click.option("--since", type=TimeParam(), metavar="TIME", help="Only what was rejected at this time (ISO 8601) or later."),
    click.option("--until", type=TimeParam(), metavar="TIME", help="Only what was rejected before this time."),
)


def _options(options: Sequence[Callable[..., Any]]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add several options to a command."""
    return lambda function: reduce(lambda decorated, option: option(decorated), reversed(options), function)


class _Wanted(NamedTuple):
    """Which letters a command is about: all conditions that are given hold."""

    ids: tuple[str, ...] = ()
    cause: str | None = None
    topic: str | None = None
    agent: str | None = None
    since: int | None = None
    until: int | None = None

    def selects(self, letter: Letter) -> bool:
        return (
            (not self.ids or letter.id in self.ids)
            and self.topic in (None, letter.origin.topic)
            and self.agent in (None, letter.origin.agent)
            and (self.since is None or letter.time >= self.since)
            and (self.until is None or letter.time < self.until)
            and self.cause in (None, letter.cause)
        )


@dead_letters.command("list")
@_options(_SELECTION)
@json_option
@config_option
@click.pass_context
def list_(ctx: click.Context, /, *, as_json: bool, **wanted: Any) -> None:
    """Group dead letters by cause: agent, topic and reason, with how many still wait for a decision."""
    rows = run(_list(kafka_of(ctx), _Wanted(**wanted).selects))
    if as_json:
        for row in rows:
            click.echo(json_line(row))
        return
    if not rows:
        click.echo("no dead letters")
    for row in rows:
        print_lines(*_paragraph(row))


@dead_letters.command()
@click.argument("letter", metavar="ID")
@json_option
@config_option
@click.pass_context
def show(ctx: click.Context, *, letter: str, as_json: bool) -> None:
    """Show a dead letter whole: its record, decoded as on its own topic, and why it was rejected. It may hold personal data.

    ID is its partition and offset, such as 2:17, as `list` gives an example of each cause.
    """
    found = run(_find(kafka_of(ctx), letter))
    if found is None:
        raise click.ClickException(f"there is no dead letter {letter}: `intercom-streams dead-letters list` shows what there is")
    settings = kafka_of(ctx)
    decode = decoder_of(found.origin.topic, Avro.local(), (), Naming(prefix=settings.kafka.topic_prefix))
    view = RecordView.of(found.origin.topic, found.origin.partition, found.record, decode)
    click.echo((format_json if as_json else format_text)(view, found.record.value, True), nl=False)


_which_options = (
    click.argument("ids", nargs=-1, metavar="[ID]..."),
    *_SELECTION,
    click.option("--all", "everything", is_flag=True, help="All that were neither redriven nor dropped."),
    click.option("--dry-run", is_flag=True, help="Only say what would be done, by cause."),
)


@dead_letters.command()
@_options(_which_options)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many: to see whether the cause is gone.")
@json_option
@config_option
@click.pass_context
def redrive(ctx: click.Context, /, *, limit: int | None, as_json: bool, **which: Any) -> None:
    """Send the records of dead letters to their topics again, unchanged, once the cause is gone. Each is sent once, however often you ask.

    Where the cause is not gone, they come back as new dead letters, and `list` counts them. A worker stops when too many do.
    """
    _resolve(ctx, Resolution(kind=REDRIVEN, time=_now(), actor=user_name(), limit=limit), as_json=as_json, **which)


@dead_letters.command()
@_options(_which_options)
@click.option("--reason", required=True, metavar="TEXT", help="Why they need not be processed. It is never deleted.")
@json_option
@config_option
@click.pass_context
def drop(ctx: click.Context, /, *, reason: str, as_json: bool, **which: Any) -> None:
    """Decide that dead letters will not be processed, with the reason. They are kept as long as their topic keeps records."""
    if not reason.strip():
        raise click.BadParameter("say why they need not be processed", param_hint="--reason")
    _resolve(ctx, Resolution(kind=DROPPED, time=_now(), actor=user_name(), reason=reason.strip()), as_json=as_json, **which)


def _resolve(
    ctx: click.Context,
    resolution: Resolution,
    *,
    ids: tuple[str, ...],
    everything: bool,
    dry_run: bool,
    as_json: bool,
    **wanted: Any,
) -> None:
    settings, chosen = kafka_of(ctx), _required(ids, wanted, everything=everything)
    if dry_run:
        _preview(settings, chosen, as_json=as_json)
        if resolution.limit is not None and not as_json:
            click.echo(f"of these {resolution.limit} at most, the earliest of each partition first", err=True)
        return
    seen: set[str] = set()

    def selection(letter: Letter) -> bool:
        seen.add(letter.id)
        return chosen(letter)

    def progress(done: int) -> None:
        if not as_json:
            click.echo(f"{done} …", err=True)

    async def act() -> Counts:
        avro = await configured_codec(settings)
        return await resolve(settings.kafka, avro, selection, resolution, progress)

    counts = run(act())
    click.echo(json_line(counts) if as_json else _sentence(resolution.kind.rpartition(".")[2], counts))
    missing = [id_ for id_ in ids if id_ not in seen] if resolution.limit is None else []
    if missing:
        raise click.ClickException(
            f"there is no dead letter {', '.join(missing)}: `intercom-streams dead-letters list` shows what there is"
        )


async def _list(settings: Settings, selection: Selection) -> list[CauseSummary]:
    avro = await configured_codec(settings)
    return await summaries(settings.kafka, avro, selection)


async def _find(settings: Settings, id_: str) -> Letter | None:
    found = None
    async for letter in letters(settings.kafka):
        if letter.id == id_:
            found = letter
    return found


def _required(ids: tuple[str, ...], wanted: dict[str, Any], *, everything: bool) -> Selection:
    """Return the selection, which has to be one: nothing is sent or dropped by a forgotten option."""
    for id_ in ids:
        partition, _, offset = id_.partition(":")
        if not (partition.isdecimal() and offset.isdecimal()):
            raise click.UsageError(f"{id_!r} is no dead letter's id; they are written like 2:17 (partition and offset)")
    chosen = _Wanted(ids=ids, **wanted)
    if chosen == _Wanted() and not everything:
        raise click.UsageError("say which: ids, --cause, --topic, --agent, --since or --until, or --all")
    return chosen.selects


def _preview(settings: Settings, selection: Selection, *, as_json: bool) -> None:
    rows = [row for row in run(_list(settings, selection)) if row.pending]
    for row in rows:
        click.echo(json_line(row) if as_json else f"{row.pending} of cause {row.cause} ({row.agent}, {row.topic})")
    if not rows and not as_json:
        click.echo("nothing is left to do")


def _paragraph(row: CauseSummary) -> list[str]:
    states = [
        f"{row.pending} waiting" + (f", {row.again} of them after a redrive" if row.again else ""),
        *([f"{row.redriven} redriven"] if row.redriven else []),
        *([f"{row.dropped} dropped"] if row.dropped else []),
    ]
    period = timestamp(row.first) if row.first == row.last else f"{timestamp(row.first)} to {timestamp(row.last)}"
    heading = f"cause {row.cause}  {row.agent} agent, {row.topic}: {', '.join(states)}"
    return [heading, f"  {row.reason}", f"  {period}; for example {row.example}"]


def _sentence(what: str, counts: Counts) -> str:
    parts = [f"{counts.done} {what}"]
    parts += [f"{counts.before} were redriven or dropped before"] if counts.before else []
    parts += [f"{counts.cut} were too large to be kept whole and cannot be sent again"] if counts.cut else []
    parts += [f"{counts.unknown_topic} come from a topic that does not exist here"] if counts.unknown_topic else []
    return "; ".join(parts)


def _now() -> int:
    return time.time_ns() // 1_000_000
