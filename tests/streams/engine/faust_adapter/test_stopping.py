"""A worker that has to stop during a rebalance does stop."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from streams.engine.faust_adapter.consumer import BatchConsumer
from tests.patience import DEADLINE_S

pytestmark = pytest.mark.asyncio


class MainThread:
    """Answers calls of the fetch thread, or, when it has stopped listening, never."""

    def __init__(self, *, listens: bool) -> None:
        self._listens = listens
        self.calls: list[Any] = []

    async def call(self, promise: asyncio.Future[Any], method: Any, *args: Any) -> asyncio.Future[Any]:
        self.calls.append(args)
        if self._listens:
            promise.set_result(None)
        return promise


def consumer_of(main: MainThread, *, stopping: bool) -> BatchConsumer:
    consumer: Any = BatchConsumer.__new__(BatchConsumer)
    consumer._method_queue = main
    consumer.app = SimpleNamespace(should_stop=stopping)
    return consumer  # type: ignore[no-any-return]


async def rebalance(consumer: BatchConsumer) -> None:
    loop = asyncio.get_running_loop()
    await consumer.threadsafe_partitions_revoked(loop, set())
    await consumer.threadsafe_partitions_assigned(loop, set(), 7)


async def test_a_rebalance_is_told_and_waited_for() -> None:
    main = MainThread(listens=True)
    await asyncio.wait_for(rebalance(consumer_of(main, stopping=False)), DEADLINE_S)
    assert main.calls == [(set(),), (set(), 7)]


async def test_nobody_waits_for_a_main_thread_that_is_stopping() -> None:
    await asyncio.wait_for(rebalance(consumer_of(MainThread(listens=False), stopping=True)), DEADLINE_S)


async def test_a_main_thread_that_takes_its_time_is_waited_for() -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(rebalance(consumer_of(MainThread(listens=False), stopping=False)), 1)
