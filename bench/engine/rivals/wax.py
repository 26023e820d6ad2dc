"""bytewax: a stateful map from Kafka to Kafka. Here without changelog and recovery store: less work than the others do."""

import importlib
from typing import Any

from confluent_kafka import Producer

from bench.engine.job import COMPRESSION, Job
from bench.engine.work import counted, decode, output


def run(job: Job) -> None:
    """Work until ended."""
    op: Any = importlib.import_module("bytewax.operators")
    kafka: Any = importlib.import_module("bytewax.connectors.kafka")
    flow = importlib.import_module("bytewax.dataflow").Dataflow("bench")
    stream = op.input("source", flow, kafka.KafkaSource([job.bootstrap], [job.source], tail=True, batch_size=1_000))
    keyed = op.map("decode", stream, lambda message: (message.key.decode(), decode(message.value)))
    op.output("output", op.stateful_map("count", keyed, _step), _sink(job))
    importlib.import_module("bytewax.testing").run_main(flow)


def _step(before: dict[str, Any] | None, event: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    value = counted(before, event)
    return value, output(value["n"], event)


def _sink(job: Job) -> Any:
    outputs: Any = importlib.import_module("bytewax.outputs")

    class Part(outputs.StatelessSinkPartition):  # type: ignore[misc]  # bytewax is not installed for mypy
        def __init__(self) -> None:
            self._producer = Producer({
                "bootstrap.servers": job.bootstrap, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000,
                "compression.type": COMPRESSION,
            })  # fmt: skip

        def write_batch(self, items: list[tuple[str, bytes]]) -> None:
            for key, value in items:
                self._producer.produce(job.output, value, key=key)
            self._producer.poll(0)

    class Sink(outputs.DynamicSink):  # type: ignore[misc]  # likewise
        def build(self, step_id: str, worker_index: int, worker_count: int) -> Part:
            return Part()

    return Sink()
