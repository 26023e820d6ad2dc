"""Kafka's administrative client as a context manager."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from connectors.kafka.clients import close_with
from connectors.kafka.settings import KafkaSettings


@asynccontextmanager
async def admin_client(kafka: KafkaSettings, *, request_timeout_ms: int = 40_000) -> AsyncIterator[Any]:
    """Yield a connected client and close it. One whose start is cancelled has open connections already, so it is closed too."""
    client = AIOKafkaAdminClient(**kafka.client(), request_timeout_ms=request_timeout_ms)
    close_with(client._client)  # noqa: SLF001
    try:
        await client.start()
        yield client
    finally:
        await client.close()
