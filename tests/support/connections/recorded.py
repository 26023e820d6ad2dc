"""No test leaves a connection to Kafka open: the one that does fails.

Otherwise the garbage collector finds the connection whenever it comes by, and a test fails that has done nothing.
"""

import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection

_made: list[tuple[Any, traceback.StackSummary]] = []
_initialise = AIOKafkaConnection.__init__


def _recorded(connection: Any, *args: object, **options: object) -> None:
    _initialise(connection, *args, **options)
    _made.append((connection, traceback.extract_stack(limit=12)))


AIOKafkaConnection.__init__ = _recorded


def made() -> list[Any]:
    """Return the connections that were made since the last test whose event loop has ended."""
    return [connection for connection, _ in _made]


def left_open() -> list[Any]:
    """Return those that are open. They are kept, so none was closed by being collected."""
    assert _made, "no connection was made"
    return [connection for connection in made() if connection.connected()]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Look at the connections once the test's fixtures and its event loop have ended; those of a running loop have time."""
    try:
        return (yield)
    finally:
        ended = [each for each in _made if each[0]._loop.is_closed()]
        _made[:] = [each for each in _made if not each[0]._loop.is_closed()]
        left = ["".join(made_at.format()) for connection, made_at in ended if connection.connected()]
        if left:
            pytest.fail(f"{len(left)} connections to Kafka were left open. The first was made here:\n{left[0]}", pytrace=False)
