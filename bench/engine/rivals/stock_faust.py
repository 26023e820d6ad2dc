"""faust-streaming with its defaults: an agent with a table in memory, at least once, and its own serializers."""

from pathlib import Path
from typing import Any

import faust

from bench.engine.job import TABLE, Job
from bench.engine.work import counted


def run(job: Job) -> None:
    """Work until ended."""
    Path(job.directory).mkdir(parents=True, exist_ok=True)  # Faust creates its own folder, but not the parent
    app = faust.App(
        job.group, broker=f"kafka://{job.bootstrap}", datadir=f"{job.directory}/{job.group}", topic_partitions=job.partitions,
        web_enabled=False, topic_disable_leader=True,
    )  # fmt: skip
    source = app.topic(job.source, key_type=str, key_serializer="raw", value_serializer="json")
    results = app.topic(job.output, key_type=str, key_serializer="raw", value_serializer="json")
    table = app.Table(TABLE, partitions=job.partitions, key_type=str)

    async def count(stream: Any) -> None:
        async for event in stream.events():
            value = table[event.key] = counted(table.get(event.key), event.value)
            await results.send(key=event.key, value={"id": event.value["id"], "n": value["n"], "kind": event.value["kind"]})

    app.agent(source)(count)
    faust.Worker(app, loglevel="ERROR", override_logging=True, redirect_stdouts=False).execute_from_commandline()
