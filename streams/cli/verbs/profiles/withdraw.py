"""`profiles withdraw`: all records of another system count no longer, until it sends them again."""

import time

import click

from schemas.errors import BadConfiguration
from schemas.json_lines import json_line
from schemas.operations import Operation
from streams.cli.operator import user_name
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.ops.codec import configured_codec
from streams.ops.sources.withdraw import withdraw as withdraw_source
from streams.settings import Settings


@click.command("withdraw")
@click.argument("source")
@click.option("--reason", required=True, help="Why; it is kept in `operations`.")
@json_option
@config_option
@click.pass_context
def withdraw(ctx: click.Context, /, *, source: str, reason: str, as_json: bool) -> None:
    """Withdraw all records of another system: they link nobody, and no value of a profile comes from them.

    Nothing is deleted. A record counts again once its system sends it again, whatever its updated_at.
    """
    if not reason.strip():
        raise click.BadParameter("say why the source is withdrawn", param_hint="--reason")
    operation = run(_withdraw(kafka_of(ctx), source, reason.strip()))
    if as_json:
        click.echo(json_line(operation))
    else:
        click.echo(
            f"{source} of {operation.details['tenant']} is withdrawn; its records follow within moments (operation {operation.id})"
        )


async def _withdraw(settings: Settings, source: str, reason: str) -> Operation:
    tenant = settings.tenancy.sources.get(source)
    if tenant is None:
        known = ", ".join(sorted(settings.tenancy.sources)) or "none"
        raise BadConfiguration(f"no tenant has the source {source!r} under [[tenants.sources]]; known: {known}")
    avro = await configured_codec(settings)
    now = time.time_ns() // 1_000_000
    return await withdraw_source(settings.kafka, avro, source, tenant, time=now, actor=user_name(), reason=reason)
