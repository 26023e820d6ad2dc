"""Another process that reads the workspace of a configuration, within the budget that all share, until it is stopped."""

import asyncio
import sys
from pathlib import Path

from connectors.intercom.rest.client import RestClient
from connectors.intercom.rest.requests import get
from streams.cli.rest_client import rest_client
from streams.settings import load

_SIDE_BY_SIDE = 16


async def read(config: Path) -> None:
    """Read the first page of contacts again and again, many side by side."""
    async with rest_client(load(config), "abc12345") as client:
        await asyncio.gather(*(_read(client) for _ in range(_SIDE_BY_SIDE)))


async def _read(client: RestClient) -> None:
    while True:
        await client.send(get("/contacts", per_page="1"))


if __name__ == "__main__":
    asyncio.run(read(Path(sys.argv[1])))
