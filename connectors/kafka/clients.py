"""Consumers, producers and their clients that leave no connection open, however their start or their stop ends.

aiokafka closes what a client has kept. Three ways lead around that: a start that is cancelled while it asks for metadata forgets its
connection; a task that was connecting when the client was closed keeps one; a stop that is cancelled never comes to the client.

A stop that is cancelled is cancelled: aiokafka takes it for the end of a task of its own, and what stops clients one after the other, like
a backup, would continue after Ctrl-C.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from copy import copy
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.consumer.fetcher import READ_UNCOMMITTED
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.structs import BrokerMetadata
from aiokafka.util import create_task

from connectors.kafka.settings import KafkaSettings

_Client = TypeVar("_Client", "Consumer", "Producer")
_WITHOUT_BROKERS_S = 10.0  # more than a broker's session with its controller: then it is among the brokers again
_ASKED_AGAIN_S = 0.1
_OFFSETS = "offsets"  # beside aiokafka's groups of connections, which are numbers
_BOOTSTRAP = "bootstrap"  # aiokafka's own name for the node that is asked first


@contextmanager
def _cancellation_kept() -> Iterator[None]:
    """Raise a cancellation that came inside the block and was swallowed there."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    yield
    if task is not None and task.cancelling() > before:
        raise asyncio.CancelledError


class ClosingClient(AIOKafkaClient):  # type: ignore[misc]  # aiokafka has no types
    """Keeps each connection from the moment it is made, and makes none once it is closed.

    It has no state of its own to construct, so an aiokafka client can become one (`close_with`).
    """

    _ended = False
    _sync_task: Any

    async def bootstrap(self) -> None:
        """Learn about the cluster from the first address that answers. Raises KafkaConnectionError where none does.

        A broker that starts, or stood still, answers for a moment that there is no broker, itself included: it is asked again.
        """
        deadline = asyncio.get_running_loop().time() + _WITHOUT_BROKERS_S
        try:
            while not (named := await self._learn_from_any()):
                if named is None or asyncio.get_running_loop().time() >= deadline:
                    raise KafkaConnectionError(f"Unable to bootstrap from {self.hosts}")
                await asyncio.sleep(_ASKED_AGAIN_S)
        finally:
            self.cluster._bootstrap_brokers = {}  # noqa: SLF001
        if self._sync_task is None and not self._ended:
            self._sync_task = create_task(self._md_synchronizer())

    async def _learn_from_any(self) -> bool | None:
        """Return whether one of the addresses names brokers, None where none answers."""
        answered = None
        for host, port, _ in self.hosts:
            self.cluster._bootstrap_brokers = {_BOOTSTRAP: BrokerMetadata(_BOOTSTRAP, host, port, None)}  # noqa: SLF001
            named = await self._learn()
            if named:
                return True
            answered = named if answered is None else answered
        return answered

    async def _learn(self) -> bool | None:
        """Ask the bootstrap node for the brokers, over a connection that is closed afterwards; None where it does not answer."""
        connection = await self._get_conn(_BOOTSTRAP)
        if connection is None:
            return None
        try:
            self.cluster.update_metadata(await connection.send(MetadataRequest([])))
        except (KafkaError, TimeoutError):
            return None
        finally:
            self._conns.pop((_BOOTSTRAP, ConnectionGroup.DEFAULT), None)
            connection.close()
        return bool(self.cluster._brokers)  # noqa: SLF001

    async def _get_conn(self, node_id: Any, *, group: Any = ConnectionGroup.DEFAULT, no_hint: bool = False) -> Any:
        """Return a connection, or None where there is none: after `close` too, for a task that was connecting meanwhile."""
        if self._ended:
            return None
        connection = await super()._get_conn(node_id, group=group, no_hint=no_hint)
        if self._ended and connection is not None:
            connection.close()
            return None
        return connection

    async def close(self) -> None:
        """Close all connections, even if the task that keeps the metadata has failed."""
        self._ended = True
        try:
            with _cancellation_kept():
                await super().close()
        finally:
            for connection in self._conns.values():
                connection.close()


class _OffsetsConnection:
    """A client whose requests queue neither behind fetches nor behind joining a group: a broker answers one connection's in their order."""

    def __init__(self, client: AIOKafkaClient) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, node_id: Any, request: Any) -> Any:
        return await self._client.send(node_id, request, group=_OFFSETS)


def close_with(client: Any) -> None:
    """Make aiokafka's client a `ClosingClient`. Its owner's parts have it from their construction on, so it is not replaced."""
    client.__class__ = ClosingClient


class Consumer(AIOKafkaConsumer):  # type: ignore[misc]
    """aiokafka's consumer. A stop that is cancelled, or fails, closes the connections."""

    def __init__(self, kafka: KafkaSettings, *topics: str, **options: Any) -> None:
        super().__init__(*topics, **kafka.client(), **options)
        close_with(self._client)

    async def start(self) -> None:
        await super().start()
        await asyncio.sleep(0)  # a stop before the coordinator's task has run once would raise that task's CancelledError

    async def beginning_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the first offset that each partition has."""
        starts: dict[TopicPartition, int] = await self._beside_fetches().beginning_offsets(partitions, self._request_timeout_ms)
        return starts

    async def end_offsets(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return where partitions end for this consumer."""
        ends: dict[TopicPartition, int] = await self._beside_fetches().end_offsets(partitions, self._request_timeout_ms)
        return ends

    async def written_ends(self, partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return where partitions end with the records of open transactions, which this consumer itself may not read."""
        every = self._beside_fetches()
        every._isolation_level = READ_UNCOMMITTED  # noqa: SLF001  # which aiokafka reads with each request
        ends: dict[TopicPartition, int] = await every.end_offsets(partitions, self._request_timeout_ms)
        return ends

    def _beside_fetches(self) -> Any:
        """Return a fetcher that shares all with this one's but the connection: half a second may pass until a fetch there is answered."""
        fetcher = copy(self._fetcher)
        fetcher._client = _OffsetsConnection(self._client)  # noqa: SLF001
        return fetcher

    async def stop(self) -> None:
        try:
            with _cancellation_kept():
                await super().stop()
        except BaseException:
            if self._fetcher is not None:
                self._fetcher._fetch_task.cancel()  # noqa: SLF001  # nothing else ends it
            raise
        finally:
            await self._client.close()


class Producer(AIOKafkaProducer):  # type: ignore[misc]
    """aiokafka's producer. A stop that is cancelled, or fails, closes the connections."""

    def __init__(self, kafka: KafkaSettings, **options: Any) -> None:
        super().__init__(**kafka.client(), **options)
        close_with(self.client)

    async def stop(self) -> None:
        try:
            with _cancellation_kept():
                await super().stop()
        finally:
            await self.client.close()


@asynccontextmanager
async def started(client: _Client) -> AsyncIterator[_Client]:
    """Start a consumer or producer and stop it, also where its start is cancelled: `async with` of aiokafka's own does not."""
    try:
        await client.start()
        yield client
    finally:
        await client.stop()


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
