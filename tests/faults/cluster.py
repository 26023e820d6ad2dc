"""Queries to a cluster before it is harmed: which broker coordinates what, and whether a transaction is open."""

import asyncio
import contextlib

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from connectors.kafka.admin import admin_client
from connectors.kafka.settings import KafkaSettings
from connectors.local.servers.probe import Coordinator
from tests.patience import DEADLINE_S


async def coordinator(settings: KafkaSettings, kind: Coordinator, name: str) -> int:
    """Return the number of the broker that coordinates a group or a transactional id."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            with contextlib.suppress(KafkaError):
                return await _coordinator(settings, kind, name)
            await asyncio.sleep(0.2)


async def _coordinator(settings: KafkaSettings, kind: Coordinator, name: str) -> int:
    async with admin_client(settings) as admin:
        return int(await admin.find_coordinator(name, kind))


async def transaction_open(settings: KafkaSettings, place: TopicPartition) -> None:
    """Return as soon as a partition has records that are neither committed nor aborted."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            with contextlib.suppress(KafkaError):
                return await _transaction_open(settings, place)
            await asyncio.sleep(0.2)


async def _transaction_open(settings: KafkaSettings, place: TopicPartition) -> None:
    committed = AIOKafkaConsumer(**settings.client(), isolation_level="read_committed")
    written = AIOKafkaConsumer(**settings.client())
    try:
        await asyncio.gather(committed.start(), written.start())
        while await committed.end_offsets([place]) == await written.end_offsets([place]):
            pass
    finally:
        await asyncio.gather(committed.stop(), written.stop())
