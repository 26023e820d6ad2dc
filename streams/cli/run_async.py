"""Run a coroutine for a short verb, with client-library logging silenced: our own error message replaces it."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run the coroutine to its end and return its result."""
    for library in ("aiokafka", "kafka", "asyncio"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    return asyncio.run(coroutine)
