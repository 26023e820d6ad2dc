"""`tail TOPIC`: any topic of ours, decoded."""

import asyncio
import contextlib
import difflib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator

import click
import msgspec

from connectors.kafka.reader import StartKind, StartPosition, open_topic
from connectors.kafka.schema_registry import add_schema
from connectors.kafka.topics import present
from schemas.codec import Avro, framing_id
from schemas.errors import BadConfiguration, IntercomStreamsError, InvalidRecord
from schemas.intercom.values import instant
from schemas.tenancy import Tenancy
from schemas.topics import TOPICS, Encoding
from streams.agents.topology import agents_of
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.record_format import RecordView, Show, format_json, format_raw, format_text
from streams.cli.run_async import run
from streams.engine.agent import Agent
from streams.engine.naming import Naming
from streams.ops.decode import decoder_of
from streams.settings import Settings


def _start(_: click.Context, __: click.Parameter, text: str) -> StartPosition:
    if text in (StartKind.BEGINNING, StartKind.END):
        return StartPosition(StartKind(text))
    if text.isdecimal():
        return StartPosition(StartKind.OFFSET, int(text))
    try:
        return StartPosition(StartKind.TIME, instant(text) or 0)
    except InvalidRecord:
        raise click.BadParameter("use beginning, end, an offset, or a time such as 2026-01-10T04:11:34Z") from None


class _TailOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the person asked for."""

    topic: str
    start: StartPosition
    idle_seconds: float | None
    limit: int | None
    partition: int | None
    key: str | None
    show: Show


@click.command()
@click.argument("topic")
@click.option(
    "--from", "start", default="end", show_default=True, callback=_start, metavar="WHERE",
    help="beginning, end, an offset (of each partition), or a time (ISO 8601).",
)  # fmt: skip
@click.option(
    "--idle-exit", type=click.FloatRange(min=0), metavar="SECONDS", help="End when all is read and nothing came for so long."
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="End after N records.")
@click.option("--partition", type=click.IntRange(min=0), help="Only this partition.")
@click.option("--key", help="Only records with this key.")
@click.option("--raw", "as_bytes", is_flag=True, help="Only the values' bytes, untouched, with a line break between two.")
@json_option
@config_option
@click.pass_context
def tail(ctx: click.Context, *, topic: str, start: StartPosition, idle_exit: float | None, limit: int | None, partition: int | None,
         key: str | None, as_bytes: bool, as_json: bool) -> None:  # fmt: skip
    """Show the records of TOPIC (a name without the configured prefix), decoded, and go on with new ones until Ctrl-C.

    Reads committed records only, joins no consumer group, and changes nothing.
    """
    if as_bytes and as_json:
        raise click.UsageError("--raw and --json exclude each other")
    wish = _TailOptions(
        topic=topic, start=start, idle_seconds=idle_exit, limit=limit, partition=partition, key=key,
        show=format_raw if as_bytes else format_json if as_json else format_text,
    )  # fmt: skip
    with _pipe():
        run(_tail(kafka_of(ctx), wish))


async def _tail(settings: Settings, wish: _TailOptions) -> None:
    plain, broker, count = _require_topic(settings, wish.topic, await present(settings.kafka))
    if wish.partition is not None and wish.partition >= count:
        raise click.UsageError(f"topic {broker} has partitions 0 to {count - 1}")
    partitions = range(count) if wish.partition is None else [wish.partition]
    names, avro = Naming(prefix=settings.kafka.topic_prefix), Avro.local()
    decoder = decoder_of(plain, avro, _agents(plain, avro), names)
    told = 0
    async with open_topic(settings.kafka, broker, partitions, wish.start) as topic, _interrupted() as stop:
        async for records in topic.batches(wish.idle_seconds, stop):
            for record in records:
                if wish.key is not None and record.key != wish.key.encode():
                    continue
                if settings.registry.url and plain in TOPICS and TOPICS[plain].encoding is Encoding.AVRO:
                    await _learnt(avro, settings.registry.url, record.value)
                line = RecordView.of(plain, record.partition, record, decoder)
                sys.stdout.buffer.write(wish.show(line, record.value, told == 0))
                told += 1
                if told == wish.limit:
                    return
            sys.stdout.buffer.flush()


def _agents(topic: str, avro: Avro) -> tuple[Agent, ...]:
    """Return those whose changelog the topic could be."""
    if topic in TOPICS:
        return ()
    return agents_of(Tenancy.of((), ()), avro)


def _require_topic(settings: Settings, wanted: str, present: dict[str, int]) -> tuple[str, str, int]:
    """Return a topic's name without and with prefix, and its partitions."""
    prefix = settings.kafka.topic_prefix
    for broker in (settings.kafka.topic(wanted), wanted):
        if broker in present:
            return broker.removeprefix(prefix), broker, present[broker]
    ours = sorted(name.removeprefix(prefix) for name in present if name.startswith(prefix))
    near = difflib.get_close_matches(wanted, [*ours, *TOPICS], n=3)
    hint = f"Did you mean {' or '.join(dict.fromkeys(near))}?" if near and wanted not in near else ""
    create = "`intercom-streams topics apply` creates it." if wanted in TOPICS else ""
    raise BadConfiguration(f"there is no topic {wanted} at {settings.kafka.bootstrap}. {hint}{create}".rstrip())


async def _learnt(avro: Avro, url: str, value: bytes | None) -> None:
    """Ask the registry about a schema not met before. What it does not know either is shown as such."""
    with contextlib.suppress(IntercomStreamsError):
        if value is not None and not avro.knows(number := framing_id(value)):
            await add_schema(avro, url, number)


@contextlib.asynccontextmanager
async def _interrupted() -> AsyncIterator[asyncio.Event]:
    """Give an event that Ctrl-C sets: the end a person chose is no error."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def _pipe() -> Iterator[None]:
    """Take a reader that has seen enough (`| head`) for the end of the work."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing left to flush fails at exit
