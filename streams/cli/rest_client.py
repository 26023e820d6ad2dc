"""The client of a workspace's REST API for a verb: within the budget that all processes share."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click
from redis.asyncio import Redis

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.shared_rate_limit import RedisBudget
from streams.settings import Settings


@asynccontextmanager
async def rest_client(settings: Settings, app_id: str) -> AsyncIterator[RestClient]:
    """Yield the client. Where Redis is away a sentence says so once, and the process goes by the headers it sees."""
    warned = False

    def away(error: str) -> None:
        nonlocal warned
        if not warned:
            click.echo(f"Redis does not answer ({error}): the rate limit is kept by Intercom's headers alone", err=True)
        warned = True

    async with Redis.from_url(settings.redis.url) as redis:
        budget = RedisBudget(redis, app_id, time.monotonic, prefix=settings.kafka.topic_prefix, on_away=away)
        async with RestClient(settings.tenancy.workspaces[app_id], budget) as client:
            yield client
