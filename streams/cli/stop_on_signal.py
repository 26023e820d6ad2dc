"""Ctrl-C and SIGTERM as an event, for commands that run until they are stopped."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator


@contextlib.asynccontextmanager
async def stop_on_signal() -> AsyncIterator[asyncio.Event]:
    """Yield an event that Ctrl-C and SIGTERM set: an end that the user chose is not an error."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
