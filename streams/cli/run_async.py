"""Run a coroutine for a short verb, with client-library logging silenced: our own error message replaces it."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T], runner: Callable[[Coroutine[Any, Any, T]], T] = asyncio.run) -> T:
    """Run the coroutine to its end, by `runner`, and return its result."""
    with _silenced("aiokafka", "kafka", "asyncio"):
        return runner(coroutine)


@contextmanager
def _silenced(*libraries: str) -> Iterator[None]:
    """Silence the loggers of libraries, and let them speak again at the end: others in this process may need them."""
    before = [(logger := logging.getLogger(library), logger.level) for library in libraries]
    for logger, _ in before:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in before:
            logger.setLevel(level)
