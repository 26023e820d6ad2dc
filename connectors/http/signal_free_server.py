"""uvicorn for processes that handle their signals themselves."""

import contextlib
from collections.abc import Iterator

import uvicorn


class SignalFreeServer(uvicorn.Server):
    """uvicorn without its signal handling, which would end the process by the signal instead of with exit code 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
