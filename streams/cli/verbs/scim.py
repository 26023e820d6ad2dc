"""`scim`: run the SCIM server on this machine."""

import click

from connectors.http.sockets import address
from connectors.observability import logs
from connectors.staff.scim.config import ScimConfig
from connectors.staff.scim.server import serve
from schemas.errors import BadConfiguration
from streams.cli.options import config_option, settings_of


@click.command()
@click.option("--listen", metavar="HOST:PORT", help="Where to listen; port 0 takes a free one. Default: [scim] listen.")
@config_option
@click.pass_context
def scim(ctx: click.Context, *, listen: str | None) -> None:
    """Let identity providers write staff over SCIM 2.0, until Ctrl-C or SIGTERM.

    Prints the address once it listens. Kafka may be away, also at the start: requests are then answered 503.
    """
    settings = settings_of(ctx)
    where = listen or settings.scim.listen
    if not where:
        raise BadConfiguration("[scim] listen is empty; expected host:port, like 127.0.0.1:8090")
    host, port = address(where, key="scim.listen")
    logs.configure()
    serve(
        ScimConfig(
            host=host,
            port=port,
            tenancy=settings.tenancy,
            kafka=settings.kafka,
            registry_url=settings.registry.url,
            public_url=settings.scim.url,
        )
    )
