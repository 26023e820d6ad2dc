"""The yardstick: the same path by hand, as short as it can be. A web endpoint that produces to Kafka, then two transactional loops.

`python -m bench.latency.plain web|loops JOB`. Nothing is verified, decoded, merged or kept: what is left is the price of two
transactions and three readings. No client waits for company: no linger, a fetch returns with its first record, uvloop throughout.
"""

import asyncio
import sys
from typing import Any

import msgspec
import uvicorn
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer


class Job(msgspec.Struct, frozen=True):
    """Posts to `port` go to the first topic and on to the last, one loop for each step."""

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
            part = await receive()
            body, more = body + part.get("body", b""), part.get("more_body", False)
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
                for part, records in polled.items():
                    for record in records:
                        await producer.send_and_wait(target, record.value, partition=part.partition)
                ends = {part: records[-1].offset + 1 for part, records in polled.items()}
                await producer.send_offsets_to_transaction(ends, f"{target}-loop")


if __name__ == "__main__":
    told = msgspec.json.decode(sys.argv[2], type=Job)
    if sys.argv[1] == "web":
        uvicorn.run(
            Web(told), port=told.port, loop="uvloop", http="httptools", lifespan="off", access_log=False, log_level="warning"
        )
    else:
        uvloop.run(_loops(told))
