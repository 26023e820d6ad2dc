"""Producers of partitions: starting one fences the previous owner, so that nothing it wrote can change afterwards."""

import asyncio
from collections.abc import Collection, Iterable

from aiokafka import AIOKafkaProducer

from connectors.kafka.settings import KafkaSettings
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionProcessor
from streams.engine.recovery.producer_clients import FencedProducer, ProducerClients, SharedClient

_FENCE_SECONDS = 30.0  # for a coordinator to answer, which may be restarting; then a new client tries


async def fenced_producer(kafka: KafkaSettings, transactional_id: str, limits: Limits) -> FencedProducer:
    """Start a producer with its own connections. This fences older producers of that id and first ends their open transaction."""
    return await _started(FencedProducer(SharedClient(kafka, limits), transactional_id, limits))


async def fence(
    processors: Collection[PartitionProcessor], clients: ProducerClients, names: Naming
) -> dict[PartitionProcessor, FencedProducer]:
    """Start the producers of all these processors, or raise the first error and leave none running."""
    producers = {
        processor: clients.producer(processor.partition, names.transactional_id(*processor.id)) for processor in processors
    }
    try:
        results = await asyncio.gather(*(_started(producer) for producer in producers.values()), return_exceptions=True)
    except BaseException:  # cancelled
        await stop_producers(producers.values())
        raise
    errors = {
        producer: each for producer, each in zip(producers.values(), results, strict=True) if isinstance(each, BaseException)
    }
    for producer in errors:
        clients.retire(producer.client)
    for error in errors.values():
        await stop_producers(producers.values())
        raise error
    return producers


async def _started(producer: FencedProducer) -> FencedProducer:
    try:
        async with asyncio.timeout(_FENCE_SECONDS):
            await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer


async def stop_producers(producers: Iterable[AIOKafkaProducer | None]) -> None:
    """Stop producers that are done or broken, all at once: a cancellation reaches each of them. The error of a broken one has been handled already."""
    await asyncio.gather(*(producer.stop() for producer in producers if producer is not None), return_exceptions=True)
