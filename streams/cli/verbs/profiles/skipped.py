"""`profiles skipped`: how many values the policy in force keeps out of profiles, by source, field and reason."""

import click

from schemas.json_lines import json_line
from schemas.profiles.policies import KINDS, PERSON, PROFILE_TOPICS
from streams.cli.decisions.options import tenant_option
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tables import TextTable, print_table
from streams.cli.tenant import tenant_of
from streams.ops.generations.live import changelog_of
from streams.ops.policies.skipped import SkippedWrites
from streams.ops.policies.skipped import skipped as read_skipped
from streams.settings import Settings


@click.command("skipped")
@click.option("--kind", type=click.Choice(KINDS), default=PERSON, show_default=True, help="People or organisations.")
@click.option("--denied", is_flag=True, help="Count denied values too: it reads the whole inbound topics, which takes a while.")
@tenant_option
@json_option
@config_option
@click.pass_context
def skipped(ctx: click.Context, /, *, kind: str, denied: bool, tenant: str | None, as_json: bool) -> None:
    """Count the values that records have, and that their profiles have not because of the policy: by source, field and reason.

    It reads the agent's whole table from its changelog, a partition at a time. `profiles explain` shows them for one profile.
    """
    settings = kafka_of(ctx)
    tenant_id = tenant_of(settings.tenancy, tenant)
    found = run(_skipped(settings, tenant_id, kind, denied=denied))
    if as_json:
        for each in found:
            click.echo(json_line(each))
        return
    if not found:
        click.echo(f"nothing is skipped for {tenant_id} ({kind})")
        return
    table = TextTable("source", "field", "reason", "values")
    for each in found:
        table.add_row(each.source, each.field, each.reason, f"{each.values:,}")
    print_table(table)


async def _skipped(settings: Settings, tenant: str, kind: str, *, denied: bool) -> list[SkippedWrites]:
    changelog = await changelog_of(settings.kafka, PROFILE_TOPICS[kind])
    return await read_skipped(settings.kafka, settings.tenancy, changelog, tenant=tenant, kind=kind, denied=denied)
