"""`simulate serve`: a made-up workspace behind Intercom's REST API."""

import time
from datetime import UTC, datetime

import click

from connectors.http.sockets import address
from connectors.simulator.rest.config import TYPICAL_LIMIT, SimulatorConfig
from connectors.simulator.rest.faults import faults_of
from connectors.simulator.rest.server import serve as run_server
from connectors.simulator.workspace.spec import LEAST_CONTACTS, MOST_CONTACTS, WorkspaceSpec
from schemas.tenancy import Secret
from streams.cli.number_param import FiniteRange


@click.command()
@click.option(
    "--listen", default="127.0.0.1:8095", show_default=True, metavar="HOST:PORT", help="Where to serve; port 0 takes a free one."
)
@click.option("--app-id", default="simulated", show_default=True, help="The id of the workspace.")
@click.option("--token", default="simulated-token", show_default=True, help="The access token that is accepted.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed is another workspace.")
@click.option(
    "--contacts",
    type=click.IntRange(LEAST_CONTACTS, MOST_CONTACTS),
    default=1000,
    show_default=True,
    help="How many people are in its lists.",
)
@click.option("--region", type=click.Choice(["us", "eu", "au"]), default="us", show_default=True, help="Where it says it is.")
@click.option("--time-zone", default="America/Los_Angeles", show_default=True, help="Days of searches up to version 2.16.")
@click.option("--version", "version", default="2.16", show_default=True, help="The version for requests that name none.")
@click.option(
    "--limit", type=click.IntRange(0), default=TYPICAL_LIMIT, show_default=True, help="Calls in ten seconds; 0: no limit."
)
@click.option("--start", type=click.DateTime(), help="When its past ends (UTC). Default: now.")
@click.option("--frozen", is_flag=True, help="Stop the clock at --start: the same steps give the same bytes.")
@click.option(
    "--fault", "faults", multiple=True, metavar="NAME[=VALUE]", help="Switch a fault on; may be repeated (docs/simulator.md)."
)
@click.option("--webhook-url", default="", help="Where webhooks are sent. Default: nowhere.")
@click.option("--client-secret", default="simulated-secret", show_default=True, help="What webhooks are signed with.")
@click.option(
    "--rate", type=FiniteRange(0, 1000), default=0.0, show_default=True, help="Changes a second that happen by themselves."
)
@click.option(
    "--speed",
    type=FiniteRange(1, 100_000),
    default=1.0,
    show_default=True,
    help="Shortens what webhooks wait for: 60 makes a minute a second.",
)
def serve(
    *, listen: str, app_id: str, token: str, seed: int, contacts: int, region: str, time_zone: str, version: str, limit: int,
    start: datetime | None, frozen: bool, faults: tuple[str, ...],
    webhook_url: str, client_secret: str, rate: float, speed: float,
) -> None:  # fmt: skip
    """Be a workspace of Intercom: serve its REST API, with limits and quirks, from made-up people, and send webhooks of what changes.

    Its rows are made when they are asked for, so a million contacts need no more memory than ten.
    """
    host, port = address(listen, key="--listen")
    ends = time.time_ns() // 1_000_000 if start is None else int(start.replace(tzinfo=UTC).timestamp() * 1000)
    spec = WorkspaceSpec(
        app_id=app_id, past_ends_ms=ends, seed=seed, contacts=contacts, region=region, time_zone=time_zone, version=version
    )  # fmt: skip
    run_server(
        SimulatorConfig(
            spec=spec,
            host=host,
            port=port,
            token=Secret(token),
            limit=limit,
            frozen=frozen,
            faults=faults_of(faults),
            webhook_url=webhook_url,
            client_secret=Secret(client_secret),
            rate=rate,
            speed=speed,
        )
    )
