"""Producers of partitions: starting one fences the previous owner, so that nothing it wrote can change afterwards."""

import asyncio
import contextlib
from collections.abc import Collection, Iterable

from aiokafka import AIOKafkaProducer

from connectors.kafka.settings import KafkaSettings
from streams.engine.limits import Limits
from streams.engine.naming import Naming
from streams.engine.partition.processor import PartitionProcessor


async def fenced_producer(kafka: KafkaSettings, transactional_id: str, limits: Limits) -> AIOKafkaProducer:
    """Start the producer of a partition. This fences every older producer of that id and first ends its open transaction."""
    producer = AIOKafkaProducer(
        **kafka.client(),
        transactional_id=transactional_id,
        transaction_timeout_ms=limits.transaction_timeout_ms,
        linger_ms=0,
        max_batch_size=512 << 10,
        max_request_size=8 << 20,
        compression_type="zstd",
        retry_backoff_ms=50,
    )
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer


async def fence(
    processors: Collection[PartitionProcessor], kafka: KafkaSettings, names: Naming, limits: Limits
) -> dict[PartitionProcessor, AIOKafkaProducer]:
    """Start the producers of all these processors, or raise the first error and leave none running."""
    ids = [names.transactional_id(processor.agent.name, processor.partition) for processor in processors]
    starts = [fenced_producer(kafka, transactional_id, limits) for transactional_id in ids]
    results = await asyncio.gather(*starts, return_exceptions=True)
    errors = [result for result in results if isinstance(result, BaseException)]
    if errors:
        await stop_producers(result for result in results if not isinstance(result, BaseException))
        raise errors[0]
    return {
        processor: result for processor, result in zip(processors, results, strict=True) if not isinstance(result, BaseException)
    }


async def stop_producers(producers: Iterable[AIOKafkaProducer | None]) -> None:
    """Stop producers that are done or broken; the error of a broken one has been handled already."""
    for producer in producers:
        if producer is not None:
            with contextlib.suppress(Exception):
                await producer.stop()
