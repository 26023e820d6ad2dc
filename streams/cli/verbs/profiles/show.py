"""`profiles show`: a person or an organisation as it is now, with where each value comes from."""

import click

from schemas.cloudevents import timestamp
from schemas.json_lines import json_line
from streams.cli.decisions.options import tenant_option
from streams.cli.lines import print_lines
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tables import TextTable, print_table
from streams.cli.verbs.profiles.located import REFERENCE, located
from streams.cli.verbs.profiles.shown_value import shown_value
from streams.ops.codec import configured_codec
from streams.ops.profiles.locate import FoundProfile
from streams.ops.profiles.reasons import field_reasons
from streams.settings import Settings


@click.command("show")
@click.argument("profile", metavar=REFERENCE)
@tenant_option
@json_option
@config_option
@click.pass_context
def show(ctx: click.Context, /, *, profile: str, tenant: str | None, as_json: bool) -> None:
    """Show a person or an organisation as published now, with the record, event and time that each value comes from.

    An id that is an alias leads to the profile it is an alias of. An address can name several people; all are shown.
    """
    for each in run(_found(kafka_of(ctx), profile, tenant)):
        if as_json:
            click.echo(json_line(each.value))
        else:
            _print(each)


async def _found(settings: Settings, text: str, tenant: str | None) -> list[FoundProfile]:
    avro = await configured_codec(settings)
    return await located(settings, avro, text, tenant)


def heading(kind: str, id_: str, status: str, tenant: str, asked: str | None) -> str:
    """Return the first line about a profile."""
    alias = f", of which {asked} is an alias" if asked else ""
    return f"{kind} {id_} of {tenant}: {status}{alias}"


def _print(found: FoundProfile) -> None:
    print_lines(heading(found.kind, found.id, found.value["status"], found.tenant, found.asked))
    print_lines(*(f"  record {record['key']} ({record['status']})" for record in found.value["records"]))
    table = TextTable("field", "value", "from record", "event", "since")
    for each in field_reasons(found.value, {}):
        table.add_row(each.field, shown_value(each.field, each.value), each.record, each.event, timestamp(each.time))
    print_table(table)
