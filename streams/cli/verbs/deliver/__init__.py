"""`deliver`: the process that posts findings to webhook endpoints, and appends them to files."""

import asyncio

import click

from connectors.http.probes import probes
from connectors.observability import logs
from schemas.errors import BadConfiguration
from streams.cli.options import config_option, settings_of
from streams.cli.stop_on_signal import stop_on_signal
from streams.ops.codec import configured_codec
from streams.ops.deliver.process import DeliverProcess
from streams.settings import Settings


@click.command()
@click.option("--listen", metavar="HOST:PORT", help="Where /ready and /metrics are. Default: [deliver] listen; empty: nowhere.")
@config_option
@click.pass_context
def deliver(ctx: click.Context, /, *, listen: str | None) -> None:
    """Post findings to webhook endpoints and append them to files, until Ctrl-C or SIGTERM.

    `run` starts it where a tenant has [[tenants.webhooks]] or [[tenants.event_files]]. Kafka may be away, also at the start. What was
    delivered up to where is in Kafka, and of files beside them: a restart continues there.
    """
    settings = settings_of(ctx)
    if not settings.tenancy.delivers():
        raise BadConfiguration(
            "no tenant has [[tenants.webhooks]] or [[tenants.event_files]], so nothing is to be delivered; docs/subscribers.md"
        )
    logs.configure()
    asyncio.run(_deliver(settings, settings.deliver.listen if listen is None else listen))


async def _deliver(settings: Settings, listen: str) -> None:
    avro = await configured_codec(settings)
    process = DeliverProcess(settings.kafka, avro, settings.tenancy)
    async with stop_on_signal() as stop, probes(listen, process.readiness, key="deliver.listen"):
        await process.run(stop)
