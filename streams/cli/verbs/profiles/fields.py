"""`profiles fields`: which fields sources have sent, of which types, and how often they are filled."""

import click

from schemas.cloudevents import timestamp
from schemas.json_lines import json_line
from streams.cli.decisions.options import tenant_option
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tables import TextTable, print_table
from streams.cli.tenant import tenant_of
from streams.ops.profiles.field_catalogue import CataloguedField
from streams.ops.profiles.read_fields import read_fields


@click.command("fields")
@tenant_option
@json_option
@config_option
@click.pass_context
def fields(ctx: click.Context, /, *, tenant: str | None, as_json: bool) -> None:
    """Show every field that was seen: its source, types, share of records that have it, first and last time, and drift of its type.

    It reads the tables of the contacts and companies agents: some seconds for 100,000 records.
    """
    settings = kafka_of(ctx)
    tenants = settings.tenancy.tenants if tenant is None else [tenant_of(settings.tenancy, tenant)]
    found = run(read_fields(settings.kafka, settings.tenancy, tenants))
    if as_json:
        for each in found:
            click.echo(json_line(each))
        return
    table = TextTable("source", "field", "types", "filled", "first seen", "last seen", "drift")
    for each in found:
        seen = (timestamp(each.first_seen), timestamp(each.last_seen))
        table.add_row(each.source, each.field, _types(each), f"{each.share:.1%}", *seen, _drift(each))
    print_table(table)


def _types(each: CataloguedField) -> str:
    return ", ".join(f"{kind} {count:,}" if len(each.types) > 1 else kind for kind, count in each.types.items()) or "-"


def _drift(each: CataloguedField) -> str:
    if not each.drift:
        return ""
    earlier = f"; earlier {', '.join(each.earlier)}" if each.earlier else ""
    return f"since {timestamp(each.changed)}{earlier}" if each.changed is not None else earlier.removeprefix("; ")
