"""`sync`: the process that reads from Intercom's REST API while the installation runs."""

import asyncio
import time

import click
from redis.asyncio import Redis

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.shared_rate_limit import RedisBudget
from connectors.observability import logs
from schemas.errors import BadConfiguration
from streams.cli.options import config_option, settings_of
from streams.cli.stop_on_signal import stop_on_signal
from streams.ops.codec import configured_codec
from streams.ops.sync.catch_up import SyncSchedule
from streams.ops.sync.process import SyncProcess
from streams.settings import Settings
from streams.worker.probes import Probes


@click.command()
@config_option
@click.pass_context
def sync(ctx: click.Context) -> None:
    """Read from Intercom what agents ask for, each workspace's teammates every 15 minutes, and changes once a day, until Ctrl-C or SIGTERM.

    Once a day it compares the tables with Intercom too, and repairs them. `run` starts it where a workspace has an access token. Several share the work: one at a time reads what is due for a workspace.
    """
    settings = settings_of(ctx)
    if not any(workspace.access_token for workspace in settings.tenancy.workspaces.values()):
        raise BadConfiguration(
            "no workspace has an access_token, so nothing can be read from Intercom; docs/sync.md says where it is"
        )
    logs.configure()
    asyncio.run(_sync(settings))


async def _sync(settings: Settings) -> None:
    avro = await configured_codec(settings)
    own = settings.sync
    schedule = SyncSchedule(
        teammates_s=own.teammates_minutes * 60, resync_s=own.resync_hours * 3600, reconcile_s=own.reconcile_hours * 3600,
        heartbeat_s=own.heartbeat_minutes * 60,
    )  # fmt: skip
    async with Redis.from_url(settings.redis.url) as redis, Probes(settings.sync.listen), stop_on_signal() as stop:

        def client(app_id: str) -> RestClient:
            budget = RedisBudget(redis, app_id, time.monotonic, prefix=settings.kafka.topic_prefix)
            return RestClient(settings.tenancy.workspaces[app_id], budget)

        await SyncProcess(settings.kafka, avro, settings.tenancy, schedule, client).run(stop)
