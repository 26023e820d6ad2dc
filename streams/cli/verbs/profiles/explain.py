"""`profiles explain`: every event, merge, move and refusal of a profile, and why each of its fields has its value."""

from itertools import chain

import click

from schemas.cloudevents import timestamp
from schemas.json_lines import json_line
from streams.cli.decisions.options import tenant_option
from streams.cli.lines import print_lines
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.verbs.profiles.located import REFERENCE, located_one
from streams.cli.verbs.profiles.show import heading
from streams.cli.verbs.profiles.shown_value import shown_value
from streams.ops.codec import configured_codec
from streams.ops.profiles.explain import Explanation
from streams.ops.profiles.explain import explain as explained
from streams.ops.profiles.history import CHANGE, HistoryEntry
from streams.ops.profiles.reasons import FieldReason
from streams.settings import Settings


@click.command("explain")
@click.argument("profile", metavar=REFERENCE)
@tenant_option
@json_option
@config_option
@click.pass_context
def explain(ctx: click.Context, /, *, profile: str, tenant: str | None, as_json: bool) -> None:
    """Show why a person or an organisation is what it is.

    For each value that is its origin, the rule, and what other records say. Then come all events of its records with what came of
    them, merges, moves and refusals. It reads the partitions of the profile's keys: as far back as the topics' retention, and the table of its agent.
    """
    found = run(_explanation(kafka_of(ctx), profile, tenant))
    if as_json:
        click.echo(json_line(found))
        return
    print_lines(heading(found.kind, found.profile, found.status, found.tenant, found.asked))
    print_lines(*(f"  record {record['key']} ({record['status']})" for record in found.records))
    print_lines("", "Why each value is what it is", *chain.from_iterable(map(reason_lines, found.fields)), "", "What happened")
    events = {entry.event for entry in found.history}
    for entry in found.history:
        if entry.kind != CHANGE or entry.cause not in events:  # else it is in the event's own line
            print_lines(*_entry(entry))
    print_lines("", f"read: {', '.join(f'{topic} {count}' for topic, count in found.read.items() if count)}")


async def _explanation(settings: Settings, text: str, tenant: str | None) -> Explanation:
    avro = await configured_codec(settings)
    return await explained(settings.kafka, avro, await located_one(settings, avro, text, tenant))


def reason_lines(each: FieldReason) -> list[str]:
    """Return a value, why it is that one, and what other records say."""
    lines = [f"  {each.field} = {shown_value(each.field, each.value)}", f"    {each.reason}"]
    lines.append(f"    {each.record}, event {each.event}, {timestamp(each.time)}")
    for other in each.others:
        value = shown_value(each.field, other.value)
        lines.append(f"    not {value} of {other.record} ({other.note}; event {other.event}, {timestamp(other.time)})")
    return lines


def _entry(each: HistoryEntry) -> list[str]:
    heading = f"  {timestamp(each.time)}  {each.kind}  {each.key}  {each.type}".rstrip()
    place = f"{each.topic} {each.partition}:{each.offset}, event {each.event}"
    still = f"; still in force: {', '.join(each.in_force)}" if each.in_force else ""
    return [heading, f"    {each.effect}{still}", f"    {place}"]
