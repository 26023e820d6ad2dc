"""The client of a workspace's REST API for a verb: within the budget that all processes share."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import click
from redis.asyncio import Redis

from connectors.intercom.rest.client import ATTEMPTS, RestClient
from connectors.intercom.rest.shared_rate_limit import RedisBudget
from streams.settings import Settings

_SAY_EVERY_S: Final = 10.0


@asynccontextmanager
async def rest_client(settings: Settings, app_id: str, *, attempts: int = ATTEMPTS) -> AsyncIterator[RestClient]:
    """Yield the client. Where Redis is away a sentence says so once, and the process goes by the headers it sees.

    While Intercom does not answer, a sentence says why and that it is tried again, since all `attempts` take minutes.
    """
    warned = False

    def away(error: str) -> None:
        nonlocal warned
        if not warned:
            click.echo(f"Redis does not answer ({error}): the rate limit is kept by Intercom's headers alone", err=True)
        warned = True

    async with Redis.from_url(settings.redis.url) as redis:
        budget = RedisBudget(redis, app_id, time.monotonic, prefix=settings.kafka.topic_prefix, on_away=away)
        workspace = settings.tenancy.workspaces[app_id]
        async with RestClient(workspace, budget, attempts=attempts, on_retry=retry_notice(time.monotonic)) as client:
            yield client


def retry_notice(clock: Callable[[], float]) -> Callable[[str], None]:
    """Return what says on standard error, once in some seconds, that a read failed and is tried again."""
    shown = float("-inf")

    def say(trouble: str) -> None:
        nonlocal shown
        if clock() - shown >= _SAY_EVERY_S:
            shown = clock()
            click.echo(f"Intercom gave no answer, and is asked again: {trouble}", err=True)

    return say
