"""Quix Streams, exactly once: a stateful function over its RocksDB store with a changelog."""

import importlib
from typing import Any

from bench.engine.job import COMPRESSION, Job
from bench.engine.work import counted


def run(job: Job) -> None:
    """Work until ended."""
    quix: Any = importlib.import_module("quixstreams")
    app = quix.Application(
        broker_address=job.bootstrap, consumer_group=job.group, auto_offset_reset="earliest", state_dir=job.directory, loglevel="WARNING",
        processing_guarantee="exactly-once", commit_interval=1.0, consumer_extra_config={"fetch.wait.max.ms": 50},
        producer_extra_config={"compression.type": COMPRESSION},
    )  # fmt: skip
    results = app.topic(job.output, value_serializer="json", key_serializer="bytes")
    frame = app.dataframe(app.topic(job.source, value_deserializer="json", key_deserializer="bytes"))
    frame.apply(_step, stateful=True).to_topic(results)
    app.run()


def _step(event: dict[str, Any], state: Any) -> dict[str, Any]:
    value = counted(state.get("value"), event)
    state.set("value", value)
    return {"id": event["id"], "n": value["n"], "kind": event["kind"]}
