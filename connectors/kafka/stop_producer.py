"""Stops a transactional producer at once: aiokafka waits without end for what it has not sent, if no broker takes it."""

import asyncio
from typing import Any


async def stop_at_once(producer: Any) -> None:
    """Stop and close the producer's client. Nothing is flushed: a transaction has been committed, or it is lost."""
    if producer._closed:  # noqa: SLF001
        return
    producer._closed = True  # noqa: SLF001
    producer._message_accumulator._closed = True  # noqa: SLF001
    try:
        await _end(producer._sender.sender_task)  # noqa: SLF001
        _retrieve_error(producer._txn_manager.wait_for_transaction_end())  # noqa: SLF001
        for batch in _unsent(producer._message_accumulator):  # noqa: SLF001
            _retrieve_error(batch._drain_waiter)  # noqa: SLF001
    finally:
        await producer.client.close()


def _unsent(accumulator: Any) -> list[Any]:
    """Return the batches that failed with the producer: the log would show their errors as never looked at."""
    return [batch for batches in accumulator._batches.values() for batch in batches] + list(accumulator._pending_batches)  # noqa: SLF001


async def _end(task: asyncio.Task[None] | None) -> None:
    """Cancel aiokafka's sending task until it has ended: it waits for its own subtasks when it is cancelled once."""
    while task is not None and not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.05)
    _retrieve_error(task)


def _retrieve_error(future: asyncio.Future[None] | None) -> None:
    """Look at the error of a transaction that has failed: who waited for it knows it already, or has given up."""
    if future is not None and future.done() and not future.cancelled():
        future.exception()
