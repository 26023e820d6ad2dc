"""A hand-written loop on confluent-kafka (librdkafka): one transaction per poll, without recovery, fencing or rebalances."""

from typing import Any

from confluent_kafka import Consumer, Producer

from bench.engine.job import COMPRESSION, EXPIRY_MS, POLL, Job
from bench.engine.work import counted, decode, encode, output


def run(job: Job) -> None:
    """Work until ended."""
    consumer = Consumer({
        "bootstrap.servers": job.bootstrap, "group.id": job.group, "auto.offset.reset": "earliest", "enable.auto.commit": False,
        "queued.min.messages": 20_000, "fetch.wait.max.ms": 50,
    })  # fmt: skip
    producer = Producer({
        "bootstrap.servers": job.bootstrap, "transactional.id": job.group, "transaction.timeout.ms": EXPIRY_MS, "linger.ms": 5,
        "compression.type": COMPRESSION, "queue.buffering.max.messages": 1_000_000, "queue.buffering.max.kbytes": 1 << 20,
    })  # fmt: skip
    producer.init_transactions()
    consumer.subscribe([job.source])
    state: dict[bytes, dict[str, Any]] = {}
    while True:
        if messages := consumer.consume(POLL, 0.1):
            producer.begin_transaction()
            _step(job, producer, state, messages)
            producer.send_offsets_to_transaction(consumer.position(consumer.assignment()), consumer.consumer_group_metadata())
            producer.commit_transaction()


def _step(job: Job, producer: Any, state: dict[bytes, dict[str, Any]], messages: list[Any]) -> None:
    changed = {}
    for message in messages:
        event = decode(message.value())
        key, partition = message.key(), message.partition()
        value = state[key] = counted(state.get(key), event)
        changed[key] = (partition, value)
        producer.produce(job.output, output(value["n"], event), key=key, partition=partition)
    for key, (partition, value) in changed.items():
        producer.produce(job.changelog, encode(value), key=key, partition=partition)
