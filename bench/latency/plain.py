"""The reference: the same path, as short as possible: a web endpoint that produces to Kafka, then two transactional loops.

`python -m bench.latency.plain web|loops JOB`. Nothing is verified, decoded, merged or stored: the rest is the cost of two
transactions and three reads. No client waits for more records: no linger, fetches return with the first record, uvloop everywhere.
"""

import asyncio
import sys
from typing import Any

import msgspec
import uvicorn
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


class Job(msgspec.Struct, frozen=True):
    """Posts to `port` go to the first topic and from there to the last, one loop per step."""

    port: int
    bootstrap: str
    topics: tuple[str, str, str]


class Web:
    """An ASGI app that answers when Kafka has the body."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._producer: Any = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if self._producer is None:
            self._producer = AIOKafkaProducer(bootstrap_servers=self._job.bootstrap, acks="all", linger_ms=0)
            await self._producer.start()
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        if scope["method"] == "POST":
            await self._producer.send_and_wait(self._job.topics[0], body)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


async def _loops(job: Job) -> None:
    await asyncio.gather(*(_loop(job, source, target) for source, target in zip(job.topics, job.topics[1:], strict=False)))


async def _loop(job: Job, source: str, target: str) -> None:
    consumer = AIOKafkaConsumer(
        source, bootstrap_servers=job.bootstrap, group_id=f"{target}-loop", enable_auto_commit=False, auto_offset_reset="earliest",
        isolation_level="read_committed", fetch_min_bytes=1,
    )  # fmt: skip
    producer = AIOKafkaProducer(bootstrap_servers=job.bootstrap, transactional_id=f"{target}-loop", linger_ms=0)
    await consumer.start()
    await producer.start()
    while True:
        polled = await consumer.getmany(timeout_ms=1000)
        if polled:
            async with producer.transaction():
                for partition, records in polled.items():
                    for record in records:
                        await producer.send_and_wait(target, record.value, partition=partition.partition)
                ends = {partition: records[-1].offset + 1 for partition, records in polled.items()}
                await producer.send_offsets_to_transaction(ends, f"{target}-loop")


if __name__ == "__main__":
    job = msgspec.json.decode(sys.argv[2], type=Job)
    if sys.argv[1] == "web":
        uvicorn.run(
            Web(job), port=job.port, loop="uvloop", http="httptools", lifespan="off", access_log=False, log_level="warning"
        )
    else:
        uvloop.run(_loops(job))
