"""`tail TOPIC`: show any topic of this product, decoded."""

import contextlib
import difflib
import os
import sys
from collections.abc import Iterator

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
from streams.cli.record_format import RecordFormatter, RecordView, format_json, format_raw, format_text
from streams.cli.run_async import run
from streams.cli.stop_on_signal import stop_on_signal
from streams.engine.agent import Agent
from streams.engine.naming import Naming
from streams.ops.decode import decoder_of
from streams.settings import Settings


def _parse_start(_: click.Context, __: click.Parameter, text: str) -> StartPosition:
    if text in (StartKind.BEGINNING, StartKind.END):
        return StartPosition(StartKind(text))
    if text.isdecimal():
        return StartPosition(StartKind.OFFSET, int(text))
    try:
        return StartPosition(StartKind.TIME, instant(text) or 0)
    except InvalidRecord:
        raise click.BadParameter("use beginning, end, an offset, or a time such as 2026-01-10T04:11:34Z") from None


class _TailOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The options of one call."""

    topic: str
    start: StartPosition
    idle_seconds: float | None
    limit: int | None
    partition: int | None
    key: str | None
    format_record: RecordFormatter


@click.command()
@click.argument("topic")
@click.option(
    "--from", "start", default="end", show_default=True, callback=_parse_start, metavar="WHERE",
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
    """Show the records of TOPIC (a name without the configured prefix), decoded, and follow new ones until Ctrl-C.

    Reads committed records only, joins no consumer group, and changes nothing.
    """
    if as_bytes and as_json:
        raise click.UsageError("--raw and --json exclude each other")
    options = _TailOptions(
        topic=topic, start=start, idle_seconds=idle_exit, limit=limit, partition=partition, key=key,
        format_record=format_raw if as_bytes else format_json if as_json else format_text,
    )  # fmt: skip
    with _broken_pipe_ignored():
        run(_tail(kafka_of(ctx), options))


async def _tail(settings: Settings, options: _TailOptions) -> None:
    name, broker_name, partition_count = _require_topic(settings, options.topic, await present(settings.kafka))
    if options.partition is not None and options.partition >= partition_count:
        raise click.UsageError(f"topic {broker_name} has partitions 0 to {partition_count - 1}")
    partitions = range(partition_count) if options.partition is None else [options.partition]
    naming, avro = Naming(prefix=settings.kafka.topic_prefix), Avro.local()
    decode = decoder_of(name, avro, _agents_for(name, avro), naming)
    shown = 0
    async with open_topic(settings.kafka, broker_name, partitions, options.start) as topic, stop_on_signal() as stop:
        async for records in topic.batches(options.idle_seconds, stop):
            for record in records:
                if options.key is not None and record.key != options.key.encode():
                    continue
                if settings.registry.url and name in TOPICS and TOPICS[name].encoding is Encoding.AVRO:
                    await _learn_schema(avro, settings.registry.url, record.value)
                view = RecordView.of(name, record.partition, record, decode)
                sys.stdout.buffer.write(options.format_record(view, record.value, shown == 0))
                shown += 1
                if shown == options.limit:
                    return
            sys.stdout.buffer.flush()


def _agents_for(topic: str, avro: Avro) -> tuple[Agent, ...]:
    """Return the agents whose changelog the topic could be."""
    if topic in TOPICS:
        return ()
    return agents_of(Tenancy.of((), ()), avro)


def _require_topic(settings: Settings, wanted: str, present: dict[str, int]) -> tuple[str, str, int]:
    """Return a topic's name without and with the prefix, and its number of partitions."""
    prefix = settings.kafka.topic_prefix
    for broker_name in (settings.kafka.topic(wanted), wanted):
        if broker_name in present:
            return broker_name.removeprefix(prefix), broker_name, present[broker_name]
    names = sorted(name.removeprefix(prefix) for name in present if name.startswith(prefix))
    matches = difflib.get_close_matches(wanted, [*names, *TOPICS], n=3)
    hint = f"Did you mean {' or '.join(dict.fromkeys(matches))}?" if matches and wanted not in matches else ""
    create_hint = "`intercom-streams topics apply` creates it." if wanted in TOPICS else ""
    raise BadConfiguration(f"there is no topic {wanted} at {settings.kafka.bootstrap}. {hint}{create_hint}".rstrip())


async def _learn_schema(avro: Avro, url: str, value: bytes | None) -> None:
    """Fetch an unknown schema from the registry. If the registry does not know it either, the record is shown with the error."""
    with contextlib.suppress(IntercomStreamsError):
        if value is not None and not avro.knows(schema_id := framing_id(value)):
            await add_schema(avro, url, schema_id)


@contextlib.contextmanager
def _broken_pipe_ignored() -> Iterator[None]:
    """End quietly when the reader closes the pipe, as `| head` does."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the flush at exit cannot fail
