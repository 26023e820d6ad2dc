"""A worker that is told to stop while the group shares out its partitions does stop."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from streams.engine.faust_adapter.consumer import BatchConsumer

pytestmark = pytest.mark.asyncio


class MainThread:
    """Answers what the fetch thread tells it, or, when it has stopped listening, never."""

    def __init__(self, *, listens: bool) -> None:
        self._listens = listens
        self.heard: list[Any] = []

    async def call(self, promise: asyncio.Future[Any], method: Any, *given: Any) -> asyncio.Future[Any]:
        self.heard.append(given)
        if self._listens:
            promise.set_result(None)
        return promise


def consumer(main: MainThread, *, stopping: bool) -> BatchConsumer:
    made: Any = BatchConsumer.__new__(BatchConsumer)
    made._method_queue = main
    made.app = SimpleNamespace(should_stop=stopping)
    return made  # type: ignore[no-any-return]


async def tell(told: BatchConsumer) -> None:
    loop = asyncio.get_running_loop()
    await told.threadsafe_partitions_revoked(loop, set())
    await told.threadsafe_partitions_assigned(loop, set(), 7)


async def test_a_rebalance_is_told_and_waited_for() -> None:
    main = MainThread(listens=True)
    await asyncio.wait_for(tell(consumer(main, stopping=False)), 30)
    assert main.heard == [(set(),), (set(), 7)]


async def test_nobody_waits_for_a_main_thread_that_is_stopping() -> None:
    await asyncio.wait_for(tell(consumer(MainThread(listens=False), stopping=True)), 30)


async def test_a_main_thread_that_takes_its_time_is_waited_for() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(tell(consumer(MainThread(listens=False), stopping=False)), 1)
