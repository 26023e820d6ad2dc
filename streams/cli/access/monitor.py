"""`access monitor start`: from now on findings are news, and no longer the state in which monitoring found the company."""

import click
import msgspec

from connectors.kafka.fact_log import append, fact_record
from schemas.access.facts import type_of
from schemas.ids import derived
from schemas.json_lines import json_line
from streams.cli.group import CommandGroup
from streams.cli.operator import decision
from streams.cli.options import config_option, json_option, kafka_of
from streams.cli.run_async import run
from streams.cli.tenant import tenant_of
from streams.ops.codec import configured_codec
from streams.ops.facts import find_understood
from streams.settings import Settings

_KIND = "monitoring.started"


class MonitoringReport(msgspec.Struct, frozen=True):
    """Result of `start`: whether this call started monitoring."""

    tenant: str
    changed: bool


monitor = CommandGroup("monitor", help="Say when monitoring starts: findings before that are the baseline.")


@monitor.command()
@click.option("--tenant", metavar="ID", help="Whose. May be left out where one tenant is configured.")
@json_option
@config_option
@click.pass_context
def start(ctx: click.Context, *, tenant: str | None, as_json: bool) -> None:
    """Start monitoring now. Findings that are created later are not marked as baseline.

    It starts by itself once every monitored workspace and every configured staff source has had a complete snapshot.
    """
    settings = kafka_of(ctx)
    tenant_id = tenant_of(settings.tenancy, tenant)
    report = MonitoringReport(tenant_id, run(_start(settings, tenant_id)))
    if as_json:
        click.echo(json_line(report))
    elif report.changed:
        click.echo(f"monitoring of {tenant_id} starts: findings that are created from now on are no longer of the baseline")
    else:
        click.echo(f"nothing to do: monitoring of {tenant_id} was started before")


async def _start(settings: Settings, tenant: str) -> bool:
    avro = await configured_codec(settings)
    if await find_understood(settings.kafka, avro, tenant, {type_of(_KIND)}):
        return False
    await append(settings.kafka, [fact_record(avro, decision(id=derived(tenant, _KIND), tenant=tenant, kind=_KIND))])
    return True
