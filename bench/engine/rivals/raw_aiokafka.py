"""A hand-written loop on aiokafka: the least work for exactly-once, without recovery, fencing or rebalances.

It has one transaction per poll, writes a changed row once per poll, and builds batches itself: `send` costs more per record.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.engine.job import COMPRESSION, EXPIRY_MS, POLL, Job
from bench.engine.work import counted, decode, encode, output

_BATCH = 512 * 1024


def run(job: Job) -> None:
    """Work until ended."""
    uvloop.run(_work(job))


async def _work(job: Job) -> None:
    consumer = AIOKafkaConsumer(
        job.source, bootstrap_servers=job.bootstrap, group_id=job.group, enable_auto_commit=False, auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 << 20, fetch_max_bytes=32 << 20,
    )  # fmt: skip
    producer = AIOKafkaProducer(
        bootstrap_servers=job.bootstrap, transactional_id=job.group, transaction_timeout_ms=EXPIRY_MS,
        max_batch_size=_BATCH, compression_type=COMPRESSION,
    )  # fmt: skip
    await consumer.start()
    await producer.start()
    state: dict[bytes, dict[str, Any]] = {}
    while True:
        polled = await consumer.getmany(timeout_ms=1000, max_records=POLL)
        if not polled:
            continue
        async with producer.transaction():
            sent = []
            for partition, records in polled.items():
                outputs, changed = _step(state, records)
                sent += await _send(producer, job.output, partition.partition, outputs)
                changes = ((key, encode(value)) for key, value in changed.items())
                sent += await _send(producer, job.changelog, partition.partition, changes)
            await asyncio.gather(*sent)
            ends = {partition: records[-1].offset + 1 for partition, records in polled.items()}
            await producer.send_offsets_to_transaction(ends, job.group)


def _step(
    state: dict[bytes, dict[str, Any]], records: Iterable[Any]
) -> tuple[list[tuple[bytes, bytes]], dict[bytes, dict[str, Any]]]:
    outputs, changed = [], {}
    for record in records:
        event = decode(record.value)
        key = record.key
        value = state[key] = changed[key] = counted(state.get(key), event)
        outputs.append((key, output(value["n"], event)))
    return outputs, changed


async def _send(producer: Any, topic: str, partition: int, records: Iterable[tuple[bytes, bytes]]) -> list[Any]:
    sent = []
    batch = producer.create_batch()
    for key, value in records:
        if batch.append(key=key, value=value, timestamp=None) is None:  # full
            sent.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    sent.append(await producer.send_batch(batch, topic, partition=partition))
    return sent
