"""The connections to the brokers that the producers of one process share.

A producer of aiokafka opens two connections to each broker. With a producer for each partition of each agent these were hundreds,
although none of them is ever busy: so the producers of some partitions use one client together. Fencing does not depend on it: a
producer is fenced by its transactional id, over whatever connection.
"""

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient

from connectors.kafka.clients import ClosingClient, stop_at_once
from connectors.kafka.settings import KafkaSettings
from streams.engine.limits import Limits

_RETRY_BACKOFF_MS = 50  # half of aiokafka's: after a rebalance partitions wait for it


class SharedClient(ClosingClient):
    """A client that connects once and closes its connections after its last user."""

    def __init__(self, kafka: KafkaSettings, limits: Limits) -> None:
        super().__init__(
            **kafka.client(),
            request_timeout_ms=limits.request_timeout_ms,
            retry_backoff_ms=_RETRY_BACKOFF_MS,
        )
        self._users = 0
        self._connecting: asyncio.Task[None] | None = None
        self.closed = False

    def add_user(self) -> None:
        """Count one more user, who will close the client."""
        self._users += 1

    async def bootstrap(self) -> None:
        """Connect for the first user; all share the outcome."""
        if self._connecting is None:
            self._connecting = asyncio.create_task(super().bootstrap())
        await asyncio.shield(self._connecting)

    async def close(self) -> None:
        """Remove a user, and close the connections if it was the last."""
        self._users -= 1
        if self._users == 0:
            self.closed = True
            try:
                if self._connecting is not None:
                    self._connecting.cancel()
                    await asyncio.wait({self._connecting})
            finally:
                await super().close()


class FencedProducer(AIOKafkaProducer):  # type: ignore[misc]  # aiokafka has no types
    """A transactional producer that uses a shared client instead of a client of its own."""

    def __init__(self, client: SharedClient, transactional_id: str, limits: Limits) -> None:
        super().__init__(
            transactional_id=transactional_id,
            transaction_timeout_ms=limits.transaction_timeout_ms,
            request_timeout_ms=limits.request_timeout_ms,
            retry_backoff_ms=_RETRY_BACKOFF_MS,
            linger_ms=0,
            max_batch_size=1
            << 20,  # before it is compressed; a partition takes one batch after the other, each with a round trip
            max_request_size=8 << 20,
            compression_type="zstd",
        )
        self.client = client  # the one that aiokafka has made never connects
        self._metadata = client.cluster
        self._message_accumulator._cluster = client.cluster  # noqa: SLF001
        self._sender.client = client
        client.add_user()

    async def stop(self) -> None:
        """Stop at once and leave the client."""
        await stop_at_once(self)


class ProducerClients:
    """A few clients for the producers of all partitions. Partition p of each agent uses the same one."""

    def __init__(self, kafka: KafkaSettings, limits: Limits) -> None:
        self._kafka = kafka
        self._limits = limits
        self._clients: dict[int, SharedClient] = {}

    def producer(self, partition: int, transactional_id: str) -> FencedProducer:
        """Return a producer for a partition. Stop it in any case."""
        return FencedProducer(self._client(partition), transactional_id, self._limits)

    def retire(self, client: AIOKafkaClient) -> None:
        """Let no further producer use this client; it may have lost track of a changing cluster. A new one is connected afresh."""
        for number, each in list(self._clients.items()):
            if each is client:
                del self._clients[number]

    def _client(self, partition: int) -> SharedClient:
        number = partition % self._limits.producer_clients
        client = self._clients.get(number)
        if client is None or client.closed:
            client = self._clients[number] = SharedClient(self._kafka, self._limits)
        return client
