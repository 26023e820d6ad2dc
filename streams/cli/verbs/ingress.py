"""`ingress`: run the webhook server on this machine."""

from pathlib import Path

import click

from connectors.http.sockets import address
from connectors.intercom.ingress.config import IngressConfig
from connectors.intercom.ingress.server import serve
from connectors.observability import logs
from streams.cli.options import config_option, settings_of


@click.command()
@click.option("--listen", metavar="HOST:PORT", help="Where to listen; port 0 takes a free one. Default: [ingress] listen.")
@click.option("--processes", type=click.IntRange(1, 64), help="How many processes share the port. Default: [ingress] processes.")
@config_option
@click.pass_context
def ingress(ctx: click.Context, *, listen: str | None, processes: int | None) -> None:
    """Accept Intercom's webhooks until Ctrl-C or SIGTERM: in Kafka, or on this disk until Kafka has them.

    Prints the address once it listens. Kafka may be away, also at the start.
    """
    settings = settings_of(ctx)
    host, port = address(listen or settings.ingress.listen)
    logs.configure()
    serve(
        IngressConfig(
            host=host,
            port=port,
            tenancy=settings.tenancy,
            kafka=settings.kafka,
            spool=Path(settings.ingress.spool),
            spool_max_bytes=settings.ingress.spool_max_bytes,
            processes=processes or settings.ingress.processes,
            ceiling=settings.ingress.ceiling,
            spool_always=settings.ingress.spool_always,
            registry_url=settings.registry.url,
        )
    )
