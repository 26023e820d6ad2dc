"""Kafka's administrative client, for a block."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient

from connectors.kafka.settings import KafkaSettings


@asynccontextmanager
async def admin_client(kafka: KafkaSettings) -> AsyncIterator[Any]:
    """Have a connected client. One whose start is broken off has connections already, and is closed like any other."""
    client = AIOKafkaAdminClient(**kafka.client())
    try:
        await client.start()
        yield client
    finally:
        await client.close()
