"""`trace EVENT_ID`: what followed from one event, on every topic."""

import click

from schemas.cloudevents import timestamp
from schemas.json_lines import json_line
from streams.cli.lines import print_lines
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.time_param import TimeParam
from streams.ops.codec import configured_codec
from streams.ops.trace import Trace, TracedRecord
from streams.ops.trace import trace as trace_event
from streams.settings import Settings

_SPOOLED_MS = 1000  # without a spool, records of one partition are out of order by less


@click.command()
@click.argument("event", metavar="EVENT_ID")
@click.option(
    "--since",
    type=TimeParam(),
    metavar="TIME",
    help="Leave out what was recorded before (ISO 8601 with zone): faster on long logs.",
)
@json_option
@config_option
@click.pass_context
def trace(ctx: click.Context, /, *, event: str, since: int | None, as_json: bool) -> None:
    """Follow one event from its topic to everything that came of it: records, tables' changes and violations, or why none did.

    EVENT_ID is Intercom's id of the notification, or the `ce_id` of any inbound record. Exit code 1 if no topic has it.
    """
    found = run(_trace(kafka_of(ctx), event, since))
    if as_json:
        click.echo(json_line(found))
    else:
        for record in found.records:
            print_lines(*_paragraph(record))
        print_lines(found.verdict)
    if not found.records:
        ctx.exit(1)


async def _trace(settings: Settings, event: str, since: int | None) -> Trace:
    avro = await configured_codec(settings)
    return await trace_event(settings.kafka, avro, event, since)


def _paragraph(record: TracedRecord) -> list[str]:
    indent = "  " * record.depth
    times = [
        f"true {timestamp(record.time)}" if record.time is not None else "",
        f"received {timestamp(record.recorded)}" if record.recorded is not None else "",
        f"in Kafka {timestamp(record.appended)}",
        f"waited in the spool, about {record.waited / 1000:.1f} s" if record.waited >= _SPOOLED_MS else "",
        f"by replay {record.replay}" if record.replay else "",
    ]
    heading = f"{indent}{record.topic} {record.partition}:{record.offset}  {record.type}  {record.key or ''}".rstrip()
    lines = [heading, f"{indent}  {', '.join(each for each in times if each)}"]
    return lines + ([f"{indent}  {record.detail}"] if record.detail else [])
