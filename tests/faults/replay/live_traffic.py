"""Posts of a second company beside other work, and how long each takes to a reader of `people.changes`."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer

from bench.ingress.load import quantiles
from connectors.kafka.ranges import partitions_of
from connectors.kafka.settings import KafkaSettings
from schemas.message import header
from schemas.partition import partition_of
from tests.support.counting_agent import producing
from tests.support.histories import World
from tests.support.oracle import routed

APP = "live0001"
_CONTACTS = 400
_TOPIC, _CHANGES = "intercom.contacts", "people.changes"


class LiveTraffic:
    """Posts at a steady rate, and the moments at which their consequences were there to be read."""

    def __init__(self, kafka: KafkaSettings, seed: int, *, per_second: float) -> None:
        self.bodies: list[bytes] = []
        self._kafka = kafka
        self._world = World(seed, APP)
        self._chance = random.Random(seed)
        self._pause = 1 / per_second
        self._enough = asyncio.Event()
        self._posted: dict[str, float] = {}
        self._seen: dict[str, float] = {}

    @contextlib.asynccontextmanager
    async def flowing(self) -> AsyncIterator[None]:
        """Post and look inside the block. Raises what stopped either."""
        async with AIOKafkaConsumer(
            **self._kafka.client(), isolation_level="read_committed", enable_auto_commit=False, fetch_max_wait_ms=20
        ) as reader:
            partitions = await partitions_of(reader, self._kafka.topic(_CHANGES))
            reader.assign(partitions)
            await reader.seek_to_end(*partitions)
            looking, posting = asyncio.create_task(self._look(reader)), asyncio.create_task(self._post())
            try:
                yield
                assert not any(task.done() for task in (looking, posting)), "live traffic has ceased"
                self._enough.set()
                await posting  # not cancelled: the last post would be on the topic or not
            finally:
                looking.cancel()
                posting.cancel()
                await asyncio.gather(looking, posting, return_exceptions=True)

    def p99_ms(self, begin: float, end: float) -> float:
        """Return the 99th percentile of the time to its consequence, of what was posted between two moments; it is counted to the second at most."""
        taken = [min(seen, end) - self._posted[id_] for id_, seen in self._seen.items() if begin <= self._posted[id_] <= end]
        return quantiles(taken)["p99"] if taken else 0.0

    def slowest_ms(self) -> float:
        """Return the longest time of all, that of posts behind a killed process's transaction included."""
        return max((seen - self._posted[id_] for id_, seen in self._seen.items()), default=0.0) * 1000

    async def _post(self) -> None:
        async with producing(self._kafka, acks="all", linger_ms=0) as producer:
            name = self._kafka.topic(_TOPIC)
            due = time.monotonic()
            while not self._enough.is_set():
                body = self._world.event(self._chance.randrange(_CONTACTS))
                for topic, record in routed(body):
                    if topic == _TOPIC:
                        self._posted[header(record.headers, "ce_id") or ""] = time.monotonic()
                        partition = partition_of(record.key, self._kafka.partitions)
                        await producer.send_and_wait(name, body, key=record.key, headers=record.headers, partition=partition)
                        self.bodies.append(body)
                due += self._pause
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _look(self, reader: AIOKafkaConsumer) -> None:
        while True:
            for records in (await reader.getmany(timeout_ms=100)).values():
                now = time.monotonic()
                for record in records:
                    cause = header(record.headers, "ce_causationid")
                    if cause in self._posted:
                        self._seen.setdefault(cause, now)
