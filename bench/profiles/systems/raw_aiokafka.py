"""Two hand-written loops on aiokafka in one process, a transaction a poll each: without recovery, fencing or rebalances."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.profiles.systems.by_hand import Row, contact, decode, encode, person
from bench.profiles.systems.job import COMPRESSION, CONTACTS_AGENT, EXPIRY_MS, PEOPLE_AGENT, POLL, Job

_BATCH = 512 * 1024

State = dict[bytes, Row]
Outputs = dict[str, list[tuple[bytes, bytes]]]
"""Records to send, by topic."""


class Hop(msgspec.Struct, frozen=True):
    """One loop: its name, its source and its step, which returns the key's new row and appends to the outputs."""

    name: str
    source: str
    step: Callable[[Row | None, bytes, Any, Outputs], Row]


def run(job: Job) -> None:
    """Work until ended."""
    uvloop.run(_work(job))


async def _work(job: Job) -> None:
    await asyncio.gather(*(_loop(job, hop) for hop in _hops(job)))


def _hops(job: Job) -> tuple[Hop, Hop]:
    def to_patch(before: Row | None, key: bytes, value: Any, outputs: Outputs) -> Row:
        row = contact(before, key.decode(), value)
        outputs.setdefault(job.patches, []).append((key, encode(row)))
        return row

    def to_person(before: Row | None, key: bytes, value: Any, outputs: Outputs) -> Row:
        after, change = person(before, value)
        outputs.setdefault(job.people, []).append((key, encode(after)))
        outputs.setdefault(job.changes, []).append((key, encode(change)))
        return after

    return Hop(CONTACTS_AGENT, job.contacts, to_patch), Hop(PEOPLE_AGENT, job.patches, to_person)


async def _loop(job: Job, hop: Hop) -> None:
    group = f"{job.prefix}{hop.name}"
    consumer = AIOKafkaConsumer(
        hop.source, bootstrap_servers=job.bootstrap, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest",
        isolation_level="read_committed", fetch_max_wait_ms=50, max_partition_fetch_bytes=4 << 20, fetch_max_bytes=32 << 20,
    )  # fmt: skip
    producer = AIOKafkaProducer(
        bootstrap_servers=job.bootstrap, transactional_id=group, transaction_timeout_ms=EXPIRY_MS, max_batch_size=_BATCH,
        compression_type=COMPRESSION,
    )  # fmt: skip
    await consumer.start()
    await producer.start()
    state: State = {}
    while True:
        polled = await consumer.getmany(timeout_ms=1000, max_records=POLL)
        if polled:
            async with producer.transaction():
                sent = []
                for partition, records in polled.items():
                    outputs = _outputs(hop, job.changelog(hop.name), state, records)
                    for topic, entries in outputs.items():
                        sent += await _send(producer, topic, partition.partition, entries)
                await asyncio.gather(*sent)
                ends = {partition: records[-1].offset + 1 for partition, records in polled.items()}
                await producer.send_offsets_to_transaction(ends, group)


def _outputs(hop: Hop, changelog: str, state: State, records: Iterable[Any]) -> Outputs:
    """Return what follows from the records of one partition, the changed rows included."""
    outputs: Outputs = {}
    changed: State = {}
    for record in records:
        key = record.key
        state[key] = changed[key] = hop.step(state.get(key), key, decode(record.value), outputs)
    outputs[changelog] = [(key, encode(row)) for key, row in changed.items()]
    return outputs


async def _send(producer: Any, topic: str, partition: int, records: list[tuple[bytes, bytes]]) -> list[Any]:
    """Send in batches made here: `send` costs more per record."""
    sent = []
    batch = producer.create_batch()
    for key, value in records:
        if batch.append(key=key, value=value, timestamp=None) is None:  # full
            sent.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    sent.append(await producer.send_batch(batch, topic, partition=partition))
    return sent
