"""The simplest agent that can be wrong: it counts records by key and sends each count. Its oracle is a Counter."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic

from connectors.kafka.admin import admin_client
from connectors.kafka.clients import Consumer, started
from connectors.kafka.decided_ends import decided_ends
from connectors.kafka.ranges import partitions_of
from connectors.kafka.settings import KafkaSettings
from connectors.kafka.topics import wait_until_ready
from schemas.errors import InvalidRecord
from schemas.partition import partition_of
from streams.engine.agent import Agent, Batch, Outbox, Table, Wake
from streams.engine.naming import Naming

PARTITIONS = 4
SOURCE, SECOND, OUT = "in", "in.second", "out"
TOPICS = {SOURCE, SECOND, OUT, "dead.letters"}


class Numbers:
    """A table of integers."""

    encode = staticmethod(msgspec.msgpack.encode)

    @staticmethod
    def decode(data: bytes) -> int:
        return msgspec.msgpack.decode(data, type=int)


def count(batch: Batch, table: Table[int], out: Outbox) -> None:
    """Count each record's key; `poison` as a value raises, as a step with a fault would."""
    for record in batch.records:
        if record.value == b"poison":
            raise ValueError("secret@example.com cannot be processed")
        if record.value == b"unusable":
            raise InvalidRecord("the value says so")
        key = (record.key or b"").decode()
        number = (table.get(key) or 0) + 1
        table.put(key, "", number)
        out.send(OUT, key, json.dumps({"key": key, "n": number, "topic": batch.topic, "offset": record.offset}).encode())


def counting(
    sources: tuple[str, ...] = (SOURCE,), wake: Callable[[Table[int]], Wake | None] | None = None, name: str = "count"
) -> Agent:
    """Return the agent."""
    return Agent(name=name, sources=sources, step=count, codec=Numbers, wake=wake)


async def create_topics(
    kafka: KafkaSettings,
    *agents: Agent,
    partitions: int = PARTITIONS,
    changelog: Mapping[str, str] | None = None,
    names: Naming | None = None,
) -> None:
    """Create all topics the counting agents need; `changelog` are settings of their changelogs alone."""
    names = names or Naming(prefix=kafka.topic_prefix)
    changelogs = {names.changelog(agent.name) for agent in agents}
    options = {"min.insync.replicas": str(kafka.min_insync)}
    async with admin_client(kafka) as admin:
        await admin.create_topics(
            [
                NewTopic(kafka.topic(name), partitions, kafka.replication, topic_configs=options | more)
                for names, more in ((TOPICS, {}), (changelogs, changelog or {}))
                for name in sorted(names)
            ]
        )
        await wait_until_ready(admin, {kafka.topic(name) for name in {*TOPICS, *changelogs}})


@asynccontextmanager
async def producing(kafka: KafkaSettings, **options: object) -> AsyncIterator[AIOKafkaProducer]:
    """A plain producer."""
    producer = AIOKafkaProducer(**kafka.client(), **options)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def write(producer: AIOKafkaProducer, kafka: KafkaSettings, topic: str, key: str, value: bytes = b"x") -> None:
    """Send one record to its key's partition."""
    partition = partition_of(key.encode(), PARTITIONS)
    await producer.send_and_wait(kafka.topic(topic), key=key.encode(), value=value, partition=partition)


async def read_all(kafka: KafkaSettings, topic: str) -> list[object]:
    """Return every committed record of a topic."""
    async with followed(kafka, topic) as records:
        return await records()


@asynccontextmanager
async def followed(kafka: KafkaSettings, topic: str) -> AsyncIterator[Callable[[], Awaitable[list[object]]]]:
    """Yield what reads on to the end and returns every committed record of a topic so far: who asks often reads each record once."""
    options = {"isolation_level": "read_committed", "auto_offset_reset": "earliest", "enable_auto_commit": False}
    async with started(Consumer(kafka, **options)) as consumer:
        tps = await partitions_of(consumer, kafka.topic(topic))
        consumer.assign(tps)
        await consumer.seek_to_beginning(*tps)
        records: list[object] = []

        async def so_far() -> list[object]:
            ends = await decided_ends(consumer, tps)
            while any([await consumer.position(tp) < ends[tp] for tp in tps]):
                for fetched in (await consumer.getmany(timeout_ms=200)).values():
                    records.extend(fetched)
            return records

        yield so_far
