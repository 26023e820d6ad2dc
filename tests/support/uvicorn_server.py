"""An app on uvicorn with a protocol of this product, on a free port, watched for slow senders."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from connectors.http.client_limits import close_slow_clients
from connectors.http.sockets import bind


@asynccontextmanager
async def served(app: Any, protocol: type[asyncio.Protocol], **options: Any) -> AsyncIterator[str]:
    """Yield the URL."""
    sock = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, http=protocol, ws="none", lifespan="off", log_config=None, **options))
    serving = asyncio.create_task(server._serve([sock]))
    watching = asyncio.create_task(close_slow_clients(server.server_state.connections, every_s=0.05))
    port = sock.getsockname()[1]
    while not server.started:  # noqa: ASYNC110  # uvicorn has nothing to wait for
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    watching.cancel()
    server.should_exit = True
    await serving
