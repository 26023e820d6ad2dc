"""`profiles find`: the people, or organisations, that have certain values."""

from typing import Any

import click

from schemas.json_lines import json_line
from streams.cli.decisions.options import tenant_option
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tables import TextTable, print_table
from streams.cli.tenant import tenant_of
from streams.core.profiles.orgs import ORG
from streams.core.profiles.people import PERSON
from streams.ops.codec import configured_codec
from streams.ops.profiles.search import conditions_of, search
from streams.settings import Settings


@click.command("find")
@click.argument("texts", nargs=-1, required=True, metavar="TEXT|FIELD=VALUE...")
@click.option("--orgs", is_flag=True, help="Search organisations instead of people.")
@tenant_option
@json_option
@config_option
@click.pass_context
def find(ctx: click.Context, /, *, texts: tuple[str, ...], orgs: bool, tenant: str | None, as_json: bool) -> None:
    """Show the people who have all of these: a text that any value contains, or a field's value, as in `attributes.plan=pro`.

    Case does not count. It reads the whole topic of people: some seconds for 100,000. `profiles show` knows one person at once.
    """
    found = run(_found(kafka_of(ctx), texts, tenant, orgs=orgs))
    if as_json:
        for value in found:
            click.echo(json_line(value))
        return
    table = TextTable("id", "name", "website" if orgs else "email", "status", "records")
    for value in found:
        records = ", ".join(record["key"] for record in value["records"])
        table.add_row(value["id"], value.get("name"), value.get("website" if orgs else "email"), value["status"], records)
    print_table(table)
    click.echo(f"{len(found)} found", err=True)


async def _found(settings: Settings, texts: tuple[str, ...], tenant: str | None, *, orgs: bool) -> list[dict[str, Any]]:
    conditions = conditions_of(texts, ORG if orgs else PERSON)
    tenants = frozenset(settings.tenancy.tenants if tenant is None else [tenant_of(settings.tenancy, tenant)])
    avro = await configured_codec(settings)
    return await search(settings.kafka, avro, "orgs" if orgs else "people", conditions, tenants)
