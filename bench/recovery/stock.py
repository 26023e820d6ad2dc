"""Stock Faust's side: an app with a table in memory and a changelog in its own format. It restores; there are no events."""

import asyncio
from typing import Any

import faust

from bench.recovery.clock import Clock
from bench.recovery.job import TABLE, Job, RestoreResult
from bench.recovery.rows import key_of, value_of


async def restore(job: Job) -> RestoreResult:
    """Restore as many rows as the time allows, and compare each of them."""
    app = faust.App(
        job.group, broker=f"kafka://{job.bootstrap}", datadir=f"{job.directory}/{job.group}", topic_partitions=job.partitions,
        web_enabled=False, topic_disable_leader=True,
    )  # fmt: skip
    source = app.topic(job.source, key_type=str, key_serializer="raw", value_serializer="json")
    changelog = app.topic(  # Faust's own settings with another name: its own contains the app's name, which is new in each round
        job.changelog, key_type=str, key_serializer="json", value_serializer="json", partitions=job.partitions, compacting=True,
        acks=False, internal=True, maxsize=131_072, allow_empty=True,
    )  # fmt: skip
    table = app.Table(TABLE, partitions=job.partitions, key_type=str, changelog_topic=changelog)

    async def count(stream: Any) -> None:
        async for _ in stream:
            table.clear()  # never called: the source is empty

    app.agent(source)(count)
    clock = Clock()

    async def restored(*_: Any, **__: Any) -> None:
        clock.ready()

    app.on_rebalance_complete.connect(restored, weak=False)
    starting = asyncio.create_task(app.start())  # it returns only after the restoration
    seconds, grown_mib = await clock.wait(job.limit_s)
    starting.cancel()
    rows = dict(table.items())
    known = {key_of(number): number for number in range(job.rows)}
    wrong = sum(key not in known or value != value_of(known[key]) for key, value in rows.items())
    return RestoreResult(len(rows), wrong, seconds, grown_mib)
